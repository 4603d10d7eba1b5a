package predicate

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// plainType is a printed type without modifiers: numeric(10,2) is numeric.
func plainType(t string) string {
	if strings.HasSuffix(t, ".citext") {
		return "citext"
	}
	if i := strings.IndexByte(t, '('); i >= 0 {
		rest := ""
		if j := strings.IndexByte(t[i:], ')'); j >= 0 {
			rest = t[i+j+1:]
		}
		t = strings.TrimSpace(t[:i]) + rest
	}
	if n, ok := typeAliases[t]; ok {
		return n
	}
	return t
}

var typeAliases = map[string]string{
	"int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean",
	"varchar": "character varying", "char": "character", "bpchar": "character", "float8": "double precision",
	"float4": "real", "decimal": "numeric", "timestamptz": "timestamp with time zone",
	"timestamp": "timestamp without time zone", "time": "time without time zone", "timetz": "time with time zone",
	"serial": "integer", "bigserial": "bigint", "smallserial": "smallint", "varbit": "bit varying",
	"serial4": "integer", "serial8": "bigint",
}

// family groups the types whose operators one btree operator family holds; "" is a
// type that we know nothing of.
func family(t string) string {
	switch t {
	case "smallint", "integer", "bigint":
		return "integer"
	case "real", "double precision":
		return "float"
	case "date", "timestamp without time zone", "timestamp with time zone":
		return "datetime"
	case "text", "character varying", "name":
		return "text"
	case "character", "numeric", "uuid", "boolean", "bytea", "interval", "inet", "cidr", "oid", "citext",
		"time without time zone", "time with time zone", "bit", "bit varying", "money", "macaddr":
		return t
	}
	return ""
}

// noOrder are types without a default btree operator class.
var noOrder = set("json", "xml", "point", "box", "circle", "line", "lseg", "path", "polygon", "geometry", "geography", "vector")

// typeName prints a type as written, as format_type would.
func typeName(t pgast.TypeName) string {
	if len(t.Names) == 0 {
		return ""
	}
	n := plainType(t.Names[len(t.Names)-1])
	if len(t.Names) > 1 && t.Names[0] != "pg_catalog" {
		n = t.Names[0] + "." + n
	}
	if t.ArrayDims > 0 {
		n += "[]"
	}
	return n
}

// columnType is a column's type without modifiers, that of its base for a domain.
func (r *resolver) columnType(rel *Rel, column string) string {
	if rel == nil || rel.Relation == nil {
		return ""
	}
	c := rel.Relation.Column(column)
	if c == nil {
		return ""
	}
	if t := r.cat.Type(c.TypeName.Schema, c.TypeName.Name); t != nil && t.Kind == "domain" && t.Base != "" {
		return plainType(t.Base)
	}
	return plainType(c.Type)
}

func (r *resolver) enum(rel *Rel, column string) bool {
	if rel == nil || rel.Relation == nil {
		return false
	}
	c := rel.Relation.Column(column)
	if c == nil {
		return false
	}
	t := r.cat.Type(c.TypeName.Schema, c.TypeName.Name)
	if t == nil && c.TypeName == (catalog.Name{}) {
		t = r.cat.ResolveType("", c.Type, nil)
	}
	return t != nil && t.Kind == "enum"
}

// types are the types of a relation's columns as implication asks for them; every
// enum is "enum".
func (r *resolver) types(rel *Rel) func(column string) string {
	return func(c string) string {
		if r.enum(rel, c) {
			return "enum"
		}
		return r.columnType(rel, c)
	}
}

// typeOf is an expression's type as printed, "" when unknown.
func (r *resolver) typeOf(e pgast.Expr) string {
	switch e := e.(type) {
	case *Var:
		return r.columnType(e.Rel, e.Column)
	case *pgast.Cast:
		return typeName(e.Type)
	case *subquery:
		if e.Kind == pgast.SubScalar && len(e.out) == 1 && !isNil(e.out[0].expr) {
			return r.typeOf(e.out[0].expr)
		}
	case *pgast.Const:
		switch e.Kind {
		case pgast.ConstInt:
			return "integer"
		case pgast.ConstFloat:
			return "numeric"
		case pgast.ConstBool:
			return "boolean"
		}
	case *pgast.ValueFunc:
		switch {
		case strings.HasPrefix(e.Name, "CURRENT_TIMESTAMP"):
			return "timestamp with time zone"
		case strings.HasPrefix(e.Name, "CURRENT_DATE"):
			return "date"
		}
	case *pgast.FuncCall:
		switch n := e.Name[len(e.Name)-1]; n {
		case "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp":
			return "timestamp with time zone"
		case "lower", "upper", "md5", "concat", "btrim", "replace", "current_setting":
			return "text"
		case "to_tsvector":
			return "tsvector"
		default:
			schema := ""
			if len(e.Name) > 1 {
				schema = e.Name[len(e.Name)-2]
			}
			if fs := r.cat.ResolveFunctions(schema, n, r.o.SearchPath); len(fs) == 1 {
				return plainType(fs[0].Returns)
			}
		}
	case *pgast.Op:
		if e.Kind != pgast.OpPlain || isNil(e.Left) {
			return ""
		}
		switch e.Name {
		case "->>", "#>>", "||":
			if e.Name != "||" {
				return "text"
			}
		case "->", "#>":
			return r.typeOf(e.Left)
		case "+", "-", "*", "/":
			l, rt := r.typeOf(e.Left), r.typeOf(e.Right)
			if l == rt || rt == "interval" && family(l) == "datetime" {
				return l
			}
		}
	}
	return ""
}

// relabel takes off casts that change no byte: PostgreSQL's RelabelType, which an
// index on the column serves all the same.
func (r *resolver) relabel(e pgast.Expr) pgast.Expr {
	c, ok := e.(*pgast.Cast)
	if !ok || len(c.Type.Mods) > 0 {
		return e
	}
	inner := r.relabel(c.Arg)
	v, ok := inner.(*Var)
	if !ok || v.Rel == nil {
		return e
	}
	from, to := r.columnType(v.Rel, v.Column), typeName(c.Type)
	if from == "" {
		return e
	}
	if from == to || family(from) == "text" && family(to) == "text" && from != "name" && to != "name" {
		return v
	}
	return e
}

// relabelled is the column that an index's expression is under a cast that changes
// no byte, which the normal form leaves out; "" for other expressions.
func (r *resolver) relabelled(rel *Rel, expr string) string {
	if ref, ok := r.text(expr).(*pgast.ColumnRef); ok && len(ref.Names) == 1 && !ref.Star && r.columnType(rel, ref.Names[0]) != "citext" {
		return ref.Names[0]
	}
	return ""
}

// text parses an expression of the catalog, once; nil when it does not parse.
func (r *resolver) text(s string) pgast.Expr {
	if e, ok := r.exprs[s]; ok {
		return e
	}
	e, err := pgast.ParseExpr(s)
	if err != nil {
		e = nil
	}
	r.exprs[s] = e
	return e
}
