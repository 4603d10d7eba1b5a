package nplusone

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// Complete gives the unnested arrays of a finding's set form the types of their
// columns, without which the server takes no unnest($1, $2), and puts it into the
// fix. Where a type is not known, or has no array that unnests to it, there is no set
// form. f.Object must have its schema.
func Complete(f *rules.Finding, c *catalog.Catalog) {
	if f.Probe == nil || len(f.Probe.ItemColumns) == 0 {
		return
	}
	probe, fix := *f.Probe, *f.Fix
	probe.SetSQL, fix.SQL = typed(&probe, c)
	f.Probe, f.Fix = &probe, &fix
}

func typed(p *rules.Probe, c *catalog.Catalog) (probe string, fix []string) {
	r := c.Relation(p.Schema, p.Table)
	stmt, err := pgast.Parse(p.SetSQL)
	if r == nil || err != nil {
		return "", nil
	}
	_, joined := stmt.(*pgast.Update)
	types := map[int]*pgast.Cast{}
	for i, n := range p.ItemParams {
		name := p.ItemColumns[i]
		col := r.Column(name)
		if col == nil || joined && r.Column("item_"+name) != nil { // which would be ambiguous
			return "", nil
		}
		elem := element(col, c)
		if elem == "" {
			return "", nil
		}
		x, err := pgast.ParseExpr("$1::" + elem + "[]")
		if err != nil {
			return "", nil
		}
		cast := x.(*pgast.Cast)
		cast.Arg = &pgast.Param{Number: n}
		types[n] = cast
	}
	pgast.Walk(stmt, func(n pgast.Node) bool {
		if call, ok := n.(*pgast.FuncCall); ok && call.Name[len(call.Name)-1] == "unnest" {
			for i, a := range call.Args {
				if x, ok := a.(*pgast.Param); ok && types[x.Number] != nil {
					call.Args[i] = types[x.Number]
				}
			}
		}
		return true
	})
	probe = pgast.Format(stmt)
	switch s := stmt.(type) {
	case *pgast.Select:
		s.Targets = withKeys(s.Targets, p.ItemColumns)
	case *pgast.Insert:
		if len(s.Returning) > 0 {
			s.Returning = withKeys(s.Returning, unique(r, p.ItemColumns))
		}
	}
	return probe, []string{pgast.Format(stmt)}
}

// unique are the columns that are in a unique key, by which a row can be found again;
// all where none is.
func unique(r *catalog.Relation, columns []string) []string {
	var out []string
	for _, c := range columns {
		if slices.ContainsFunc(r.Indexes, func(x *catalog.Index) bool {
			return x.Unique && slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == c })
		}) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return columns
	}
	return out
}

// withKeys puts keys before a list of columns where they are not in there.
func withKeys(list []pgast.Target, keys []string) []pgast.Target {
	var missing []pgast.Target
	for _, k := range keys {
		if !slices.ContainsFunc(list, func(t pgast.Target) bool {
			r, ok := t.Expr.(*pgast.ColumnRef)
			return ok && (r.Star || lastName(r) == k)
		}) {
			missing = append(missing, pgast.Target{Expr: &pgast.ColumnRef{Names: []string{k}}})
		}
	}
	return append(missing, list...)
}

var modifiers = regexp.MustCompile(`\([\d, -]+\)`)

// element is the type of an array's elements for a column. It has no length: a cast
// cuts what is too long, where an assignment refuses it.
func element(col *catalog.Column, c *catalog.Catalog) string {
	t := modifiers.ReplaceAllString(col.Type, "")
	if col.TypeName != (catalog.Name{}) {
		own := c.Type(col.TypeName.Schema, col.TypeName.Name)
		switch {
		case c.Relation(col.TypeName.Schema, col.TypeName.Name) != nil:
			return ""
		case own != nil && (own.Kind == "composite" || strings.HasSuffix(own.Base, "]")):
			return ""
		}
	}
	switch {
	case strings.HasSuffix(t, "]"), t == "bit", t == "":
		return "" // unnest takes all dimensions at once
	case t == "character":
		return "bpchar"
	case strings.HasPrefix(t, "interval"):
		return "interval"
	}
	return t
}
