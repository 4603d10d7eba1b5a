package sqllint_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes schemas and statements for TestDifferential. What it makes is a
// function of its seed.
type generator struct {
	*rand.Rand
	tables []randomTable
	views  []randomTable
	// args are the values that the statement's parameters may have.
	args [][]string
	// names numbers aliases, so that none stands twice in a statement.
	names int
	// viewed is set when the statement has a view.
	viewed bool
}

type randomTable struct {
	name string
	cols []column
}

type column struct {
	name string
	*kind
	notNull bool
}

// kind is a type with values, and templates over a column: {c} is the column, {l} a
// literal, {v} a literal or a parameter, {n} one parameter however often it stands,
// {a} a parameter that is an array, {p} one that is a pattern.
type kind struct {
	typ     string
	values  []string
	far     []string // values beyond those, of parameters alone
	preds   []string
	keys    []string // of a btree
	methods []string // whole indexes by other methods
	wheres  []string
}

var (
	equality = []string{
		"{c} = {v}", "{c} = {v}", "{v} = {c}", "{c} in ({v}, {v})", "{c} = any({a})", "{c} is null", "{c} is not null", "{c} <> {v}",
		"{c} is not distinct from {v}", "not ({c} = {v})", "coalesce({c}, {v}) = {v}", "{c} not in ({v}, {v})",
		"case when {c} = {v} then true else false end", "({c} = {v} or {c} is null)", "{c} <> all({a})",
		"{c} = {v} is true", "nullif({c}, {v}) = {v}",
	}
	ordering = append([]string{
		"{c} < {v}", "{c} >= {v}", "{v} < {c}", "{c} between {l} and {l}", "({c} > {l} and {c} <= {l})", "not ({c} < {v})",
		"{c} > any({a})", "greatest({c}, {v}) = {v}", "not ({c} between {l} and {l})",
	}, equality...)
	plainKeys   = []string{"{c}", "{c}", "{c}", "{c} desc", "{c} desc nulls last"}
	plainWheres = []string{"{c} is not null", "{c} is null", "{c} = {l}", "{c} <> {l}", "{c} in ({l}, {l})", "{c} is not null and {c} <> {l}"}
	// The order of texts is a collation's, which the analysis leaves alone.
	textWheres = []string{"{c} is not null", "{c} is null", "{c} = {l}", "{c} in ({l}, {l})", "{c} <> ''", "{c} like 'abc%'"}
	ordWheres  = append([]string{"{c} > {l}", "{c} <= {l}", "{c} > {l} or {c} is null"}, plainWheres...)
)

func with(a []string, more ...string) []string { return append(append([]string{}, a...), more...) }

