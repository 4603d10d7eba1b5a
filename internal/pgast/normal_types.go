package pgast

import (
	"strings"
)

// cast drops a cast that is the server's or no one's business.
func (n *normalizer) cast(v *Cast, operand bool) Expr {
	typ := n.typeName(v.Type)
	if k, ok := v.Arg.(*Const); ok {
		return n.literal(k, typeKey(typ))
	}
	arg := n.expr(v.Arg, false)
	switch x := arg.(type) {
	case *Const: // a cast of a cast of a literal
		return n.literal(x, typeKey(typ))
	case *Array:
		if len(x.Elems) > 0 {
			return x
		}
	case *Row:
		return x
	}
	have, want := n.typeOf(v.Arg), typeKey(typ)
	switch {
	case have == want && have != "" && len(typ.Mods) == 0:
		return arg
	case relabels(have, want) && len(typ.Mods) == 0:
		return arg
	case operand && widens(have, want) && len(typ.Mods) == 0:
		return arg
	}
	return &Cast{Arg: arg, Type: typ}
}

// typeName qualifies a type; dimensions beyond the first mean nothing to the server.
func (n *normalizer) typeName(t TypeName) TypeName {
	q := qualified(t.Names)
	if q.Schema == "pg_catalog" {
		q.Schema = ""
	} else if n.env != nil {
		if schema, ok := n.env.Type(q.Schema, q.Name); ok {
			q.Schema = schema
		}
	}
	out := TypeName{Names: parts(q), Mods: t.Mods, ArrayDims: min(t.ArrayDims, 1), SetOf: t.SetOf}
	// Written with pg_catalog, the standard's words come back when it is formatted.
	if q.Schema == "" || q.Schema == "pg_catalog" {
		if typeWords[q.Name] != "" || q.Name == "timestamptz" || q.Name == "timetz" {
			out.Names = []string{"pg_catalog", q.Name}
		}
	}
	return out
}

// typeKey names a type without modifiers: int4, text, _uuid, public.role.
func typeKey(t TypeName) string {
	name := strings.TrimPrefix(strings.Join(t.Names, "."), "pg_catalog.")
	if t.ArrayDims > 0 {
		return "_" + name
	}
	return name
}

// relabels reports whether the server puts this cast in by itself without doing
// anything at run time.
func relabels(have, want string) bool {
	bare := have[strings.LastIndexByte(have, '.')+1:]
	switch want {
	case "text":
		return bare == "varchar" || bare == "citext"
	case "_text":
		return bare == "_varchar"
	case "varchar":
		return bare == "text"
	}
	return false
}

// widths orders the types of a family; a server adds casts from lower to higher.
var widths = map[string]int{"int2": 1, "int4": 2, "int8": 3, "numeric": 4, "float4": 5, "float8": 6,
	"date": 11, "timestamp": 12, "timestamptz": 13, "bpchar": 21, "varchar": 22, "text": 23, "name": 22, "json": 31, "inet": 42, "cidr": 41}

// widens reports whether the server casts have to want implicitly.
func widens(have, want string) bool {
	h, w := widths[have], widths[want]
	return h > 0 && w > h && h/10 == w/10
}

// resultTypes are the results of functions that policies and defaults call.
var resultTypes = map[string]string{"lower": "text", "upper": "text", "btrim": "text", "ltrim": "text", "rtrim": "text",
	"current_setting": "text", "md5": "text", "concat": "text", "concat_ws": "text", "replace": "text", "split_part": "text",
	"substring": "text", "substr": "text", "left": "text", "right": "text", "regexp_replace": "text", "format": "text", "to_char": "text",
	"encode": "text", "initcap": "text", "jsonb_extract_path_text": "text", "json_extract_path_text": "text", "repeat": "text",
	"length": "int4", "char_length": "int4", "array_length": "int4", "cardinality": "int4", "jsonb_array_length": "int4",
	"count": "int8", "now": "timestamptz", "clock_timestamp": "timestamptz", "to_timestamp": "timestamptz", "gen_random_uuid": "uuid",
	"extract": "numeric", "date_part": "float8", "to_tsvector": "tsvector", "jsonb_typeof": "text", "json_typeof": "text", "coalesce": "",
	"random": "float8", "jsonb_build_object": "jsonb", "to_jsonb": "jsonb", "array_to_string": "text", "string_agg": "text",
	"auth.uid": "uuid", "auth.jwt": "jsonb", "auth.role": "text", "auth.email": "text", "storage.foldername": "_text",
	"storage.filename": "text", "storage.extension": "text"}

// typeOf is the type of an expression as typeKey names it, "" when unknown.
func (n *normalizer) typeOf(e Expr) string {
	switch v := e.(type) {
	case *ColumnRef:
		return n.columnType(v)
	case *Cast:
		return typeKey(n.typeName(v.Type))
	case *FuncCall:
		if last(v.Name) == "timezone" && len(v.Args) == 2 {
			return map[string]string{"timestamptz": "timestamp", "timestamp": "timestamptz"}[n.typeOf(v.Args[1])]
		}
		return n.resultType(n.function(v.Name))
	case *Op:
		if v.Kind != OpPlain {
			return "bool"
		}
		return n.opType(v)
	case *Bool, *NullTest, *BoolTest:
		return "bool"
	case *ValueFunc:
		switch {
		case strings.HasPrefix(v.Name, "CURRENT_TIMESTAMP"):
			return "timestamptz"
		case v.Name == "CURRENT_DATE":
			return "date"
		case strings.HasPrefix(v.Name, "LOCALTIMESTAMP"):
			return "timestamp"
		case strings.HasSuffix(v.Name, "USER"), strings.HasSuffix(v.Name, "ROLE"), v.Name == "CURRENT_SCHEMA", v.Name == "CURRENT_CATALOG":
			return "name"
		}
	case *Coalesce:
		for _, a := range v.Args {
			if t := n.typeOf(a); t != "" {
				return t
			}
		}
	case *Subscript:
		if t := n.typeOf(v.Arg); strings.HasPrefix(t, "_") && v.Field == "" && !v.Slice {
			return t[1:]
		}
	case *SubLink:
		if s, ok := v.Query.(*Select); ok && v.Kind == SubScalar && len(s.Targets) == 1 && s.From == nil {
			return n.typeOf(s.Targets[0].Expr)
		}
	}
	return ""
}

func (n *normalizer) opType(v *Op) string {
	switch v.Name {
	case "->>", "#>>":
		return "text"
	case "=", "<>", "<", ">", "<=", ">=", "@>", "<@", "&&", "@@", "~", "~*", "!~", "?", "?|", "?&":
		return "bool"
	case "->", "#>":
		if v.Left != nil {
			return n.typeOf(v.Left)
		}
	case "||":
		for _, x := range []Expr{v.Left, v.Right} {
			if x == nil {
				continue
			}
			if t := n.typeOf(x); t == "text" || t == "varchar" {
				return "text"
			}
		}
	}
	return ""
}

func (n *normalizer) resultType(name []string) string {
	if t, ok := n.env.(FuncTyper); ok {
		q := qualified(name)
		if s := t.FunctionType(q.Schema, q.Name); s != "" {
			return n.typeText(s)
		}
	}
	return resultTypes[strings.Join(name, ".")]
}

// typeText turns format_type's text into typeKey's.
func (n *normalizer) typeText(s string) string {
	if s == "" {
		return ""
	}
	e, err := ParseExpr("NULL::" + strings.TrimPrefix(s, "SETOF "))
	c, ok := e.(*Cast)
	if err != nil || !ok {
		return ""
	}
	return typeKey(n.typeName(c.Type))
}
