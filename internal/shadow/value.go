package shadow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// valuer writes the expressions for one column: the best guess first, then what
// may satisfy a constraint that the guess breaks. Keys and free texts have many
// values, statuses and the like few and skewed ones, times are spread over the
// last two years in the order of the rows.
type valuer struct {
	cat *catalog.Catalog
	rel *catalog.Relation
	col *catalog.Column
	// n is how many rows the table is to have; ordinal is the column's position.
	n       int64
	ordinal int
	seed    int64
	// distinct is set for columns of unique keys.
	distinct bool
	facts    facts
}

// fewValued are names of columns that hold one of few values.
var fewValued = regexp.MustCompile(`(^|_)(status|state|type|kind|role|category|level|currency|country|lang|language|locale|plan|tier|method|gender|color|priority|mode|format|provider|source|channel|stage|phase|scope|unit|platform)$`)

func (v *valuer) expressions() []string {
	out := v.typed(v.col.Type, v.col.TypeName)
	if len(v.facts.list) > 0 {
		out = append([]string{pick(v.facts.list, v.seed)}, constants(v.facts.list)...)
	}
	if v.col.NotNull {
		return out
	}
	// What is rarely set comes as NULL mostly.
	if name := strings.ToLower(v.col.Name); strings.HasPrefix(name, "deleted") || strings.HasPrefix(name, "archived") || strings.HasPrefix(name, "revoked") {
		out[0] = fmt.Sprintf("case when %s < 0.05 then %s end", uniform("{i}", v.seed+1), out[0])
	}
	return slices.Insert(out, 1, "null")
}

// typed are the expressions for a type as format_type prints it.
func (v *valuer) typed(typ string, name catalog.Name) []string {
	if elem, ok := strings.CutSuffix(typ, "[]"); ok {
		return v.arrays(elem)
	}
	if t := v.cat.Type(name.Schema, name.Name); t != nil {
		switch t.Kind {
		case "enum":
			return append([]string{pick(t.Labels, v.seed)}, constants(t.Labels)...)
		case "domain":
			return v.typed(t.Base, catalog.Name{})
		case "composite":
			return []string{"'(" + strings.Repeat(",", max(len(t.Columns)-1, 0)) + ")'", "null"}
		}
	}
	base, mods := typ, ""
	if open := strings.IndexByte(typ, '('); open >= 0 {
		end := strings.IndexByte(typ, ')')
		if end > open {
			base, mods = strings.TrimSpace(typ[:open]+typ[end+1:]), typ[open+1:end]
		}
	}
	switch base {
	case "smallint", "integer", "bigint", "oid":
		return v.integers(base)
	case "numeric", "real", "double precision", "money":
		return v.numbers(base, mods)
	case "text", "character varying", "character", "citext", "name", `"char"`, "bpchar":
		return v.texts(mods)
	case "boolean":
		return []string{uniform("{i}", v.seed) + " < 0.1", "true", "false"}
	case "uuid":
		return []string{"(" + digits(v.key(), v.seed) + " || " + digits(v.key(), v.seed+1) + ")::uuid"}
	case "date", "timestamp without time zone", "timestamp with time zone":
		return []string{v.moment(), "now()", "now() + interval '1 year'"}
	case "time without time zone", "time with time zone":
		return []string{"time '00:00' + interval '1 second' * ({i} % 86400)"}
	case "interval":
		return []string{"interval '1 minute' * (1 + {i} % 1000)"}
	}
	return v.others(base)
}

// key numbers the value: the row for a key, one of a tenth as many, skewed, for
// what looks like a reference.
func (v *valuer) key() string {
	if v.distinct || v.n < fanOut || !strings.HasSuffix(strings.ToLower(v.col.Name), "id") {
		return "{i}"
	}
	return zipf("{i}", v.seed, max(v.n/fanOut, 10))
}

