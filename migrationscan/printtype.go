package migrationscan

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// builtinTypes maps the names of built-in types to what format_type() prints.
var builtinTypes = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "int": "integer", "float4": "real",
	"float8": "double precision", "bool": "boolean", "varchar": "character varying", "bpchar": "character",
	"timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
	"time": "time without time zone", "timetz": "time with time zone", "varbit": "bit varying", "bit": "bit",
	"numeric": "numeric", "decimal": "numeric", "interval": "interval",
}

// plainTypes are built-in types that print as they are named.
var plainTypes = words(`text name bytea uuid json jsonb jsonpath xml date money inet cidr macaddr macaddr8 oid oidvector
	int2vector regclass regproc regprocedure regoper regoperator regtype regrole regnamespace regconfig regdictionary
	regcollation tsvector tsquery point line lseg box path polygon circle int4range int8range numrange tsrange
	tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
	pg_lsn pg_snapshot txid_snapshot xid xid8 cid tid void record trigger event_trigger anyelement anyarray
	anynonarray anyenum anyrange anymultirange anycompatible anycompatiblearray anycompatiblerange cstring internal
	language_handler fdw_handler refcursor aclitem gtsvector unknown char`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// serials are the pseudo-types that make a sequence.
var serials = map[string]string{
	"serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint",
	"smallserial": "smallint", "serial2": "smallint",
}

// printed is a type as the catalog holds it.
type printed struct {
	// text is as format_type() prints it under the default search_path.
	text string
	// name is set for user-defined types.
	name catalog.Name
	// serial is set for serial and its like.
	serial bool
}

// printType resolves and prints a type. mods is false where a type modifier does
// not count: for arguments and results of functions.
func (r *replayer) printType(t pgast.TypeName, mods bool) printed {
	p := r.elementType(t, mods)
	if t.ArrayDims > 0 && !strings.HasSuffix(p.text, "[]") {
		p.text += "[]"
	}
	return p
}

func (r *replayer) elementType(t pgast.TypeName, mods bool) printed {
	if len(t.Names) == 0 {
		return printed{}
	}
	schema, name := "", t.Names[len(t.Names)-1]
	if len(t.Names) > 1 {
		schema = t.Names[len(t.Names)-2]
	}
	if t.PctType {
		return r.columnType(t.Names)
	}
	if !mods {
		t.Mods = nil
	}
	if schema == "" {
		if text, ok := serials[name]; ok && t.ArrayDims == 0 {
			return printed{text: text, serial: true}
		}
	}
	if schema == "pg_catalog" || schema == "" {
		if text, ok := builtinType(name, t.Mods, mods); ok {
			return printed{text: text}
		}
	}
	full := catalog.Name{Schema: schema, Name: name}
	if u := r.cat.ResolveType(schema, name, r.lookupPath()); u != nil {
		full = u.Name
	} else if rel := r.cat.Resolve(schema, name, r.lookupPath()); rel != nil {
		full = rel.Name
	}
	text := printName(full)
	if len(t.Mods) > 0 {
		text += "(" + strings.Join(t.Mods, ",") + ")"
	}
	return printed{text: text, name: full}
}

// columnType answers t.c%TYPE.
func (r *replayer) columnType(names []string) printed {
	if len(names) < 2 {
		return printed{}
	}
	schema := ""
	if len(names) > 2 {
		schema = names[len(names)-3]
	}
	if rel := r.cat.Resolve(schema, names[len(names)-2], r.lookupPath()); rel != nil {
		if c := rel.Column(names[len(names)-1]); c != nil {
			return printed{text: withoutMods(c.Type), name: c.TypeName}
		}
	}
	return printed{}
}

var mods = regexp.MustCompile(`\([^)]*\)`)

// withoutMods is a printed type without its modifiers.
func withoutMods(text string) string { return mods.ReplaceAllString(text, "") }

// builtinType prints a built-in type; withMods tells a column's type from that of
// an argument, where char means any length.
func builtinType(name string, mods []string, withMods bool) (string, bool) {
	text, ok := builtinTypes[name]
	if !ok {
		if strings.HasPrefix(name, "_") {
			if e, ok := builtinType(name[1:], nil, false); ok {
				return e + "[]", true
			}
		}
		if name == "char" {
			return `"char"`, true
		}
		return name, plainTypes[name]
	}
	switch name {
	case "bpchar":
		if len(mods) == 0 && withMods {
			return "bpchar", true
		}
	case "numeric", "decimal":
		if len(mods) == 1 {
			mods = append(mods[:1:1], "0")
		}
	case "timestamp", "timestamptz", "time", "timetz":
		if len(mods) == 1 {
			base, rest, _ := strings.Cut(text, " ")
			return base + "(" + mods[0] + ") " + rest, true
		}
	case "interval":
		return printInterval(mods), true
	}
	if len(mods) > 0 {
		text += "(" + strings.Join(mods, ",") + ")"
	}
	return text, true
}

// intervalFields are the field masks of PostgreSQL's intervaltypmodout.
var intervalFields = map[int]string{
	1 << 2: " year", 1 << 1: " month", 1 << 3: " day", 1 << 10: " hour", 1 << 11: " minute", 1 << 12: " second",
	1<<2 | 1<<1: " year to month", 1<<3 | 1<<10: " day to hour", 1<<3 | 1<<10 | 1<<11: " day to minute",
	1<<3 | 1<<10 | 1<<11 | 1<<12: " day to second", 1<<10 | 1<<11: " hour to minute",
	1<<10 | 1<<11 | 1<<12: " hour to second", 1<<11 | 1<<12: " minute to second",
}

func printInterval(mods []string) string {
	out := "interval"
	if len(mods) > 0 {
		mask, _ := strconv.Atoi(mods[0])
		out += intervalFields[mask]
	}
	if len(mods) > 1 {
		out += "(" + mods[1] + ")"
	}
	return out
}

// printName writes a name as the server prints it under the default search_path.
func printName(n catalog.Name) string {
	if n.Schema == "" || n.Schema == "public" || n.Schema == "pg_catalog" {
		return quoteIdent(n.Name)
	}
	return quoteIdent(n.Schema) + "." + quoteIdent(n.Name)
}

var plainIdent = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// reserved are the keywords that quote_identifier() puts in quotes.
var reserved = words(`all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
	case cast char character check coalesce collate collation column concurrently constraint create cross
	current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal
	default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full
	grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull
	join lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not
	notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary
	real references returning right row select session_user setof similar smallint some substring symmetric table
	tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic
	verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse
	xmlpi xmlroot xmlserialize xmltable`)

func quoteIdent(s string) string {
	if plainIdent.MatchString(s) && !reserved[s] {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
