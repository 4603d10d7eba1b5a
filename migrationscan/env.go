package migrationscan

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// Env answers pgast's questions about names from a catalog. A nil searchPath means
// the catalog's own.
func Env(c *catalog.Catalog, searchPath []string) pgast.Env { return env{c, searchPath} }

type env struct {
	c    *catalog.Catalog
	path []string
}

func (e env) Relation(schema, name string) (string, bool) {
	if r := e.c.Resolve(schema, name, e.path); r != nil {
		return r.Schema, true
	}
	return "", false
}

func (e env) Function(schema, name string) (string, bool) {
	if fs := e.c.ResolveFunctions(schema, name, e.path); len(fs) > 0 {
		return fs[0].Schema, true
	}
	return "", false
}

func (e env) Type(schema, name string) (string, bool) {
	if t := e.c.ResolveType(schema, name, e.path); t != nil {
		return t.Schema, true
	}
	return "", false
}

func (e env) ColumnType(relSchema, rel, col string) string {
	if r := e.c.Relation(relSchema, rel); r != nil {
		if c := r.Column(col); c != nil {
			return c.QualifiedType()
		}
	}
	return ""
}

// FunctionType is the result of a function whose overloads agree.
func (e env) FunctionType(schema, name string) string {
	t := ""
	for i, f := range e.c.ResolveFunctions(schema, name, e.path) {
		if i > 0 && f.Returns != t {
			return ""
		}
		t = f.Returns
	}
	if u := e.c.ResolveType("", t, []string{"public"}); u != nil {
		return "public." + t
	}
	return t
}

// DomainBase is the type under a domain.
func (e env) DomainBase(schema, name string) string {
	if t := e.c.ResolveType(schema, name, e.path); t != nil && t.Kind == "domain" {
		return t.Base
	}
	return ""
}

// Columns lists a relation's columns.
func (e env) Columns(schema, rel string) []string {
	r := e.c.Resolve(schema, rel, e.path)
	if r == nil {
		return nil
	}
	var out []string
	for _, c := range r.Columns {
		out = append(out, c.Name)
	}
	return out
}
