package migrationscan

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// function is the user's function that a call means, nil for a built-in one.
func (r *replayer) function(x *pgast.FuncCall) *catalog.Function {
	if len(x.Name) == 0 {
		return nil
	}
	schema := ""
	if len(x.Name) > 1 {
		schema = x.Name[len(x.Name)-2]
	}
	fs := r.cat.ResolveFunctions(schema, x.Name[len(x.Name)-1], r.lookupPath())
	for _, f := range fs {
		if len(f.Args) == len(x.Args) {
			return f
		}
	}
	if len(fs) > 0 {
		return fs[0]
	}
	return nil
}

// resultColumns are the columns of a function that returns rows.
func (r *replayer) resultColumns(f *catalog.Function) []output {
	if len(f.OutNames) > 0 && len(f.OutTypes) == len(f.OutNames) {
		var out []output
		for i, n := range f.OutNames {
			out = append(out, output{name: n, text: f.OutTypes[i]})
		}
		return out
	}
	for _, rel := range []*catalog.Relation{r.cat.Resolve("", f.Returns, []string{"public"}), r.byPrinted(f.Returns)} {
		if rel != nil {
			return relationOutputs(rel)
		}
	}
	return nil
}

func (r *replayer) byPrinted(name string) *catalog.Relation {
	schema, rel, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	return r.cat.Relation(strings.Trim(schema, `"`), strings.Trim(rel, `"`))
}

// callTypes are the results of built-in functions that views use.
var callTypes = map[string]string{
	"count": "bigint", "row_number": "bigint", "rank": "bigint", "dense_rank": "bigint", "now": "timestamp with time zone",
	"lower": "text", "upper": "text", "concat": "text", "concat_ws": "text", "format": "text", "md5": "text",
	"string_agg": "text", "replace": "text", "substring": "text", "substr": "text", "left": "text", "right": "text",
	"trim": "text", "btrim": "text", "ltrim": "text", "rtrim": "text", "initcap": "text", "split_part": "text",
	"to_char": "text", "regexp_replace": "text", "encode": "text", "quote_ident": "text", "array_to_string": "text",
	"length": "integer", "char_length": "integer", "array_length": "integer", "cardinality": "integer", "position": "integer",
	"bool_and": "boolean", "bool_or": "boolean", "every": "boolean", "json_agg": "json", "jsonb_agg": "jsonb",
	"json_build_object": "json", "jsonb_build_object": "jsonb", "json_object_agg": "json", "jsonb_object_agg": "jsonb",
	"to_json": "json", "to_jsonb": "jsonb", "row_to_json": "json", "json_build_array": "json", "jsonb_build_array": "jsonb",
	"jsonb_set": "jsonb", "jsonb_array_elements": "jsonb", "json_array_elements": "json", "jsonb_array_elements_text": "text",
	"json_array_elements_text": "text", "jsonb_object_keys": "text", "jsonb_array_length": "integer",
	"gen_random_uuid": "uuid", "date_part": "double precision", "extract": "numeric", "random": "double precision",
	"to_tsvector": "tsvector", "plainto_tsquery": "tsquery", "to_tsquery": "tsquery", "setweight": "tsvector",
	"ts_rank": "real", "percent_rank": "double precision", "cume_dist": "double precision", "ntile": "integer",
	"percentile_cont": "double precision", "age": "interval", "to_timestamp": "timestamp with time zone", "to_date": "date",
	"clock_timestamp": "timestamp with time zone", "starts_with": "boolean", "pg_get_expr": "text", "current_setting": "text",
	"generate_subscripts": "integer", "sqrt": "double precision", "similarity": "real", "make_date": "date",
	"has_table_privilege": "boolean", "json_typeof": "text", "jsonb_typeof": "text", "pg_size_pretty": "text",
}

// sameAsArg are built-in functions whose result has the type of an argument.
var sameAsArg = map[string]int{
	"min": 0, "max": 0, "abs": 0, "first_value": 0, "last_value": 0, "lag": 0, "lead": 0, "nth_value": 0, "mode": 0,
	"array_append": 0, "array_remove": 0, "array_prepend": 1, "greatest": 0, "ceil": 0, "floor": 0, "trunc": 0, "array_cat": 0,
	"nullif": 0, "generate_series": 0,
}

func (r *replayer) callType(x *pgast.FuncCall, l *level) printed {
	if f := r.function(x); f != nil {
		t := f.Returns
		if u := r.cat.ResolveType("", t, []string{"public"}); u != nil {
			return printed{text: t, name: u.Name}
		}
		return printed{text: t}
	}
	name := x.Name[len(x.Name)-1]
	if t, ok := callTypes[name]; ok {
		return printed{text: t}
	}
	arg := func(i int) printed {
		if i >= len(x.Args) {
			return printed{}
		}
		return r.exprType(x.Args[i], l)
	}
	if i, ok := sameAsArg[name]; ok {
		p := arg(i)
		if x.Within && len(x.OrderBy) > 0 {
			p = r.exprType(x.OrderBy[0].Expr, l)
		}
		if p.text = withoutMods(p.text); p.text == "character varying" && (name == "min" || name == "max") {
			p.text = "text"
		}
		return p
	}
	p := arg(0)
	switch name {
	case "sum":
		return printed{text: map[string]string{"smallint": "bigint", "integer": "bigint", "bigint": "numeric", "real": "real",
			"double precision": "double precision", "numeric": "numeric", "interval": "interval", "money": "money"}[withoutMods(p.text)]}
	case "avg", "stddev", "variance":
		if t := withoutMods(p.text); t == "real" || t == "double precision" {
			return printed{text: "double precision"}
		} else if t == "interval" {
			return printed{text: t}
		}
		return printed{text: "numeric"}
	case "round":
		if p.text == "double precision" && len(x.Args) == 1 {
			return printed{text: "double precision"}
		}
		return printed{text: "numeric"}
	case "array_agg":
		return arrayOf(printed{withoutMods(p.text), p.name, false})
	case "unnest":
		p.text = strings.TrimSuffix(p.text, "[]")
		return p
	case "date_trunc":
		if q := arg(1); q.text == "date" {
			return printed{text: "timestamp with time zone"}
		}
		return printed{text: withoutMods(arg(1).text)}
	case "timezone":
		if strings.Contains(arg(1).text, "without") {
			return printed{text: "timestamp with time zone"}
		}
		return printed{text: "timestamp without time zone"}
	}
	return printed{}
}
