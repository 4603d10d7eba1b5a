package predicate

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// normal is the normal form of an expression on one relation.
func (r *resolver) normal(e pgast.Expr, rel *Rel) string {
	if rel == nil || rel.Relation == nil {
		return pgast.Format(unbind(e))
	}
	return pgast.Normal(unbind(e), env{r.cat, r.o.SearchPath}, pgast.Name{Schema: rel.Relation.Schema, Name: rel.Relation.Name.Name})
}

// env answers pgast.Normal's questions from the catalog.
type env struct {
	cat  *catalog.Catalog
	path []string
}

func (e env) Relation(schema, name string) (string, bool) {
	if r := e.cat.Resolve(schema, name, e.path); r != nil {
		return r.Schema, true
	}
	return "", false
}

func (e env) Function(schema, name string) (string, bool) {
	if fs := e.cat.ResolveFunctions(schema, name, e.path); len(fs) > 0 {
		return fs[0].Schema, true
	}
	return "", false
}

func (e env) Type(schema, name string) (string, bool) {
	if t := e.cat.ResolveType(schema, name, e.path); t != nil {
		return t.Schema, true
	}
	return "", false
}

func (e env) ColumnType(schema, rel, col string) string {
	if r := e.cat.Relation(schema, rel); r != nil {
		if c := r.Column(col); c != nil {
			return c.Type
		}
	}
	return ""
}