var kinds = []kind{
	{"bigint", []string{"1", "7", "50"}, []string{"-5", "999"}, with(ordering, "{c} + 1 = {v}", "abs({c}) = {v}", "{c}::text = '7'", "{c} = 1.5", "{c} % 7 = 1"),
		with(plainKeys, "({c} + 1)", "abs({c})"), []string{"hash ({c})", "brin ({c})"}, ordWheres},
	{"integer", []string{"1", "7", "50"}, []string{"-5", "999"}, with(ordering, "{c} = 7::bigint", "{c} = 7::smallint", "{c} = 7.0::numeric", "-{c} = {v}"),
		plainKeys, []string{"hash ({c})", "brin ({c})"}, ordWheres},
	{"text", []string{"abc", "open", "xyz"}, []string{"", "zzz"}, with(ordering, "{c} like 'abc%'", "{c} like '%abc'", "{c} like {p}", "{c} ilike 'abc%'", "lower({c}) = {v}",
		"{c} || 'x' = {v}", "{c}::varchar = {v}", "{c} ~ '^abc'", "{c} ~ 'abc'", `{c} collate "C" = {v}`, "{c} like 'abc'",
		"{c} like {v} || '%'", "upper({c}) = {v}", "to_tsvector('simple', {c}) @@ to_tsquery('simple', 'abc')", `{c} collate "C" like 'abc%'`, "{c} similar to 'abc%'",
		"lower({c}) like 'abc%'", "lower({c}) in ({v}, {v})", "{c} = 'abc'::varchar", "{c} = 'abc'::char(5)", "{c} not like 'abc%'"),
		with(plainKeys, "{c} text_pattern_ops", "lower({c})", `{c} collate "C"`, "lower({c}) text_pattern_ops", "upper({c})"),
		[]string{"hash ({c})", "gin (to_tsvector('simple', {c}))", "brin ({c})", "spgist ({c})", "gin ({c} gin_trgm_ops)"}, textWheres},
	{"varchar(40)", []string{"abc", "open", "xyz"}, []string{"", "zzz"}, with(ordering, "{c} like 'abc%'", "{c}::text = {v}", "lower({c}) = {v}", "{c} = {v}::text", "lower({c}::text) = {v}"),
		with(plainKeys, "{c} varchar_pattern_ops", "lower({c})", "lower({c}::text)", "({c}::text)"), []string{"hash ({c})"}, textWheres},
	{"uuid", []string{"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"}, []string{"00000000-0000-0000-0000-000000000000", "ffffffff-0000-0000-0000-000000000000"},
		with(ordering, "{c}::text = 'x'", "{c} = gen_random_uuid()"), plainKeys, []string{"hash ({c})"}, plainWheres},
	{"boolean", []string{"true", "false"}, nil, with([]string{"{c} = {v}", "{c} <> {v}", "not ({c} = {v})", "{c} is null", "{c} is not null", "({c} = {v} or {c} is null)"}, "{c}", "not {c}", "{c} is true", "{c} is false", "{c} is not true", "{c} is not false", "{c} is unknown", "({c}) = true"),
		plainKeys, nil, []string{"{c}", "not {c}", "{c} is true", "{c} is not true", "{c} is false", "{c} is null", "{c} is not null", "{c} = true", "{c} <> true"}},
	{"mood", []string{"happy", "sad"}, []string{"none"}, with(equality, "{c}::text = 'sad'"), plainKeys, []string{"hash ({c})"}, plainWheres},
	{"timestamptz", []string{"2024-01-01", "2024-06-01"}, []string{"1990-01-01", "2050-01-01"}, with(ordering, "{c}::date = '2024-01-01'", "date_trunc('day', {c}) = {v}", "{c} > now() - interval '1 day'",
		"{c} at time zone 'UTC' > '2024-01-01'", "({c} at time zone 'UTC')::date = '2024-01-01'", "{c} >= current_date", "{c} + interval '1 day' > {v}",
		"extract(year from {c}) = 2024", "{c} > '2024-01-01'::timestamp", "age({c}) > interval '1 day'"),
		with(plainKeys, "({c} at time zone 'UTC')", "(({c} at time zone 'UTC')::date)"), []string{"brin ({c})"}, ordWheres},
	{"date", []string{"2024-01-01", "2024-06-01"}, []string{"1990-01-01", "2050-01-01"}, with(ordering, "{c} = now()", "{c} > now() - interval '1 day'", "{c} = current_date", "{c}::text = '2024-01-01'",
		"extract(year from {c}) = 2024", "{c} >= '2024-01-01'::timestamptz", "{c} + 1 = {v}"), with(plainKeys, "date_part('year', {c})"), []string{"brin ({c})"}, ordWheres},
	{"jsonb", []string{`{"k": 1}`, `{"k": "a"}`}, nil, []string{"{c} @> {v}", "{c} ->> 'k' = 'a'", "{c} ? 'k'", "({c} ->> 'k')::int = 3", "{c} @? '$.k'", "{c} -> 'k' = '1'",
		"{c} = {v}", "{c} is null", "{c} ?| array['k']", "{c} <@ {v}", "{c} #>> '{k}' = 'a'", "({c} -> 'k') @> '1'", "{c} ->> 'k' in ('a', 'b')", "{v} <@ {c}"},
		[]string{"({c} ->> 'k')", "(({c} ->> 'k')::int)", "{c}"}, []string{"gin ({c})", "gin ({c} jsonb_path_ops)", "gin (({c} -> 'k'))"}, []string{"{c} is not null", "{c} ? 'k'"}},
	{"integer[]", []string{"{1,2}", "{7}"}, nil, []string{"{c} @> {v}", "{c} && {v}", "7 = any({c})", "{c} = {v}", "{c} <@ {v}", "{c}[1] = 7", "cardinality({c}) = 0", "{c} is null"},
		[]string{"{c}", "({c}[1])"}, []string{"gin ({c})"}, []string{"{c} is not null"}},
	{"text[]", []string{"{a,b}", "{c}"}, nil, []string{"{c} @> {v}", "{c} && {v}", "'a' = any({c})", "{c} = {v}", "'a' = all({c})"},
		[]string{"{c}"}, []string{"gin ({c})"}, []string{"{c} is not null"}},
	{"numeric(10,2)", []string{"1.5", "7"}, []string{"-5", "999"}, with(ordering, "round({c}) = {v}", "{c} = 7::bigint"), plainKeys, []string{"hash ({c})"}, ordWheres},
	{"int4range", []string{"[1,5)", "[7,9)"}, nil, []string{"{c} @> 3", "{c} && {v}", "{c} = {v}", "{c} << {v}", "lower({c}) = 1", "3 <@ {c}", "{c} <@ {v}"},
		[]string{"{c}", "lower({c})"}, []string{"gist ({c})", "spgist ({c})", "gin ({c})"}, []string{"not isempty({c})"}},
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
}

