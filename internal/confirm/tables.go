package confirm

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// tables notes the tables that a probe reads: those of its statement, of the
// views in it, of the policies on them and of the functions that these call.
func (a *asker) tables(p *rules.Probe, out map[catalog.Name]bool) {
	a.table(catalog.Name{Schema: p.Schema, Name: p.Table}, out)
	a.table(catalog.Name{Schema: p.RefSchema, Name: p.RefTable}, out)
	for _, sql := range []string{p.SQL, p.SetSQL} {
		if sql == "" {
			continue
		}
		if stmt, err := pgast.Parse(sql); err == nil {
			a.tablesOf(stmt, out)
		}
	}
}

func (a *asker) tablesOf(n pgast.Node, out map[catalog.Name]bool) {
	pgast.Walk(n, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Table:
			if r := a.cat.Resolve(n.Schema, n.Name, nil); r != nil {
				a.table(r.Name, out)
			}
		case *pgast.FuncCall:
			a.function(n, out)
		}
		return true
	})
}

func (a *asker) table(name catalog.Name, out map[catalog.Name]bool) {
	r := a.cat.Relation(name.Schema, name.Name)
	if r == nil || out[name] {
		return
	}
	if r.PartitionOf != (catalog.Name{}) {
		a.table(r.PartitionOf, out)
		return
	}
	if r.IsTable() {
		out[name] = true
	}
	if r.Query != "" {
		if stmt, err := pgast.Parse(r.Query); err == nil {
			a.tablesOf(stmt, out)
		}
	}
	for _, p := range r.Policies {
		if e, err := pgast.ParseExpr(p.Using); err == nil && r.RLSEnabled {
			a.tablesOf(e, out)
		}
	}
}

// function notes the tables whose names stand in the body of a function of the
// schema; a word too many costs a few rows.
func (a *asker) function(call *pgast.FuncCall, out map[catalog.Name]bool) {
	schema := ""
	if len(call.Name) > 1 {
		schema = call.Name[len(call.Name)-2]
	}
	for _, f := range a.cat.ResolveFunctions(schema, call.Name[len(call.Name)-1], nil) {
		words := map[string]bool{}
		for _, w := range strings.FieldsFunc(f.Body, func(r rune) bool {
			return !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
		}) {
			words[w] = true
		}
		for _, r := range a.cat.Relations() {
			if words[r.Name.Name] && !out[r.Name] {
				a.table(r.Name, out)
			}
		}
	}
}

// parentsFirst sorts tables so that those that others refer to come before them; a
// cycle is broken where the names come to it first.
func (a *asker) parentsFirst(tables map[catalog.Name]bool) []catalog.Name {
	var out []catalog.Name
	seen := map[catalog.Name]bool{}
	var visit func(r *catalog.Relation)
	visit = func(r *catalog.Relation) {
		if seen[r.Name] {
			return
		}
		seen[r.Name] = true
		for _, k := range r.Constraints {
			if p := a.cat.Relation(k.References.Schema, k.References.Name); k.Kind == catalog.ForeignKey && p != nil {
				visit(p)
			}
		}
		if tables[r.Name] {
			out = append(out, r.Name)
		}
	}
	for _, r := range a.cat.Relations() {
		visit(r)
	}
	return out
}