func (v *valuer) integers(base string) []string {
	limit := ""
	if base == "smallint" {
		limit = " % 32000"
	}
	alternatives := []string{"1", "0", "50", "{i}" + limit, "-1"}
	name := strings.ToLower(v.col.Name)
	switch {
	case v.facts.low != nil || v.facts.high != nil:
		low, high := v.facts.wholes(0, between)
		span := max(high-low+1, 1)
		spread := fmt.Sprintf("%d + (hashint8extended({i}, %d) & 9223372036854775807) %% %d", low, v.seed, span)
		if v.distinct {
			if v.facts.high == nil {
				span = max(span, v.n)
			}
			spread = fmt.Sprintf("%d + {i} %% %d", low, span)
		}
		return append([]string{spread}, alternatives...)
	case v.distinct:
		return append([]string{"{i}" + limit}, alternatives...)
	case strings.HasSuffix(name, "id"):
		return append([]string{v.key() + limit}, alternatives...)
	case fewValued.MatchString(name):
		return append([]string{zipf("{i}", v.seed, 5)}, alternatives...)
	}
	return append([]string{fmt.Sprintf("(hashint8extended({i}, %d) & 9223372036854775807) %% 10000", v.seed)}, alternatives...)
}

func (v *valuer) numbers(base, mods string) []string {
	top := 10000.0
	var precision, scale int
	if k, _ := fmt.Sscanf(mods, "%d,%d", &precision, &scale); k > 0 {
		top = 1
		for range min(precision-scale, 4) {
			top *= 10
		}
		top *= 0.99
	}
	low, high := v.facts.bounds(0, top)
	if edge := (high - low) / 100; v.facts.lowOpen || v.facts.highOpen {
		low, high = low+edge, high-edge
	}
	cast := ""
	if base == "money" {
		cast = "::numeric"
	}
	spread := fmt.Sprintf("(%g + %s * (%g))%s", low, uniform("{i}", v.seed), high-low, cast)
	if base == "numeric" {
		digits := 2
		if high-low < 2 {
			digits = 6
		}
		if k, _ := fmt.Sscanf(mods, "%d,%d", &precision, &scale); k == 2 {
			digits = scale
		}
		spread = fmt.Sprintf("trunc((%s)::numeric, %d)", spread, digits)
	}
	return []string{spread, "1", "0", "0.5", "50"}
}

func (v *valuer) texts(mods string) []string {
	length := 16
	if k := 0; mods != "" {
		if _, err := fmt.Sscanf(mods, "%d", &k); err == nil {
			length = min(length, k)
		}
	}
	if v.facts.maxLength > 0 {
		length = min(length, v.facts.maxLength)
	}
	length = max(length, v.facts.minLength)
	name := strings.ToLower(v.col.Name)
	var hash []string
	for l := 0; l < length; l += 16 {
		hash = append(hash, digits(v.key(), v.seed+int64(l)))
	}
	free := strings.Join(hash, " || ")
	switch {
	case v.facts.minLength == 0 && length == 16:
		free = fmt.Sprintf("to_hex(hashint8extended(%s, %d))", v.key(), v.seed)
	case length%16 != 0:
		free = fmt.Sprintf("left(%s, %d)", free, length)
	}
	if v.distinct && length < 9 {
		free = fmt.Sprintf("lpad(to_hex({i}), %d, '0')", length)
	}
	alternatives := []string{
		"'user' || {i} || '@example.com'", "'a' || {i}", "lpad(({i} % 1000000)::text, " + fmt.Sprint(max(length, 1)) + ", '1')",
		"'+1555' || lpad(({i} % 10000000)::text, 7, '0')", fmt.Sprintf("'#' || substr(md5({i}::text || '%d'), 1, 6)", v.seed),
		fmt.Sprintf("upper(substr(md5({i}::text || '%d'), 1, %d))", v.seed, length), "'https://example.com/' || {i}",
		"'US'", "'USD'", "'en'", "'1.0.' || {i}", fmt.Sprintf("md5({i}::text || '%d')::uuid::text", v.seed), "'2024-01-01'",
		"encode(sha256({i}::text::bytea), 'hex')", "'A'", "''",
	}
	switch {
	case !v.distinct && fewValued.MatchString(name) && length >= 4:
		free = fmt.Sprintf("'%s' || %s", strings.ReplaceAll(name[:min(len(name), length-1)], "'", ""), zipf("{i}", v.seed, 5))
	case strings.HasSuffix(name, "email") && length >= 16:
		free, alternatives[0] = alternatives[0], free
	}
	return append([]string{free}, alternatives...)
}

// time is spread over two years up to today in the order of the rows; a later
// column is later in each row, as ends are after starts.
func (v *valuer) time() string {
	n := max(v.n, 1)
	return fmt.Sprintf("date_trunc('day', now()) - interval '730 days' + interval '730 days' * (({i} %% %d) / %d.0::float8) + interval '1 hour' * %d", n, n, v.ordinal)
}

