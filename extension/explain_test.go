package extension_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

const alice = "11111111-1111-1111-1111-111111111111"

// explainable has a table under a policy, roles, and a caller who is a member of one of
// them. The returned connection is the caller's.
func explainable(t *testing.T) (super, caller *pgx.Conn) {
	super = installed(t, authSchema, `create table notes (id int primary key, owner uuid, body text);
		insert into notes select i, ('11111111-1111-1111-1111-' || lpad((i % 100)::text, 12, '0'))::uuid, 'x' from generate_series(1, 5000) i;
		create index notes_owner_idx on notes (owner); analyze notes;
		alter table notes enable row level security;
		create policy own on notes using (owner = (select auth.uid()));
		create table closed (id int); create sequence numbers`)
	caller = role(t, super, "planvet_ext_caller")
	for _, r := range []string{"planvet_ext_app", "planvet_ext_other", `"planvet_ext we""ird'; drop table notes; --"`} {
		run(t, super, "do $x$ begin create role "+r+"; exception when duplicate_object then null; end $x$")
	}
	run(t, super, `grant planvet_ext_app, "planvet_ext we""ird'; drop table notes; --" to planvet_ext_caller`,
		`grant usage on schema auth to public; grant all on notes, numbers to planvet_ext_app, "planvet_ext we""ird'; drop table notes; --"`,
		"grant create on schema public to planvet_ext_app",
		"select planvet.set_readers(planvet.readers() || '{planvet_ext_caller}')")
	run(t, caller, "set statement_timeout = '3s'")
	return super, caller
}

// same is what a session must have before and after.
const same = "select current_user, session_user, current_setting('search_path'), current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('transaction_read_only'), coalesce(current_setting('request.jwt.claims', true), ''), (select count(*) from pg_cursors)"

func TestExplainAs(t *testing.T) {
	super, caller := explainable(t)
	before := ask(t, caller, same)
	claims := fmt.Sprintf(`{"sub": %q, "role": "authenticated"}`, alice)
	got := ask(t, caller, "select planvet.explain_as('planvet_ext_app', '"+claims+"', 'select * from notes')")
	if after := ask(t, caller, same); after != before {
		t.Errorf("the session was %s and is %s", before, after)
	}
	p, err := plan.Parse([]byte(got))
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if len(p.Accesses("public", "notes", "notes")) != 1 || !strings.Contains(got, "notes_owner_idx") {
		t.Errorf("the policy is not in the plan:\n%s", got)
	}
	// The same by hand.
	run(t, super, "begin; set local role planvet_ext_app", "select set_config('request.jwt.claims', '"+claims+"', true), set_config('request.jwt.claim.sub', '"+alice+"', true)",
		`set local search_path = "$user", public`)
	want := ask(t, super, "explain (verbose, settings, format json) select * from notes")
	run(t, super, "rollback")
	if got != want {
		t.Errorf("got\n%s\nby hand\n%s", got, want)
	}
	if got := ask(t, caller, "select planvet.explain_as('planvet_ext_app', null, 'select count(*) from notes', search_path => 'auth, public') is not null"); got != "t" {
		t.Error("without claims, with a search_path: no plan")
	}
	if _, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', null, 'select * from notes', 'auth')"); live.Code(err) != "42P01" {
		t.Errorf("under another search_path the table is found: %v", err)
	}
	// Nobody may read that table, and a null role is the caller.
	for _, r := range []string{"null", "'planvet_ext_caller'", "'planvet_ext_app'"} {
		if _, err := tryAsk(t, caller, "select planvet.explain_as("+r+", null, 'select * from closed')"); live.Code(err) != "42501" {
			t.Errorf("as %s: %v", r, err)
		}
	}
	if got := ask(t, caller, "select planvet.explain_as(null, null, 'select 1') is not null"); got != "t" {
		t.Error("as the caller: no plan")
	}
	if got := ask(t, caller, `select planvet.explain_as('planvet_ext we"ird''; drop table notes; --', '{"a''b": "\" ; drop"}', 'select 1 as "a;b"') is not null`); got != "t" {
		t.Error("a role and claims with quotes: no plan")
	}
	// Parameters are planned generically where the server can.
	text, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', null, 'select * from notes where id = $1')")
	if generic := ask(t, super, "select current_setting('server_version_num')::int >= 160000") == "t"; generic && (err != nil || !strings.Contains(text, "$1")) || !generic && live.Code(err) != "42P02" {
		t.Errorf("a parameter: %v\n%s", err, text)
	}
	// Writes are planned, and not done.
	for _, sql := range []string{"delete from notes", "update notes set body = null", "insert into notes values (0)", "with d as (delete from notes returning 1) select * from d",
		"select nextval('numbers')", "create table made as select * from notes", "select * into made from notes", " \n select 1;", "-- comment\nselect 1 /* ; */", "values (1)", "(select 1)"} {
		if _, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', null, $q$"+sql+"$q$)"); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got := ask(t, super, "select count(*), count(body), to_regclass('made'), (select is_called from numbers) from notes"); got != "5000|5000||f" {
		t.Errorf("something was done: %s", got)
	}
	// In a transaction block, after an error, the role is the caller's again.
	run(t, caller, "begin; savepoint s")
	before = ask(t, caller, same)
	tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', '{\"sub\": \"x\"}', 'select * from nowhere', 'auth')")
	run(t, caller, "rollback to s")
	if after := ask(t, caller, same); after != before {
		t.Errorf("after an error the session was %s and is %s", before, after)
	}
	run(t, caller, `do $$ begin
		perform planvet.explain_as('planvet_ext_app', '{"sub": "x"}', 'select * from nowhere', 'auth');
		exception when undefined_table then
			if current_user <> 'planvet_ext_caller' or current_setting('search_path') like '%auth%' or current_setting('request.jwt.claims', true) like '%x%' then
				raise exception 'left as %, %', current_user, current_setting('search_path');
			end if;
		end $$`, "rollback")
}

