package migrationscan

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// A new migration has the name and the layout that the project's tool expects, and reads
// back as one: it is last, and what it makes is in the schema.
func TestNext(t *testing.T) {
	const ddl = "create index on visits (guest);\n"
	const table = "create table visits (id bigint primary key, guest bigint);\n"
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	for _, c := range []struct {
		name, format string
		files        []string // the first is the last migration
		text         string
		want         []string
		holds        string
	}{
		{"supabase", "supabase", []string{"supabase/migrations/20250110090000_base.sql"}, table, []string{"supabase/migrations/20260304050607_by_guest.sql"}, ddl},
		{"goose, numbers", "goose", []string{"db/00009_base.sql"}, "-- +goose Up\n" + table, []string{"db/00010_by_guest.sql"}, "-- +goose Up\n" + ddl + "\n-- +goose Down\n"},
		{"goose, times", "goose", []string{"db/20250110090000_base.sql"}, "-- +goose Up\n" + table, []string{"db/20260304050607_by_guest.sql"}, "-- +goose Up\n"},
		{"a time ahead", "goose", []string{"db/20990110090000_base.sql"}, "-- +goose Up\n" + table, []string{"db/20990110090001_by_guest.sql"}, "-- +goose Up\n"},
		{"golang-migrate", "golang-migrate", []string{"db/000001_base.up.sql", "db/000001_base.down.sql"}, table, []string{"db/000002_by_guest.up.sql", "db/000002_by_guest.down.sql"}, ddl},
		{"golang-migrate without down", "golang-migrate", []string{"db/1700000000_base.up.sql"}, table, []string{"db/1772600767_by_guest.up.sql"}, ddl},
		{"dbmate", "dbmate", []string{"db/migrations/20250110090000_base.sql"}, "-- migrate:up\n" + table + "-- migrate:down\n", []string{"db/migrations/20260304050607_by_guest.sql"}, "-- migrate:up\n" + ddl + "\n-- migrate:down\n"},
		{"sql-migrate", "sql-migrate", []string{"migrations/1-base.sql"}, "-- +migrate Up\n" + table, []string{"migrations/2-by-guest.sql"}, "-- +migrate Up\n" + ddl},
		{"tern", "tern", []string{"db/001_base.sql"}, table + "---- create above / drop below ----\ndrop table visits;\n", []string{"db/002_by_guest.sql"}, ddl + "\n---- create above / drop below ----\n"},
		{"flyway", "flyway", []string{"db/migration/V1_2__base.sql"}, table, []string{"db/migration/V1_3__by_guest.sql"}, ddl},
		{"flyway, dots", "flyway", []string{"db/migration/V2.10.9__base.sql"}, table, []string{"db/migration/V2.10.10__by_guest.sql"}, ddl},
		{"numbered", "numbered", []string{"migrations/0099_base.sql"}, table, []string{"migrations/0100_by_guest.sql"}, ddl},
		{"atlas", "numbered", []string{"migrations/20250110090000_base.sql", "migrations/atlas.sum"}, table, []string{"migrations/20260304050607_by_guest.sql"}, "atlas migrate hash"},
		{"a schema file", "plain", []string{"schema.sql"}, table, []string{"+schema.sql"}, "\n" + ddl},
		{"a dump", "dump", []string{"schema.sql"}, "--\n-- PostgreSQL database dump\n--\n" + table, nil, ""},
		{"prisma", "prisma", []string{"prisma/migrations/20250110090000_base/migration.sql"}, table, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for i, f := range c.files {
				text := "-- nothing\n"
				if i == 0 {
					text = c.text
				}
				fsys[f] = &fstest.MapFile{Data: []byte(text)}
			}
			set := discovered(t, fsys)
			if set.Format != c.format && !(c.format == "plain" && set.Format == "dump") {
				t.Fatalf("the format is %s", set.Format)
			}
			var got []string
			for i, a := range set.Next(fsys, "by_guest", ddl, at) {
				file := fsys[a.Path]
				if i == 0 && !strings.Contains(a.Text, c.holds) {
					t.Errorf("%s holds\n%s", a.Path, a.Text)
				}
				if a.Append {
					file.Data = append(file.Data, a.Text...)
					a.Path = "+" + a.Path
				} else if fsys[a.Path] = (&fstest.MapFile{Data: []byte(a.Text)}); file != nil {
					t.Errorf("%s is there already", a.Path)
				}
				got = append(got, a.Path)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("it adds %q, want %q", got, c.want)
			}
			if len(got) == 0 {
				return
			}
			set = discovered(t, fsys)
			if last := set.Scripts[len(set.Scripts)-1].Path; last != strings.TrimPrefix(got[0], "+") {
				t.Errorf("the last migration is %s", last)
			}
			r := Replay(set, ReplayOptions{}).Catalog.Relation("public", "visits")
			if r == nil || len(r.Indexes) != 2 {
				t.Errorf("after it visits is %+v", r)
			}
		})
	}
}

func discovered(t *testing.T, fsys fstest.MapFS) Set {
	t.Helper()
	d, err := Discover(fsys, Options{})
	if err != nil || len(d.Sets) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	return d.Sets[0]
}
