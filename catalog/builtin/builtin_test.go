package builtin_test

import (
	"testing"

	"github.com/planvet/planvet/catalog/builtin"
)

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		op, left, right string
		function        string // "" when no operator fits, or several do
		leakproof       bool
	}{
		{"=", "text", "text", "texteq", true},
		{"=", "character varying(20)", "unknown", "texteq", true},
		{"=", "", "character varying", "texteq", true},
		{"=", "character(3)", "unknown", "bpchareq", true},
		{"=", "bigint", "integer", "int84eq", true},
		{"=", "smallint", "bigint", "int28eq", true},
		{"=", "uuid", "unknown", "uuid_eq", true},
		{"=", "numeric(10,2)", "integer", "numeric_eq", false},
		{"=", "integer", "numeric", "numeric_eq", false},
		{"=", "anyenum", "unknown", "enum_eq", false},
		{"=", "text[]", "unknown", "array_eq", false},
		{"=", "jsonb", "unknown", "jsonb_eq", false},
		{"=", "citext", "unknown", "citext_eq", false},
		{"=", "extensions.citext", "text", "texteq", true},
		{"=", "uuid", "text", "", false},
		{"=", "json", "unknown", "", false},
		{"<", "timestamp with time zone", "timestamp without time zone", "timestamptz_lt_timestamp", false},
		{"<", "timestamp(3) with time zone", "unknown", "timestamptz_lt", true},
		{">=", "date", "timestamp with time zone", "date_ge_timestamptz", false},
		{"~~", "character varying", "unknown", "textlike", false},
		{"~~*", "text", "text", "texticlike", false},
		{"@>", "jsonb", "unknown", "jsonb_contains", false},
		{"@>", "text[]", "text[]", "arraycontains", false},
		{"@>", "tstzrange", "timestamp with time zone", "range_contains_elem", false},
		{"@@", "tsvector", "tsquery", "ts_match_vq", false},
		{"&&", "integer[]", "unknown", "arrayoverlap", false},
		{"->>", "jsonb", "unknown", "jsonb_object_field_text", false},
		{"->>", "jsonb", "integer", "jsonb_array_element_text", false},
		{"-", "", "integer", "int4um", false},
		{"<@", "unknown", "", "", false},
	} {
		o, ok := builtin.For(15).Resolve(c.op, c.left, c.right)
		if ok != (c.function != "") || o.Function != c.function || o.Leakproof != c.leakproof {
			t.Errorf("%s %s %s: got %q leakproof %v, want %q %v", c.left, c.op, c.right, o.Function, o.Leakproof, c.function, c.leakproof)
		}
	}
}

func TestOperatorFacts(t *testing.T) {
	o, ok := builtin.For(0).Operator("<", "bigint", "bigint")
	if !ok || o.Commutator != ">" || o.Negator != ">=" || o.Restrict != "scalarltsel" || !o.Strict || o.Volatility != builtin.Immutable {
		t.Errorf("int8 <: %+v", o)
	}
	if o, _ := builtin.For(0).Operator("||", "anyarray", "anyelement"); o.Strict {
		t.Error("array_append is not strict")
	}
}

func TestFunctions(t *testing.T) {
	f := builtin.For(15)
	for _, c := range []struct {
		name       string
		args       int
		volatility builtin.Volatility
		strict     bool
	}{
		{"lower", 1, builtin.Immutable, true},
		{"current_setting", 2, builtin.Stable, true},
		{"now", 0, builtin.Stable, true},
		{"random", 0, builtin.Volatile, true},
		{"jsonb_build_object", 4, builtin.Stable, false},
		{"gen_random_uuid", 0, builtin.Volatile, true},
		{"similarity", 2, builtin.Immutable, true},
	} {
		fs := f.FunctionCalled(c.name, c.args)
		if len(fs) == 0 {
			t.Errorf("%s/%d is unknown", c.name, c.args)
			continue
		}
		for _, fn := range fs {
			if fn.Volatility != c.volatility || fn.Strict != c.strict {
				t.Errorf("%s%v: %c strict %v", c.name, fn.Args, fn.Volatility, fn.Strict)
			}
		}
	}
	if fn, ok := f.Function("lower", []string{"text"}); !ok || fn.Leakproof || fn.Result != "text" {
		t.Errorf("lower(text): %+v %v", fn, ok)
	}
	if fs := f.FunctionCalled("current_setting", 3); fs != nil {
		t.Errorf("current_setting takes no 3 arguments: %v", fs)
	}
}

