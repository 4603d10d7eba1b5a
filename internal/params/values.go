package params

import (
	"strings"

	"github.com/planvet/planvet/catalog"
)

// Shape makes a parameter's value, of a type as format_type prints it, out of a value
// of the column that it is compared with.
func (c Compared) Shape(v, typ string) string {
	switch {
	case c.Op == "like" && c.Prefix:
		return Beginning(v)
	case c.Op == "like" && c.Infix:
		return Middle(v)
	case c.Op == "like":
		return "%" + Middle(v) + "%"
	case c.Op == "any":
		return ArrayOf(v)
	case c.Op == "member":
		if v = strings.Trim(v, "{}"); v != "" {
			v, _, _ = strings.Cut(v, ",")
			return strings.Trim(v, `"`)
		}
	case typ == "tsquery" || c.Op == "@@":
		word, _, _ := strings.Cut(v, ":")
		return word
	}
	return v
}

// Beginning is the beginning of a text as somebody would search for it.
func Beginning(v string) string {
	r := []rune(v)
	return noPattern.Replace(string(r[:min(len(r), 6)]))
}

var noPattern = strings.NewReplacer("%", "", "_", "", `\`, "")

// Middle is a piece of a text as somebody would search for it.
func Middle(v string) string {
	r := []rune(v)
	if len(r) > 9 {
		r = r[2:8]
	}
	return noPattern.Replace(string(r))
}

// ArrayOf is an array's text.
func ArrayOf(values ...string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// Guess is a value of a type where nothing better is known, an enum's or a domain's
// of the catalog too.
func Guess(cat *catalog.Catalog, typ string) string {
	for _, t := range cat.Types() {
		if t.Name.Name != typ && t.Name.String() != typ {
			continue
		}
		switch {
		case t.Kind == "enum" && len(t.Labels) > 0:
			return t.Labels[0]
		case t.Kind == "domain":
			return Plain(t.Base)
		}
	}
	return Plain(typ)
}

// Plain is a value of a built-in type; "x" for others.
func Plain(typ string) string {
	switch {
	case strings.HasSuffix(typ, "[]"):
		return "{}"
	case strings.HasPrefix(typ, "timestamp"), typ == "date":
		return "2025-01-01"
	}
	switch typ {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "oid":
		return "1"
	case "boolean":
		return "true"
	case "uuid":
		return "00000000-0000-4000-8000-000000000001"
	case "json", "jsonb":
		return "{}"
	case "interval":
		return "1 day"
	case "time without time zone", "time with time zone":
		return "12:00"
	case "inet", "cidr":
		return "10.0.0.1"
	case "bytea":
		return `\x00`
	case "tsquery":
		return "common"
	case "jsonpath":
		return "$"
	case "regconfig":
		return "simple"
	case "xml":
		return "<x/>"
	case "point":
		return "(0,0)"
	case "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange":
		return "empty"
	case "money", "bit", "bit varying", "\"char\"":
		return "1"
	}
	return "x"
}

// TypeName is format_type's name for the grammar's.
func TypeName(t string) string {
	switch t {
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	case "int2":
		return "smallint"
	case "bool":
		return "boolean"
	case "float8":
		return "double precision"
	case "float4":
		return "real"
	}
	return t
}