// TestExplainAsTakesOneStatement hands it what is none, or more.
func TestExplainAsTakesOneStatement(t *testing.T) {
	super, caller := explainable(t)
	// A session that may do everything, so that only the function stands in the way.
	run(t, super, "set statement_timeout = '3s'")
	for _, conn := range []*pgx.Conn{caller, super} {
		for sql, code := range map[string]string{
			"select 1; drop table notes":              "42P11",
			"drop table notes; select 1":              "42601",
			"select 1; select 2":                      "42P11",
			"select 1 /* */ ; delete from notes -- ":  "42P11",
			"analyze delete from notes":               "42601",
			"(analyze) delete from notes":             "42601",
			"verbose analyze delete from notes":       "42601",
			"analyze, format text) delete from notes": "42601",
			") select 1":                        "42601",
			"explain analyze delete from notes": "42601",
			"explain select 1":                  "42601",
			"copy notes to program 'touch /tmp/planvet_ext_was_here'": "42601",
			"copy (delete from notes returning 1) to stdout":          "42601",
			"do $$ begin drop table notes; end $$":                    "42601",
			"drop table notes":                                        "42601",
			"set role postgres":                                       "42601",
			"reset role":                                              "42601",
			"commit":                                                  "42601",
			"call nothing()":                                          "42601",
			"alter role planvet_ext_app superuser":                    "42601",
			"":                                                        "42601",
			";":                                                       "42601",
			"--":                                                      "42601",
			"/* select 1":                                             "42601",
			"select 'x":                                               "42601",
			"select $q$ unended":                                      "42601",
			"execute nothing":                                         "26000",
			"select 1; select pg_sleep(60)":                           "42P11",
		} {
			_, err := tryAsk(t, conn, "select planvet.explain_as('planvet_ext_app', null, "+literal(sql)+")")
			if live.Code(err) != code {
				t.Errorf("%q: %v, want %s", sql, err, code)
			}
		}
		if _, err := tryAsk(t, conn, "select planvet.explain_as('planvet_ext_app', null, null)"); live.Code(err) != "22004" {
			t.Errorf("null: %v", err)
		}
	}
	if got := ask(t, super, "select count(*) from notes"); got != "5000" {
		t.Errorf("%s notes are left", got)
	}
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// TestExplainAsTakesNoRole asks for roles that the caller is no member of.
func TestExplainAsTakesNoRole(t *testing.T) {
	super, caller := explainable(t)
	for r, code := range map[string]string{"postgres": "42501", "planvet_ext_other": "42501", "pg_read_all_data": "42501|42704", "none": "42704", "public": "42704", "no such role": "42704", "": "42704"} {
		_, err := tryAsk(t, caller, "select planvet.explain_as("+literal(r)+", null, 'select 1')")
		if c := live.Code(err); c == "" || !strings.Contains(code, c) {
			t.Errorf("as %q: %v, want %s", r, err, code)
		}
	}
	// SET ROLE asks the session's user, who is a superuser here; the caller is not.
	run(t, super, "set statement_timeout = '3s'; set role planvet_ext_caller")
	for _, r := range []string{"postgres", "planvet_ext_other"} {
		if _, err := tryAsk(t, super, "select planvet.explain_as('"+r+"', null, 'select 1')"); live.Code(err) != "42501" || !strings.Contains(err.Error(), "not a member") {
			t.Errorf("a superuser's session as planvet_ext_caller plans as %s: %v", r, err)
		}
	}
	if got := ask(t, super, "select planvet.explain_as('planvet_ext_app', null, 'select 1') is not null, current_user"); got != "t|planvet_ext_caller" {
		t.Errorf("as a role that it is a member of: %s", got)
	}
	run(t, super, "reset role")
	if ask(t, super, "select current_setting('server_version_num')::int >= 160000") == "t" {
		// A member that may not SET ROLE.
		run(t, super, "grant planvet_ext_other to planvet_ext_caller with inherit true, set false")
		defer run(t, super, "revoke planvet_ext_other from planvet_ext_caller")
		if _, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_other', null, 'select 1')"); live.Code(err) != "42501" {
			t.Errorf("as a role without the SET option: %v", err)
		}
	}
	// A function of another owner cannot lend its rights to it.
	run(t, super, "create function lend() returns json language sql security definer as $$ select planvet.explain_as('planvet_ext_app', null, 'select 1') $$; grant execute on function lend() to public")
	if got, err := tryAsk(t, caller, "select lend()"); err == nil {
		t.Errorf("within a security definer function it becomes a role: %s", got)
	}
}