func TestOpClasses(t *testing.T) {
	f := builtin.For(15)
	for _, c := range []struct{ method, typ, want string }{
		{"btree", "bigint", "int8_ops"},
		{"btree", "character varying(40)", "text_ops"},
		{"btree", "anyenum", "enum_ops"},
		{"btree", "text[]", "array_ops"},
		{"btree", "json", ""},
		{"hash", "uuid", "uuid_ops"},
		{"gin", "jsonb", "jsonb_ops"},
		{"gin", "integer[]", "array_ops"},
		{"gin", "tsvector", "tsvector_ops"},
		{"gin", "text", "text_ops"},
		{"gist", "tstzrange", "range_ops"},
		{"brin", "timestamp with time zone", "timestamptz_minmax_ops"},
		{"btree", "extensions.citext", "citext_ops"},
	} {
		got, ok := f.DefaultOpClass(c.method, c.typ)
		if ok != (c.want != "") || got.Name != c.want {
			t.Errorf("%s of %s: %q, want %q", c.method, c.typ, got.Name, c.want)
		}
	}
	if c, _ := f.DefaultOpClass("gin", "text"); c.Extension != "btree_gin" {
		t.Errorf("gin of text is btree_gin's, not %q", c.Extension)
	}
}

func TestInFamily(t *testing.T) {
	f := builtin.For(15)
	for _, c := range []struct {
		method, class, op, left, right string
		strategy                       int // 0: no member
	}{
		{"btree", "int8_ops", "=", "bigint", "integer", 3},
		{"btree", "text_ops", "~~", "text", "text", 0},
		{"btree", "text_pattern_ops", "=", "text", "text", 3},
		{"btree", "text_pattern_ops", "<", "text", "text", 0},
		{"hash", "text_ops", "=", "text", "text", 1},
		{"hash", "text_ops", "<", "text", "text", 0},
		{"gin", "gin_trgm_ops", "~~*", "text", "text", 4},
		{"gin", "gin_trgm_ops", "=", "text", "text", 11},
		{"gin", "gin_trgm_ops", "<", "text", "text", 0},
		{"gin", "jsonb_path_ops", "@>", "jsonb", "jsonb", 7},
		{"gin", "jsonb_path_ops", "?", "jsonb", "text", 0},
		{"gin", "jsonb_ops", "?", "jsonb", "text", 9},
		{"gin", "array_ops", "&&", "anyarray", "anyarray", 1},
	} {
		class, ok := f.OpClass(c.method, c.class, "")
		if !ok {
			t.Fatalf("no class %s", c.class)
		}
		m, ok := f.InFamily(c.method, class.Family, c.op, c.left, c.right)
		if ok != (c.strategy != 0) || m.Strategy != c.strategy {
			t.Errorf("%s %s %s %s: %+v %v", c.class, c.left, c.op, c.right, m, ok)
		}
	}
}

func TestVersions(t *testing.T) {
	if _, ok := builtin.For(13).OpClass("brin", "int8_minmax_multi_ops", ""); ok {
		t.Error("minmax-multi came with 14")
	}
	for _, v := range []int{14, 15, 16, 17, 18, 99} {
		if _, ok := builtin.For(v).OpClass("brin", "int8_minmax_multi_ops", ""); !ok {
			t.Errorf("%d has minmax-multi", v)
		}
	}
	if m, ok := builtin.For(13).InFamily("gin", "gin_trgm_ops", "=", "text", "text"); ok {
		t.Errorf("pg_trgm of 13 serves no equality: %+v", m)
	}
	for v, want := range map[int]int{0: 13, 9: 13, 16: 16, 30: 18} {
		if got := builtin.For(v).Major(); got != want {
			t.Errorf("For(%d) is %d", v, got)
		}
	}
	if fs := builtin.For(15).FunctionAny("uuidv7"); fs != nil {
		t.Error("uuidv7 came with 18")
	}
	if fs := builtin.For(18).FunctionAny("uuidv7"); fs == nil {
		t.Error("18 has uuidv7")
	}
}

func TestCasts(t *testing.T) {
	f := builtin.For(15)
	if c, ok := f.Cast("character varying(10)", "text"); !ok || !c.Binary || !c.Implicit {
		t.Errorf("varchar to text: %+v", c)
	}
	if c, ok := f.Cast("bigint", "integer"); !ok || c.Implicit || !c.Assignment {
		t.Errorf("bigint to integer: %+v", c)
	}
	if f.BinaryCoercible("integer", "bigint") || !f.BinaryCoercible("uuid[]", "anyarray") {
		t.Error("binary coercion")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		builtin.For(18)
	}
}
