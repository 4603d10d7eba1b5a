package extension_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestCountersGiveNoTexts attacks planvet.statement_counters, which reads as its owner:
// what others wrote is in no value of it, nor is another database, whatever the caller
// calls pg_stat_statements, and only readers may call it.
func TestCountersGiveNoTexts(t *testing.T) {
	other := shadowtest.Connect(t, "create extension pg_stat_statements", "create table elsewhere (id int)", "select id from elsewhere where id = 4711")
	conn := installed(t, "create schema extensions", "create extension pg_stat_statements schema extensions", "create table people (id int, email text)")
	const secret = "hunter2-planted"
	run(t, conn, "drop role if exists planvet_ext_secret", "create role planvet_ext_secret password '"+secret+"'",
		"set planvet.note = '"+secret+"'", "do $$ begin perform '"+secret+"'; end $$", `select 1 as "`+secret+`"`, "select id from people where email = '"+secret+"'")
	reader, stranger := role(t, conn, "planvet_ext_reader"), role(t, conn, "planvet_ext_stranger")
	const counters = "select c::text from planvet.statement_counters() c"

	// Nobody but readers, whose right ends with their name.
	for _, c := range []string{"before", "after"} {
		run(t, conn, "select planvet.set_readers('{planvet_ext_reader}')")
		if c == "after" {
			run(t, conn, "select planvet.set_readers('{}')")
		}
		for name, asks := range map[string]bool{"reader": c == "before", "stranger": false} {
			as := map[string]func() error{
				"reader":   func() error { _, err := tryAsk(t, reader, counters); return err },
				"stranger": func() error { _, err := tryAsk(t, stranger, counters); return err },
			}[name]
			if err := as(); (err == nil) != asks || err != nil && live.Code(err) != "42501" {
				t.Errorf("%s, %s its name is on the list: %v", name, c, err)
			}
		}
	}
	run(t, conn, "select planvet.set_readers('{planvet_ext_reader}')")
	if got := ask(t, conn, "select coalesce(string_agg(a.grantee::text, ' '), '') from pg_proc p, aclexplode(p.proacl) a where p.proname = 'statement_counters' and a.grantee = 0"); got != "" {
		t.Error("everybody may call it")
	}

	all := ask(t, reader, counters)
	if n := strings.Count(all, "\n") + 1; n < 6 {
		t.Fatalf("%d rows: there is nothing to leak", n)
	}
	if strings.Contains(all, secret) || strings.Contains(all, "people") || strings.Contains(all, `"query"`) {
		t.Errorf("texts of others are in\n%s", all)
	}
	// Each key is a figure of pg_stat_statements, an id or a time.
	if got := ask(t, reader, "select coalesce(string_agg(distinct k.key || ' ' || jsonb_typeof(k.value), ', '), '') from planvet.statement_counters() c, jsonb_each(c) k where jsonb_typeof(k.value) not in ('number', 'boolean') and k.key not in ('userid', 'dbid', 'stats_since', 'minmax_stats_since')"); got != "" {
		t.Errorf("values that are no figures: %s", got)
	}
	// Rows are of this database.
	if got := ask(t, reader, "select count(distinct c ->> 'dbid'), bool_and(c ->> 'dbid' = (select oid::text from pg_database where datname = current_database())) from planvet.statement_counters() c"); got != "1|t" {
		t.Errorf("databases: %s", got)
	}
	if got := ask(t, other, "select count(*) > 0 from pg_stat_statements where query like '%elsewhere where%'"); got != "t" {
		t.Errorf("the other database has counted nothing: %s", got)
	}

	// A caller's own pg_stat_statements, first in its path, is not what is read; nor does it
	// run with the owner's rights.
	run(t, conn, "create schema theirs authorization planvet_ext_reader")
	run(t, reader, "create function theirs.spy() returns bigint language plpgsql as $$ begin if current_user <> 'planvet_ext_reader' then raise exception 'runs as %', current_user; end if; return 666; end $$",
		"create view theirs.pg_stat_statements as select theirs.spy() as queryid, 'x'::text as query, 0::oid as dbid",
		"create temp view pg_stat_statements as select theirs.spy() as queryid, 'x'::text as query, 0::oid as dbid",
		"create function theirs.statements_schema() returns name language sql as $$ select 'theirs'::name $$",
		"create function theirs.to_jsonb(anyelement) returns jsonb language plpgsql as $$ begin raise exception 'runs as %', current_user; end $$",
		"create function theirs.format(text, variadic text[]) returns text language plpgsql as $$ begin raise exception 'runs as %', current_user; end $$",
		"set search_path = pg_temp, theirs, pg_catalog")
	if got := ask(t, reader, "select count(*) > 5, bool_or(c ->> 'queryid' = '666') from planvet.statement_counters() c"); got != "t|f" {
		t.Errorf("a caller's own pg_stat_statements is read: %s", got)
	}
	// An error of it says nothing of others either.
	run(t, conn, "drop extension pg_stat_statements")
	if _, err := tryAsk(t, reader, counters); live.Code(err) != "42704" || strings.Contains(err.Error(), secret) {
		t.Errorf("without pg_stat_statements: %v", err)
	}
}