func (v *valuer) arrays(elem string) []string {
	if t := v.cat.Type(v.col.TypeName.Schema, v.col.TypeName.Name); t != nil && t.Kind == "composite" {
		return []string{"'{}'"}
	}
	w := *v
	w.distinct = false
	e := w.typed(elem, v.col.TypeName)[0] // the name is the element's
	if elem == "text" || strings.HasPrefix(elem, "character varying") {
		e = fmt.Sprintf("'tag' || (hashint8extended({i}, %d) & 255)", v.seed)
	}
	second := strings.ReplaceAll(e, "{i}", "({i} + 1)")
	return []string{fmt.Sprintf("array[(%s)::%s, (%s)::%s]", e, elem, second, elem), "'{}'"}
}

func (v *valuer) others(base string) []string {
	switch base {
	case "json", "jsonb":
		kinds := map[string]string{"array": `'["a"]'`, "string": `'"a"'`, "number": "'1'", "boolean": "'true'"}
		members := ""
		for _, key := range slices.Sorted(maps.Keys(v.facts.members)) {
			value := kinds[v.facts.members[key]]
			if value == "" {
				value = `'{"a": "a"}'`
			}
			members += ", " + literal(key) + ", " + value + "::jsonb"
		}
		object := fmt.Sprintf("jsonb_build_object('k', 'v' || (hashint8extended({i}, %d) & 1023), 'n', {i}%s)", v.seed, members)
		out := []string{object + "::text", "'{}'", `'["a"]'`, "'[]'", `'"a"'`, "'1'"}
		if k := kinds[v.facts.jsonType]; k != "" {
			out = slices.Insert(out, 0, k)
		}
		return out
	case "bytea":
		return []string{fmt.Sprintf("decode(md5({i}::text || ':%d'), 'hex')", v.seed), "sha256({i}::text::bytea)"}
	case "inet", "cidr":
		return []string{"(inet '10.0.0.0' + ({i} % 16000000))"}
	case "macaddr":
		return []string{"'08:00:2b:' || substr(md5({i}::text), 1, 2) || ':' || substr(md5({i}::text), 3, 2) || ':' || substr(md5({i}::text), 5, 2)"}
	case "tstzrange":
		return []string{"tstzrange((" + v.time() + ")::timestamptz, (" + v.time() + ")::timestamptz + interval '1 minute')"}
	case "tsrange":
		return []string{"tsrange((" + v.time() + ")::timestamp, (" + v.time() + ")::timestamp + interval '1 minute')"}
	case "daterange":
		return []string{"daterange((" + v.time() + ")::date, (" + v.time() + ")::date + 1)"}
	case "int4range":
		return []string{"int4range({i}::int * 10, {i}::int * 10 + 5)"}
	case "int8range":
		return []string{"int8range({i} * 10, {i} * 10 + 5)"}
	case "numrange":
		return []string{"numrange({i} * 10, {i} * 10 + 5)"}
	case "tsvector":
		return []string{fmt.Sprintf("array_to_tsvector(array['word' || (hashint8extended({i}, %d) & 4095), 'common'])", v.seed)}
	case "point":
		return []string{fmt.Sprintf("point(%s * 100, %s * 100)", uniform("{i}", v.seed), uniform("{i}", v.seed+1))}
	case "bit", "bit varying":
		return []string{"'1'"}
	case "hstore", "public.hstore", "extensions.hstore":
		return []string{"'k => ' || {i}"}
	case "pg_lsn":
		return []string{"'0/' || to_hex({i})"}
	case "ltree", "public.ltree", "extensions.ltree":
		return []string{"'a.b' || {i}"}
	case "xml":
		return []string{"'<a/>'"}
	}
	// A type that planvet does not know: one that stores text takes a number.
	return []string{"'x' || {i}", "'1'", "''"}
}

// digits are 16 hexadecimal digits that depend on a number and the seed. They cost
// a tenth of what md5 does, and rows are made by the million.
func digits(i string, seed int64) string {
	return fmt.Sprintf("lpad(to_hex(hashint8extended(%s, %d)), 16, '0')", i, seed)
}

// pick is one of some texts, the first ones more often.
func pick(list []string, seed int64) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = literal(s)
	}
	return fmt.Sprintf("(array[%s])[%s]", strings.Join(quoted, ", "), zipf("{i}", seed, int64(len(list))))
}

func constants(list []string) []string {
	var out []string
	for _, s := range list[:min(len(list), 6)] {
		out = append(out, literal(s))
	}
	return out
}
