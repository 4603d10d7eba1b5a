package live_test

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const withSecrets = `
	create type mood as enum ('calm', 'loud');
	create table people (id bigint primary key, name text not null, mood mood not null, tags text[]);
	create table parts (at date not null, note text) partition by range (at);
	create table parts_1 partition of parts for values from ('2025-01-01') to ('2026-01-01');
	create table never_analyzed (id bigint);
	create index people_lower_idx on people (lower(name));
	insert into people select i, 'secret ' || i % 40, (case when i % 10 = 0 then 'loud' else 'calm' end)::mood, array['secret' || i % 5] from generate_series(1, 5000) i;
	insert into parts select date '2025-01-01' + i % 300, 'secret' from generate_series(1, 1000) i;
	analyze people, parts;
`

func TestDumpStatistics(t *testing.T) {
	ctx := context.Background()
	conn := shadowtest.Connect(t, withSecrets)
	s, err := live.Connect(ctx, conn.Config().ConnString(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	for _, values := range []bool{false, true} {
		f, err := s.DumpStatistics(ctx, values)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "secret") != values {
			t.Errorf("values=%v: a value is in the file: %v", values, !values)
		}
		if !strings.Contains(b.String(), "{calm,loud}") {
			t.Errorf("values=%v: the labels of an enum are missing", values)
		}
		people := f.Table("public", "people")
		if people == nil || people.Rows != 5000 || people.Pages == 0 || len(people.Columns) != 4 {
			t.Fatalf("people: %+v", people)
		}
		if i := people.Indexes; len(i) != 2 || i[0].Name != "people_lower_idx" || len(i[0].Columns) != 1 || i[1].Pages == 0 {
			t.Errorf("the indexes of people: %+v", i)
		}
		if p := f.Table("public", "parts"); p == nil || len(p.Columns) != 2 || !p.Columns[0].Inherited || p.Rows != 1000 {
			t.Errorf("parts: %+v", p)
		}
		if n := f.Table("public", "never_analyzed"); n == nil || n.Rows != -1 {
			t.Errorf("never_analyzed: %+v", n)
		}
		if f.Settings["random_page_cost"] != "4" || len(f.Hidden) > 0 {
			t.Errorf("settings %v, hidden %v", f.Settings, f.Hidden)
		}
	}
}

// A role without rights sees sizes, and is told of which tables it sees no more.
func TestDumpStatisticsLowPrivilege(t *testing.T) {
	ctx := context.Background()
	conn := shadowtest.Connect(t, withSecrets, "drop role if exists stats_reader", "create role stats_reader login", "grant select on people to stats_reader")
	defer conn.Exec(ctx, "drop owned by stats_reader; drop role stats_reader")
	u, err := url.Parse(conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("stats_reader")
	s, err := live.Connect(ctx, u.String(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	f, err := s.DumpStatistics(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Table("public", "people"); p == nil || p.Rows != 5000 || len(p.Columns) != 4 {
		t.Errorf("people: %+v", p)
	}
	if !slices.Contains(f.Hidden, "public.parts_1") || slices.Contains(f.Hidden, "public.people") {
		t.Errorf("hidden: %v", f.Hidden)
	}
}
