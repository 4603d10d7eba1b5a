package shadow

import (
	"math"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/stats"
	"github.com/planvet/planvet/migrationscan"
)

type sized map[string]int64

func (s sized) Rows(r *catalog.Relation) (int64, string) {
	if n, ok := s[r.Name.Name]; ok {
		return n, "profile"
	}
	return 100_000, "default"
}

// What statistics are made up to be, column by column.
func TestProfile(t *testing.T) {
	script := migrationscan.Set{Name: "default", Scripts: []migrationscan.Script{{Path: "1.sql", Text: `
create type mood as enum ('calm', 'odd', 'wild');
create table guests (id bigint primary key, email text not null unique, mood mood not null);
create table visits (
  id bigint generated always as identity primary key,
  guest_id bigint not null references guests,
  host_id bigint,
  state text not null check (state in ('new', 'done')),
  kind text not null,
  open boolean not null,
  deleted_at timestamptz,
  opened_at timestamptz not null,
  tags text[] not null,
  note text
);
create table parts (id bigint not null, at timestamptz not null) partition by range (at);
create table parts_1 partition of parts for values from ('2025-01-01') to ('2025-02-01');
create table parts_2 partition of parts for values from ('2025-02-01') to ('2025-03-01');`}}}
	r := migrationscan.Replay(script, migrationscan.ReplayOptions{})
	if len(r.NotApplied)+len(r.Unparsed) > 0 {
		t.Fatalf("%v %v", r.NotApplied, r.Unparsed)
	}
	r.Catalog.Stats = sized{"guests": 4000, "visits": 1_000_000}
	f := Profile(r.Catalog, func(n catalog.Name) TableProfile {
		if n.Name == "visits" {
			return TableProfile{Width: 400, Distinct: map[string]int64{"kind": 70}, Recent: []string{"opened_at"}}
		}
		return TableProfile{}
	})
	column := func(table, name string) stats.Column {
		t.Helper()
		for _, c := range f.Table("public", table).Columns {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no column %s.%s", table, name)
		return stats.Column{}
	}
	for _, c := range []struct {
		table, column  string
		distinct       float64
		common         string
		listed, bounds int
		nulls          float64
		correlated     bool
	}{
		{"guests", "id", -1, "", 0, 101, 0, true},
		{"guests", "email", -1, "", 0, 101, 0, false},
		{"guests", "mood", 3, `{"calm","odd","wild"}`, 3, 0, 0, false},
		{"visits", "guest_id", 4000, "", 100, 101, 0, false}, // the parent's rows
		{"visits", "host_id", 100_000, "", 100, 101, 0.1, false},
		{"visits", "state", 2, `{"new","done"}`, 2, 0, 0, false},
		{"visits", "kind", 70, "", 70, 0, 0, false}, // as config says
		{"visits", "open", 2, "{f,t}", 2, 0, 0, false},
		{"visits", "deleted_at", -1, "", 0, 101, 0.95, false},
		{"visits", "opened_at", -1, "", 0, 101, 0, true},
		{"visits", "note", 100_000, "", 0, 101, 0.1, false},
		{"parts_1", "at", -1, "", 0, 0, 0, true}, // its values are those between its bounds
	} {
		s := column(c.table, c.column)
		if s.Distinct != c.distinct || s.Common != c.common || len(s.Frequencies) != c.listed || s.Bounds != c.bounds || s.NullFraction != c.nulls || (s.Correlation != nil) != c.correlated {
			t.Errorf("%s.%s: %+v, want %+v", c.table, c.column, s, c)
		}
		sum := 0.0
		for i, f := range s.Frequencies {
			sum += f
			if i > 0 && f > s.Frequencies[i-1] {
				t.Errorf("%s.%s: frequencies rise: %v", c.table, c.column, s.Frequencies)
			}
		}
		if sum > 1-s.NullFraction+1e-3 || c.common != "" && math.Abs(sum-1) > 1e-3 {
			t.Errorf("%s.%s: frequencies add up to %v", c.table, c.column, sum)
		}
	}
	if s := column("visits", "tags"); len(s.ElementFrequencies) == 0 || !strings.Contains(s.Elements, "word") {
		t.Errorf("tags: %+v", s)
	}
	visits, parts := f.Table("public", "visits"), f.Table("public", "parts")
	// 19 rows of 400 bytes and a header of 28 go into a block.
	if visits.Rows != 1e6 || visits.Pages != 52632 {
		t.Errorf("visits: %v rows, %d blocks", visits.Rows, visits.Pages)
	}
	if one := f.Table("public", "parts_1"); parts.Pages != 0 || parts.Rows != 100_000 || one.Rows != 50_000 || one.Pages == 0 || !parts.Columns[0].Inherited {
		t.Errorf("parts: %+v and %+v", parts, one)
	}
}
