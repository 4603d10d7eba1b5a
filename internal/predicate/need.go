package predicate

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// Needs are what would close a relation's gap: one index, or one for each unserved
// arm of an OR.
func (rel *Rel) Needs(id int) []Need {
	if rel.Gap == nil {
		return nil
	}
	first := rel.Gap.Conjuncts[0]
	if first.Or != nil {
		var out []Need
		for _, arm := range first.Or {
			if rel.Block.armIndex(rel, arm, func(c *Conjunct) bool { return c.known() }) == nil {
				out = append(out, rel.need(id, arm, false))
			}
		}
		return out
	}
	return []Need{rel.need(id, rel.Gap.Conjuncts, true)}
}

func (rel *Rel) need(id int, cs []Conjunct, whole bool) Need {
	n := Need{Relation: rel.Relation, ID: id}
	var opt []Conjunct
	for _, c := range cs {
		if c.Or != nil || c.Selects == No || !c.fixable() || c.casts != "" || c.mutable != "" || c.castColumn() {
			continue
		}
		opt = append(opt, c)
	}
	for _, c := range opt {
		if m, class := special(&c); m != "" && n.Equality == nil && n.Range == nil {
			n.Method = m
			n.Equality = []Key{{c.Column, c.KeyExpr, class}}
			return n
		}
	}
	for _, c := range opt {
		k := Key{c.Column, c.KeyExpr, ""}
		if c.collation != "" && c.collation != ownCollation(rel, c.Column) {
			k.OpClass = `collate "` + c.collation + `"`
		}
		switch {
		case c.Op == "=" || c.Pattern == ExactPattern:
			if c.FromPolicy {
				n.Policy = append(n.Policy, k)
			} else if !slices.Contains(n.Equality, k) {
				n.Equality = append(n.Equality, k)
			}
		case c.Op == "~~" || c.Op == "~":
			switch c.typ {
			case "bytea":
			case "character varying":
				k.OpClass = "varchar_pattern_ops"
			default:
				k.OpClass = "text_pattern_ops"
			}
			n.Range = append(n.Range, k)
		case len(n.Range) == 0 && ranges(c.Op):
			for _, col := range c.Row {
				n.Sort = append(n.Sort, SortKey{Key: Key{Column: col}})
			}
			if len(c.Row) == 0 {
				n.Range = append(n.Range, k)
			}
		}
	}
	// Under row level security the columns that policies compare lead.
	for i := range rel.Conjuncts {
		c := &rel.Conjuncts[i]
		if k := (Key{c.Column, c.KeyExpr, ""}); c.FromPolicy && c.Op == "=" && c.Sargable && len(c.needs) == 0 && c.Selects > No &&
			!slices.Contains(n.Policy, k) {
			n.Policy = append(n.Policy, k)
			n.Equality = slices.DeleteFunc(n.Equality, func(x Key) bool { return x == k })
		}
	}
	if whole && len(n.Sort) == 0 && rel.Block.Limit && !rel.Block.MinMax && rel.Block.sortRel() == rel {
		n.Sort = rel.Block.sortKeys(rel, n)
		if len(n.Sort) > 0 {
			n.Range = nil
		}
	}
	return n
}

// sortKeys are the keys of the block's order that equalities do not fix.
func (b *Block) sortKeys(rel *Rel, n Need) []SortKey {
	var out []SortKey
	for _, o := range b.OrderBy {
		k := Key{o.Column, o.KeyExpr, ""}
		if slices.Contains(n.Equality, k) || slices.Contains(n.Policy, k) {
			continue
		}
		out = append(out, SortKey{Key: k, Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return forwards(out)
}

// forwards turns an order that is descending throughout around: the index is read
// backwards, and serves the other direction as well.
func forwards(ks []SortKey) []SortKey {
	for _, k := range ks {
		if !k.Desc || !k.NullsFirst {
			return ks
		}
	}
	for i := range ks {
		ks[i].Desc, ks[i].NullsFirst = false, false
	}
	return ks
}

// Need is the index that would give an order that is missing.
func (g *OrderGap) Need(id int) Need {
	n := Need{Relation: g.Rel.Relation, ID: id}
	for i := range g.Rel.Conjuncts {
		c := &g.Rel.Conjuncts[i]
		if c.Op == "=" && !c.Array && c.Sargable && len(c.needs) == 0 && c.Or == nil && !c.Optional {
			n.Equality = append(n.Equality, Key{c.Column, c.KeyExpr, ""})
		}
	}
	n.Sort = g.Rel.Block.sortKeys(g.Rel, n)
	if g.Rel.Block.MinMax {
		for i := range n.Sort {
			n.Sort[i].Desc, n.Sort[i].NullsFirst = false, false
		}
	}
	return n
}

// special is the method and operator class for operators that btree does not know.
func special(c *Conjunct) (method, class string) {
	switch c.Op {
	case "@>", "@@", "@?", "?", "?|", "?&", "&&", "<@":
		switch {
		case c.typ == "jsonb" && (c.Op == "@>" || c.Op == "@?" || c.Op == "@@"):
			return "gin", "jsonb_path_ops"
		case c.typ == "jsonb", c.typ == "tsvector", len(c.typ) > 2 && c.typ[len(c.typ)-2:] == "[]":
			return "gin", ""
		}
		return "gist", ""
	case "~~*", "~*", "%":
		return "gin", "gin_trgm_ops"
	case "~~", "~":
		if c.typ != "bytea" && (c.Pattern == InfixPattern || c.Pattern == UnknownPattern) {
			return "gin", "gin_trgm_ops"
		}
	}
	return "", ""
}

// Extension is the extension that the suggestion needs and the catalog lacks, ""
// for none.
func (s Suggestion) Extension(cat *catalog.Catalog) string {
	for _, k := range []struct{ class, ext string }{{"gin_trgm_ops", "pg_trgm"}} {
		if _, ok := cat.Extensions[k.ext]; !ok && strings.Contains(s.DDL, k.class) {
			return k.ext
		}
	}
	return ""
}

// ForeignKey analyses the statement that PostgreSQL runs on a child table when a
// row of the parent goes: every column of the key compared with a value.
func ForeignKey(cat *catalog.Catalog, child *catalog.Relation, columns []string, sizes catalog.Sizes) *Rel {
	t := &pgast.Table{At: -1, Schema: child.Schema, Name: child.Name.Name}
	where := &pgast.Bool{At: -1, Kind: pgast.And}
	for i, c := range columns {
		where.Args = append(where.Args, &pgast.Op{
			At: -1, Name: "=", Left: &pgast.ColumnRef{At: -1, Names: []string{c}}, Right: &pgast.Param{At: -1, Number: i + 1},
		})
	}
	an := Analyze(cat, &pgast.Select{At: -1, From: []pgast.FromItem{t}, Where: where}, Options{Sizes: sizes})
	for _, b := range an.Blocks {
		for _, rel := range b.Rels {
			return rel
		}
	}
	return nil
}