// TestExplainAsRunsNothingThatLasts plans with functions that say they are immutable.
func TestExplainAsRunsNothingThatLasts(t *testing.T) {
	super, caller := explainable(t)
	run(t, super, "set role planvet_ext_app",
		`create function deletes() returns int language plpgsql as $$ begin delete from notes; return 1; end $$;
		create function writes() returns int language plpgsql immutable as $$ begin return deletes(); end $$;
		create function opens() returns int language plpgsql immutable as $$ begin perform set_config('transaction_read_only', 'off', false); return deletes(); end $$;
		create function counts() returns int language sql immutable as $$ select nextval('numbers')::int $$;
		create function leaves() returns int language plpgsql immutable as $$ begin perform set_config('role', 'none', false), set_config('app.left', current_user, false); return 1; end $$;
		create function lies() returns int language plpgsql immutable as $$ begin raise exception 'planned' using errcode = 'PV000'; end $$;
		create function sleeps() returns int language plpgsql immutable as $$ begin perform pg_sleep(30); return 1; end $$;
		create function keeps() returns int language plpgsql immutable as $$ declare c refcursor := 'kept'; begin open c for select 1; return 1; end $$;
		create function marks() returns int language plpgsql immutable as $$ begin raise exception 'it was called' using errcode = 'XX999'; end $$;
		reset role`)
	before := ask(t, caller, same)
	as := func(sql string) error {
		_, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', null, '"+sql+"')")
		return err
	}
	for f, code := range map[string]string{"writes": "25006", "counts": "25006", "lies": "PV000", "leaves": "", "keeps": "", "marks": "XX999"} {
		if err := as("select * from notes where id = " + f + "()"); live.Code(err) != code {
			t.Errorf("%s: %v, want %q", f, err, code)
		}
	}
	if err := as("select * from notes where id = opens()"); err == nil {
		t.Error("a function opened the transaction for writing")
	}
	if after := ask(t, caller, same+", coalesce(current_setting('app.left', true), '')"); after != before+"|" {
		t.Errorf("the session was %s and is %s", before, after)
	}
	if got := ask(t, super, "select count(*), (select is_called from numbers) from notes"); got != "5000|f" {
		t.Errorf("notes, numbers: %s", got)
	}

	run(t, caller, "set statement_timeout = '300ms'")
	start := time.Now()
	if err := as("select * from notes where id = sleeps()"); live.Code(err) != "57014" {
		t.Errorf("30 s of planning: %v", err)
	}
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("it took %v", d)
	}
	run(t, caller, "set statement_timeout = '3s'")
	if after := ask(t, caller, same); after != before {
		t.Errorf("after the timeout the session was %s and is %s", before, after)
	}
	for _, timeout := range []string{"0", "6s", "2h"} {
		run(t, caller, "set statement_timeout = '"+timeout+"'")
		if err := as("select marks()"); live.Code(err) != "55000" || !strings.Contains(err.Error(), "statement_timeout is ") {
			t.Errorf("with statement_timeout %s: %v", timeout, err)
		}
	}
	if _, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', null, 'select 1', timeout => '3 h')"); err != nil {
		t.Errorf("a longer timeout that the caller names: %v", err)
	}
	// A lock is waited for no longer than the statement may take.
	run(t, caller, "set statement_timeout = '2s'")
	run(t, super, "begin; lock table notes in access exclusive mode")
	if err := as("select * from notes"); live.Code(err) != "55P03" && live.Code(err) != "57014" {
		t.Errorf("a table that is locked: %v", err)
	}
	run(t, super, "rollback")
}

