package predicate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/predicate"
)

func keys(cols ...string) []predicate.Key {
	var out []predicate.Key
	for _, c := range cols {
		out = append(out, predicate.Key{Column: c})
	}
	return out
}

func TestSuggest(t *testing.T) {
	cat := schema(t, `create table "Order Items" (id bigint primary key, a int, b int, c int, "order" int, at timestamptz);
		create index items_a_idx on "Order Items" (a);
		create schema shop; create table shop.t (id bigint primary key, x text);`)
	items := cat.Relation("public", "Order Items")
	other := cat.Relation("shop", "t")
	sort := []predicate.SortKey{{Key: predicate.Key{Column: "at"}, Desc: true, NullsFirst: true}}
	cases := []struct {
		name  string
		needs []predicate.Need
		want  []string
	}{
		{"one", []predicate.Need{{Relation: items, Equality: keys("b")}}, []string{`create index on "Order Items" (b)`}},
		{"quoted", []predicate.Need{{Relation: other, Equality: keys("x")}, {Relation: items, Equality: keys("order")}},
			[]string{`create index on "Order Items" ("order")`, `create index on shop.t (x)`}},
		{"equality, sort, range", []predicate.Need{{Relation: items, Equality: keys("b"), Sort: sort, Range: keys("c")}},
			[]string{`create index on "Order Items" (b, at desc, c)`}},
		{"a prefix is served", []predicate.Need{{Relation: items, Equality: keys("c")}, {Relation: items, Equality: keys("b", "c")}},
			[]string{`create index on "Order Items" (c, b)`}},
		{"two prefixes of one set are not", []predicate.Need{
			{Relation: items, Equality: keys("b", "c")}, {Relation: items, Equality: keys("b")}, {Relation: items, Equality: keys("c")}},
			[]string{`create index on "Order Items" (b, c)`, `create index on "Order Items" (c)`}},
		{"the policy leads", []predicate.Need{{Relation: items, Equality: keys("b"), Policy: keys("c")}},
			[]string{`create index on "Order Items" (c, b)`}},
		{"methods do not mix", []predicate.Need{{Relation: items, Equality: keys("b")}, {Relation: items, Equality: keys("b"), Method: "gin"}},
			[]string{`create index on "Order Items" using gin (b)`, `create index on "Order Items" (b)`}},
	}
	for _, c := range cases {
		for i := range c.needs {
			c.needs[i].ID = i
		}
		var got []string
		served := map[int]bool{}
		for _, s := range predicate.Suggest(c.needs) {
			got = append(got, s.DDL)
			for _, id := range s.Needs {
				served[id] = true
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, strings.Join(got, "; "), strings.Join(c.want, "; "))
		}
		if len(served) != len(c.needs) {
			t.Errorf("%s: %d of %d needs are served", c.name, len(served), len(c.needs))
		}
	}
	s := predicate.Suggest([]predicate.Need{{Relation: items, Equality: keys("a", "b")}})[0]
	if s.Extends == nil || s.Extends.Name != "items_a_idx" {
		t.Errorf("(a, b) extends %v", s.Extends)
	}
}

func TestDefaultSizes(t *testing.T) {
	cat := schema(t, `
		create table settings (id int primary key check (id = 1), v text);
		create table leader (name text primary key check (name = 'default'), v text);
		create table countries (code text primary key);
		insert into countries values ('de'), ('fr');
		create table cities (id bigint primary key, country text references countries);
		create table schema_migrations (version bigint primary key);
		create table users (id bigint primary key);
		insert into users values (1);`)
	sizes := predicate.DefaultSizes(cat, nil)
	want := map[string]int64{"settings": 1, "leader": 1, "countries": 100, "cities": 100_000, "schema_migrations": 100, "users": 100_000}
	for _, r := range cat.Relations() {
		if n, source := sizes.Rows(r); n != want[r.Name.Name] || source != "default" {
			t.Errorf("%s has %d rows by %s, want %d", r.Name.Name, n, source, want[r.Name.Name])
		}
	}
}

func BenchmarkSuggest(b *testing.B) {
	cat := schema(b, "create table t (id bigint primary key, a int, b int, c int);")
	rel := cat.Relation("public", "t")
	for _, n := range []int{10, 1000} {
		var needs []predicate.Need
		for i := range n {
			needs = append(needs, predicate.Need{ID: i, Relation: rel, Equality: keys([]string{"a", "b", "c"}[i%3])})
		}
		b.Run(fmt.Sprintf("needs=%d", n), func(b *testing.B) {
			for range b.N {
				predicate.Suggest(needs)
			}
		})
	}
}
