package shadow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/migrationscan"
)

func applied(scripts ...[]string) []migrationscan.Applied {
	var out []migrationscan.Applied
	for _, s := range scripts {
		script := &migrationscan.Script{Path: "m.sql"}
		for i, text := range s {
			out = append(out, migrationscan.Applied{Script: script, Text: text, Path: script.Path, Line: i + 1})
		}
	}
	return out
}

func TestApply(t *testing.T) {
	conn := shadowtest.Connect(t)
	ctx := context.Background()
	problems, err := shadow.ApplyStatements(ctx, conn, applied(
		[]string{
			"set search_path = 'nowhere'",
			"set local search_path = public",
			"create table a (id bigint primary key, mood text)",
			"create table b (id bigint references missing)",
			"create index concurrently a_mood on a (mood)",
			"create extension if not exists vector with schema extensions",
			"create table c (id bigint, e extensions.vector(1536))",
			"grant select on a to planvet_test_nobody_made_me",
			"copy a from program 'true'",
			"create type m as enum ('x')", "alter type m add value 'y'", "create table e (m m default 'y')",
		},
		[]string{"create table d (id bigint)"}, // public again: the script before set another path
	))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error)
	}
	want := []string{`relation "missing" does not exist`, "extension vector is not on this server", "COPY with PROGRAM"}
	if len(got) != len(want) {
		t.Fatalf("problems are %q", got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("problem %d is %q, want %q", i, got[i], want[i])
		}
	}
	var types string
	err = conn.QueryRow(ctx, `select string_agg(format_type(atttypid, atttypmod), ' ' order by attnum) from pg_attribute
		where attrelid = 'public.c'::regclass and attnum > 0`).Scan(&types)
	if err != nil || types != "bigint extensions.vector(1536)" {
		t.Errorf("types %q, %v", types, err)
	}
	var tables int
	if err := conn.QueryRow(ctx, "select count(*) from pg_tables where schemaname = 'public'").Scan(&tables); err != nil || tables != 4 {
		t.Errorf("%d tables in public, %v", tables, err)
	}
}
