package live

import (
	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
)

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// names answers pgast's questions from a catalog read with an empty search_path:
// a name without a schema is the system's, never one of the catalog's.
type names struct{ c *catalog.Catalog }

func (n names) Relation(schema, name string) (string, bool) {
	return schema, schema != "" && n.c.Relation(schema, name) != nil
}

func (n names) Function(schema, name string) (string, bool) {
	return schema, schema != "" && len(n.c.Functions(schema, name)) > 0
}

func (n names) Type(schema, name string) (string, bool) {
	return schema, schema != "" && n.c.Type(schema, name) != nil
}

func (n names) ColumnType(relSchema, rel, col string) string {
	if r := n.c.Relation(relSchema, rel); r != nil {
		if c := r.Column(col); c != nil {
			return c.QualifiedType()
		}
	}
	return ""
}

// FunctionType is the result of a function whose overloads agree.
func (n names) FunctionType(schema, name string) string {
	t := ""
	for i, f := range n.c.Functions(schema, name) {
		if i > 0 && f.Returns != t {
			return ""
		}
		t = f.Returns
	}
	if n.c.Type("public", t) != nil {
		return "public." + t
	}
	return t
}

// DomainBase is the type under a domain.
func (n names) DomainBase(schema, name string) string {
	if t := n.c.Type(schema, name); t != nil && t.Kind == "domain" {
		return t.Base
	}
	return ""
}