// TestExplainAsClaims plants claims and search paths that would be more than a value, and
// names in the session that would lead the function astray.
func TestExplainAsClaims(t *testing.T) {
	super, caller := explainable(t)
	run(t, super, `create schema planvet_evil; grant usage on schema planvet_evil to public;
		create function planvet_evil.lower(text) returns text language plpgsql immutable as $$ begin raise exception 'trapped' using errcode = 'XX998'; end $$`)
	before := ask(t, caller, same)
	for name, c := range map[string]struct{ args, code string }{
		"claims that are no object":          {`'[1, "x"]', 'select 1'`, ""},
		"claims that are a word":             {`'"x"', 'select 1'`, ""},
		"claims that name settings":          {`'{"role": "postgres", "search_path": "planvet_evil", "statement_timeout": "0"}', 'select 1'`, ""},
		"claims that end a text":             {`'{"sub": "x''; set role postgres; --"}', 'select 1'`, ""},
		"claims that are no JSON":            {`'{', 'select 1'`, "22P02"},
		"a search_path of several settings":  {`null, 'select 1', 'public; set role postgres'`, "22023"},
		"a search_path that ends its quotes": {`null, 'select 1', '"public'`, "22023"},
		"a search_path with a quoted quote":  {`null, 'select 1', '"pub""lic; drop table notes"'`, ""},
		"a search_path of a schema nowhere":  {`null, 'select 1', 'nowhere'`, ""},
		"no search_path":                     {`null, 'select * from notes', null`, "42P01"},
		"a timeout that is negative":         {`null, 'select 1', 'public', '-1 s'`, "55000"},
		"no timeout":                         {`null, 'select 1', 'public', null`, "55000"},
		"a trap that is searched for":        {`null, 'select lower(''X'')', 'planvet_evil, pg_catalog'`, "XX998"},
	} {
		_, err := tryAsk(t, caller, "select planvet.explain_as('planvet_ext_app', "+c.args+")")
		if live.Code(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if after := ask(t, caller, same); after != before {
			t.Errorf("%s: the session was %s and is %s", name, before, after)
		}
	}
	// Names of the caller's session do not reach the function: a search_path of traps, a
	// temporary table, a cursor named as its variable is.
	run(t, caller, "set search_path = planvet_evil, pg_catalog, public", "create temp table notes (id int)", "begin", "declare reader cursor for select 1")
	if got := ask(t, caller, `select planvet.explain_as('planvet_ext_app', '{"sub": "x"}', 'select owner from public.notes') is not null`); got != "t" {
		t.Errorf("in a session of traps: %s", got)
	}
	run(t, caller, "rollback", "reset search_path", "drop table pg_temp.notes")
	run(t, super, "drop schema planvet_evil cascade")
	if got := ask(t, super, "select count(*) from notes"); got != "5000" {
		t.Errorf("%s notes are left", got)
	}
}