func oneOf[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// schema makes tables, their indexes, and views.
func (g *generator) schema() string {
	var ddl []string
	ddl = append(ddl, "create extension if not exists pg_trgm", "create type mood as enum ('happy', 'sad', 'none')")
	for i := range 2 + g.IntN(3) {
		t := randomTable{name: fmt.Sprintf("t%d", i), cols: []column{{"id", &kinds[g.IntN(2)], true}}}
		defs := []string{"id " + t.cols[0].typ + " not null"}
		if i > 0 { // joins want columns of equal types
			p := g.tables[g.IntN(i)]
			t.cols = append(t.cols, column{p.name + "_id", p.cols[0].kind, false})
			defs = append(defs, p.name+"_id "+p.cols[0].typ)
		}
		for j := range 3 + g.IntN(4) {
			c := column{fmt.Sprintf("c%d", j), &kinds[g.IntN(len(kinds))], g.chance(30)}
			t.cols = append(t.cols, c)
			def := c.name + " " + c.typ
			if c.notNull {
				def += " not null"
			}
			if g.chance(10) && c.typ == "text" {
				def += ` collate "C"`
				other := *c.kind // not to be joined with columns of another collation
				t.cols[len(t.cols)-1].kind = &other
			}
			defs = append(defs, def)
		}
		g.tables = append(g.tables, t)
		switch g.IntN(8) {
		case 0:
			ddl = append(ddl, g.partitions(t, defs)...)
		case 1:
			ddl = append(ddl, "create table "+t.name+" ("+strings.Join(defs, ", ")+", unique (id, "+t.cols[1].name+"))")
		default:
			ddl = append(ddl, "create table "+t.name+" ("+strings.Join(defs, ", ")+", primary key (id))")
		}
		for range g.IntN(5) {
			ddl = append(ddl, g.index(t))
		}
	}
	for i := range g.IntN(3) {
		v := randomTable{name: fmt.Sprintf("v%d", i)}
		ddl = append(ddl, "create view "+v.name+" as "+g.view(&v))
		g.views = append(g.views, v)
	}
	return strings.Join(ddl, ";\n") + ";\n"
}

func (g *generator) partitions(t randomTable, defs []string) []string {
	head := "create table " + t.name + " (" + strings.Join(defs, ", ") + ") partition by "
	part := func(n int, bound string) string {
		return fmt.Sprintf("create table %s_p%d partition of %s %s", t.name, n, t.name, bound)
	}
	switch g.IntN(3) {
	case 0:
		return []string{head + "range (id)", part(0, "for values from (0) to (10)"), part(1, "for values from (10) to (100)"), part(2, "default")}
	case 1:
		return []string{head + "list (id)", part(0, "for values in (1)"), part(1, "for values in (7, 50)"), part(2, "default")}
	}
	return []string{head + "hash (id)", part(0, "for values with (modulus 2, remainder 0)"), part(1, "for values with (modulus 2, remainder 1)")}
}

func (g *generator) index(t randomTable) string {
	if c := oneOf(g, t.cols); g.chance(20) && len(c.methods) > 0 {
		return "create index on " + t.name + " using " + g.fill(oneOf(g, c.methods), c.name, c.kind) + g.where(t)
	}
	var keys []string
	for _, i := range g.Perm(len(t.cols))[:1+g.IntN(3)] {
		c := t.cols[i]
		keys = append(keys, g.fill(oneOf(g, c.keys), c.name, c.kind))
	}
	include := ""
	if g.chance(10) {
		include = " include (" + oneOf(g, t.cols).name + ")"
	}
	return "create index on " + t.name + " (" + strings.Join(keys, ", ") + ")" + include + g.where(t)
}

func (g *generator) where(t randomTable) string {
	c := oneOf(g, t.cols)
	if !g.chance(30) || c.notNull { // what is never null is another question in each version
		return ""
	}
	return " where " + g.fill(oneOf(g, c.wheres), c.name, c.kind)
}

// fill puts a column and values in a template.
func (g *generator) fill(template, col string, k *kind) string {
	same := ""
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if i+2 >= len(template) || template[i] != '{' || template[i+2] != '}' {
			b.WriteByte(template[i])
			continue
		}
		switch template[i+1] {
		case 'c':
			b.WriteString(col)
		case 'l':
			b.WriteString(g.literal(k))
		case 'v':
			switch g.IntN(4) {
			case 0, 1:
				b.WriteString(g.literal(k))
			case 2:
				b.WriteString(g.param(with(k.values, k.far...)))
			case 3:
				b.WriteString(g.param(with(k.values, k.far...)) + "::" + k.typ)
			}
		case 'p':
			b.WriteString(g.param([]string{"%abc", "_x%"}))
		case 'n':
			if same == "" {
				same = g.param(with(k.values, k.far...))
			}
			b.WriteString(same + "::" + k.typ)
		case 'a':
			all := with(k.values, k.far...)
			var arrays []string
			for i, v := range all {
				if v == "" {
					v = `""` // an empty array is true of nothing, and implies all
				}
				arrays = append(arrays, "{"+v+"}", "{"+v+","+all[(i+1)%len(all)]+"}")
			}
			b.WriteString(g.param(arrays))
		default:
			b.WriteString(template[i : i+3])
		}
		i += 2
	}
	return b.String()
}

func (g *generator) literal(k *kind) string {
	v := oneOf(g, k.values)
	if strings.Contains("bigint integer numeric(10,2) boolean", k.typ) {
		return v
	}
	return "'" + v + "'"
}

func (g *generator) param(values []string) string {
	g.args = append(g.args, values)
	return fmt.Sprintf("$%d", len(g.args))
}
