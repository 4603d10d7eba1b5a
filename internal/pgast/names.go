package pgast

import "strings"

// The keywords of PostgreSQL 16 to 18 that cannot stand everywhere as a name, from its
// parser's kwlist.h.

// reservedWords are names nowhere unless quoted.
var reservedWords = keywordSet(`
all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
create current_catalog current_date current_role current_time current_timestamp current_user default
deferrable desc distinct do else end except false fetch for foreign from grant group having in
initially intersect into lateral leading limit localtime localtimestamp not null offset on only or
order placing primary references returning select session_user some symmetric system_user table then
to trailing true union unique user using variadic when where window with`)

// columnWords name columns and tables, but neither functions nor types.
var columnWords = keywordSet(`
between bigint bit boolean char character coalesce dec decimal exists extract float greatest
grouping inout int integer interval json_array json_arrayagg json_exists json_object json_objectagg
json_query json_scalar json_serialize json_table json_value least merge_action
national nchar none normalize nullif numeric out overlay position precision real row setof smallint
substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`)

// functionWords name functions and types, but neither columns nor tables.
var functionWords = keywordSet(`
authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull
join left like natural notnull outer overlaps right similar tablesample verbose`)

func keywordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// plainName reports whether s is a name that folding leaves as it is.
func plainName(s string) bool {
	if s == "" || isDigit(s[0]) || s[0] == '$' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '_' && c != '$' && !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quoteIdent quotes the name of a column, table or schema where it needs it.
func quoteIdent(s string) string {
	if plainName(s) && !reservedWords[s] && !functionWords[s] {
		return s
	}
	return quoted(s)
}

// quoteNames joins the parts of a qualified name.
func quoteNames(parts []string) string { return joinNames(parts, quoteIdent, ".") }

// quoteList joins names with commas.
func quoteList(parts []string) string { return joinNames(parts, quoteIdent, ", ") }

func joinNames(parts []string, quote func(string) string, sep string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = quote(p)
	}
	return strings.Join(out, sep)
}

// quoteFunc is the name of a function or a type.
func quoteFunc(parts []string) string {
	if len(parts) != 1 {
		return quoteNames(parts)
	}
	if s := parts[0]; plainName(s) && !reservedWords[s] && !columnWords[s] {
		return s
	}
	return quoted(parts[0])
}

// quoteString writes a literal; a backslash needs no escape with
// standard_conforming_strings on.
func quoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// typeWords are the standard's names of types that the grammar turns into
// pg_catalog ones, so that both are written alike.
var typeWords = map[string]string{"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real",
	"float8": "double precision", "bool": "boolean", "numeric": "numeric", "varchar": "varchar", "time": "time",
	"timestamp": "timestamp", "interval": "interval"}

// formatType writes a type.
func formatType(t TypeName) string {
	var b strings.Builder
	b.WriteString(choose(t.SetOf, "SETOF ", ""))
	b.WriteString(typeBase(t))
	b.WriteString(choose(t.PctType, "%TYPE", ""))
	b.WriteString(strings.Repeat("[]", t.ArrayDims))
	return b.String()
}

func typeBase(t TypeName) string {
	mods := ""
	if len(t.Mods) > 0 {
		mods = "(" + strings.Join(t.Mods, ", ") + ")"
	}
	if len(t.Names) == 2 && t.Names[0] == "pg_catalog" {
		switch w := t.Names[1]; {
		case w == "timestamptz":
			return "timestamp" + mods + " with time zone"
		case w == "timetz":
			return "time" + mods + " with time zone"
		case w == "interval" && mods != "":
		case typeWords[w] != "":
			return typeWords[w] + mods
		}
	}
	return quoteFunc(t.Names) + mods
}
