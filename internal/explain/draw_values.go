package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
)

// fits reports whether a column's value is one of a parameter's type: text for
// doc ->> 'k' and a path for doc @? path are not.
func fits(c params.Compared, rel *catalog.Relation, typ string) bool {
	col := rel.Column(c.Columns[0])
	if col == nil {
		return false
	}
	of := strings.TrimSuffix(family(col.QualifiedType()), "[]")
	typ = family(typ)
	if array := strings.HasSuffix(col.QualifiedType(), "[]"); array && c.Op != "member" {
		of += "[]"
	}
	if c.Op == "any" {
		typ = strings.TrimSuffix(typ, "[]")
	}
	switch {
	case typ == "tsquery":
		return of == "tsvector"
	case !bare(c):
		return typ == "text" && of == "text"
	}
	return typ == of || typ == "" || of == ""
}

// family is a kind of types whose values can be read as each other's; "" for types of
// a user, which may be domains.
func family(typ string) string {
	array := ""
	if strings.HasSuffix(typ, "[]") {
		typ, array = strings.TrimSuffix(typ, "[]"), "[]"
	}
	typ, _, _ = strings.Cut(typ, "(")
	switch typ {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "oid":
		return "number" + array
	case "text", "character varying", "character", "name", "citext", "extensions.citext", "public.citext":
		return "text" + array
	case "boolean", "uuid", "json", "jsonb", "jsonpath", "bytea", "interval", "inet", "cidr", "tsvector", "tsquery", "xml", "date":
		return typ + array
	}
	if strings.HasPrefix(typ, "timestamp") {
		return "date" + array
	}
	return array
}

// beyond is a value that no row has, or nil where none can be told: for > one above
// all others, for < one below.
func beyond(c params.Compared, rel *catalog.Relation, s *columnStats) *string {
	col := rel.Column(c.Columns[0])
	if col == nil || c.Op == "member" || c.Op == "@@" || c.Op == "set" {
		return nil
	}
	low := c.Op == "<" || c.Op == "<="
	switch typ := col.QualifiedType(); {
	case typ == "uuid":
		return ptrTo(map[bool]string{false: "ffffffff-ffff-4fff-bfff-ffffffffffff", true: "00000000-0000-0000-0000-000000000000"}[low])
	case typ == "text" || strings.HasPrefix(typ, "character varying"):
		return ptrTo("planvet")
	case slices.Contains([]string{"smallint", "integer", "bigint", "numeric", "real", "double precision"}, strings.SplitN(typ, "(", 2)[0]):
		return outside(typ, low, slices.Concat(s.common, s.bounds))
	case typ == "date" || strings.HasPrefix(typ, "timestamp"):
		return ptrTo(map[bool]string{false: "9999-01-01", true: "0001-01-01"}[low])
	}
	return nil
}

// unique reports whether a column alone is a key.
func unique(rel *catalog.Relation, column string) bool {
	return slices.ContainsFunc(rel.Indexes, func(x *catalog.Index) bool {
		return x.Unique && len(x.Keys) == 1 && x.Keys[0].Column == column
	})
}

// outside is a number beyond all that are known.
func outside(typ string, low bool, values []string) *string {
	least, most := 0.0, 0.0
	for i, v := range values {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil
		}
		if i == 0 || f < least {
			least = f
		}
		if i == 0 || f > most {
			most = f
		}
	}
	away := (most-least)/10 + 1000
	limit := map[string]float64{"smallint": 1<<15 - 1, "integer": 1<<31 - 1, "bigint": 1 << 62}[typ]
	v := most + away
	if low {
		v = least - away
	}
	if limit > 0 {
		v = max(min(v, limit), -limit)
	}
	return ptrTo(strconv.FormatFloat(float64(int64(v)), 'f', -1, 64))
}
