package migrationscan

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// column finds a column of this level or of one around it.
func (a *asker) column(c *pgast.ColumnRef) any {
	if c.Star || len(c.Names) == 0 {
		return unknown{}
	}
	name := c.Names[len(c.Names)-1]
	for l := a; l != nil; l = l.outer {
		for _, b := range l.rows {
			if len(c.Names) > 1 && c.Names[len(c.Names)-2] != b.alias {
				continue
			}
			if b.row == nil {
				if len(c.Names) > 1 {
					return unknown{}
				}
				continue
			}
			if v, ok := b.row(name); ok {
				return v
			}
		}
	}
	return a.variable(strings.Join(c.Names, "."))
}

// variable is the value of a plpgsql variable.
func (a *asker) variable(name string) any {
	if v, ok := a.vars[name]; ok {
		return v
	}
	if a.block == nil {
		return unknown{}
	}
	return a.block.assigned(name, a.at, a.vars)
}

// relationID is what 'text'::regclass means, "" where nothing has that name.
func (r *replayer) relationID(text string) string {
	e, err := pgast.ParseExpr(strings.TrimSpace(text))
	c, ok := e.(*pgast.ColumnRef)
	if err != nil || !ok || len(c.Names) == 0 || len(c.Names) > 2 {
		return ""
	}
	n := pgast.Name{Name: c.Names[len(c.Names)-1]}
	if len(c.Names) == 2 {
		n.Schema = c.Names[0]
	}
	if rel := r.resolve(n); rel != nil && !rel.Stub {
		return rel.Name.String()
	}
	if k := r.indexKey(n); r.indexes[k] != nil {
		return k.String()
	}
	if k, ok := r.findSequence(n); ok {
		return k.String()
	}
	return ""
}

// typeID is what 'text'::regtype means.
func (r *replayer) typeID(text string) string {
	schema, name, ok := strings.Cut(text, ".")
	if !ok {
		schema, name = "", text
	}
	if t := r.cat.ResolveType(schema, strings.Trim(name, `"`), r.lookupPath()); t != nil {
		return t.Name.String()
	}
	if rel := r.cat.Resolve(schema, name, r.lookupPath()); rel != nil {
		return catalog.Name{Schema: rel.Schema, Name: rel.Name.Name}.String()
	}
	return ""
}
