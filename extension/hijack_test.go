package extension_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/live"
)

// plant makes traps in the schema evil: an operator for each of PostgreSQL's, and a
// function for each that the scripts call, which fail when they are called; and in
// pg_temp an empty table for each catalog that the scripts read. From then on the
// session looks there first.
func plant(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	steps, err := extension.Path("", extension.Version())
	if err != nil {
		t.Fatal(err)
	}
	var names, relations []string
	for _, s := range steps {
		for _, m := range regexp.MustCompile(`(\w+)\(`).FindAllStringSubmatch(s.SQL, -1) {
			names = append(names, m[1])
		}
		relations = append(relations, regexp.MustCompile(`\bpg_[a-z_]+`).FindAllString(s.SQL, -1)...)
	}
	run(t, conn, fmt.Sprintf(`do $do$
		declare o record;
		begin
			for o in select distinct on (p.proname, p.proargtypes) p.proname, pg_get_function_identity_arguments(p.oid) as args, p.prorettype, p.proretset
				from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in (%s) and p.prokind in ('f', 'a')
			loop
				begin
					execute format('create function evil.%%I(%%s) returns %%s %%s language plpgsql as $f$ begin raise exception ''hijacked''; end $f$',
						o.proname, o.args, case when o.proretset then 'setof' else '' end, o.prorettype::regtype);
				exception when others then null; -- pseudo-types
				end;
			end loop;
			for o in select row_number() over () as n, p.oprname, p.oprleft, p.oprright, p.oprresult from pg_operator p
				where p.oprnamespace = 'pg_catalog'::regnamespace and p.oprleft <> 0 and p.oprresult <> 0
			loop
				begin
					execute format('create function evil.op%%s(%%s, %%s) returns %%s language plpgsql as $f$ begin raise exception ''hijacked''; end $f$',
						o.n, o.oprleft::regtype, o.oprright::regtype, o.oprresult::regtype);
					execute format('create operator evil.%%s (leftarg = %%s, rightarg = %%s, procedure = evil.op%%s)', o.oprname, o.oprleft::regtype, o.oprright::regtype, o.n);
				exception when others then null;
				end;
			end loop;
			for o in select distinct c.relname from pg_class c where c.relnamespace = 'pg_catalog'::regnamespace and c.relname in (%s)
			loop
				execute format('create temp table %%I (nothing int)', o.relname);
			end loop;
		end $do$`, list(names), list(relations)))
	run(t, conn, "set search_path = pg_temp, evil, public, pg_catalog")
}

func list(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, literal(n))
	}
	return strings.Join(out, ", ")
}

// TestHijack has a caller who looks for everything in his own schemas first: each
// function and view answers what it answers to others.
func TestHijack(t *testing.T) {
	conn := installed(t, authSchema, "create extension pg_stat_statements", "create schema evil",
		`create table parent (id int primary key); create table kids (p int references parent);
		create table notes (id int primary key, owner uuid); alter table notes enable row level security;
		create policy own on notes using (owner = auth.uid())`)
	evil := role(t, conn, "planvet_ext_evil")
	run(t, conn, "grant all on schema evil to planvet_ext_evil", "grant create on schema public to planvet_ext_evil",
		"select planvet.set_readers(planvet.readers() || '{planvet_ext_evil}')", "grant select on notes to planvet_ext_evil")
	snapshot(t, conn)
	run(t, conn, "select 5 as planted")
	snapshot(t, conn)
	holder := open(t, conn.Config().ConnString())
	run(t, holder, "begin; lock table kids in access exclusive mode")
	behind(t, conn, open(t, conn.Config().ConnString()), "select * from kids")
	run(t, evil, "set statement_timeout = '4s'")

	asked := map[string]string{
		"version":                "select planvet.version()",
		"statements_schema":      "select planvet.statements_schema()",
		"readers":                "select planvet.readers()",
		"delta_window":           "select d.first_id, d.last_id, d.evicted from planvet.delta_window() d",
		"statement_deltas":       "select queryid, calls, rows, exec_ms, stddev_ms, plan_ms, query from planvet.statement_deltas()",
		"bare_calls":             "select planvet.bare_calls('(owner = auth.uid())')",
		"unindexed_foreign_keys": "select * from planvet.unindexed_foreign_keys",
		"policy_report":          "select * from planvet.policy_report",
		"statement_counters":     "select pg_catalog.count(*) operator(pg_catalog.>) 5 from planvet.statement_counters()",
		"lock_tree":              "select depth, pid, blocked_by, username, state, relation from planvet.lock_tree()",
		"activity":               "select pid from planvet.activity()",
		"pool_state":             "select username, connections from planvet.pool_state() where application_name operator(pg_catalog.<>) ''",
		"connection_headroom":    "select max_connections, reserved from planvet.connection_headroom()",
		"snapshot":               "select planvet.snapshot()",
		"explain_as":             "select planvet.explain_as('planvet_ext_evil', '{\"sub\": \"" + alice + "\"}', 'select id from public.notes')",
	}
	before := map[string]string{}
	for name, sql := range asked {
		before[name] = ask(t, evil, sql)
		if before[name] == "" {
			t.Errorf("%s answers nothing: there is nothing to compare", name)
		}
	}
	run(t, conn, "update planvet.snapshots set taken_at = clock_timestamp() where id = (select max(id) from planvet.snapshots)")
	plant(t, evil)
	// The traps work.
	for _, sql := range []string{"select 'a'::text || 'b'::text", "select 1 = 1", "select current_setting('port')", "select sum(1.0::double precision)"} {
		if _, err := tryAsk(t, evil, sql); err == nil || !strings.Contains(err.Error(), "hijacked") {
			t.Errorf("%s is no trap: %v", sql, err)
		}
	}
	if got := ask(t, evil, "select x.* from pg_class x"); got != "" {
		t.Error("pg_class is no trap")
	}
	for name, sql := range asked {
		got, err := tryAsk(t, evil, sql)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "explain_as" {
			got = strings.ReplaceAll(got, `"search_path": "pg_temp, evil, public, pg_catalog"`, "")
		}
		if got != before[name] {
			t.Errorf("%s answers\n%s\nand answered\n%s", name, got, before[name])
		}
	}
	// With the caller's own search_path for the caller's statement, traps are the
	// caller's: the statement's operators are taken from there, as the role.
	if _, err := tryAsk(t, evil, "select planvet.explain_as('planvet_ext_evil', null, 'select 1', 'pg_temp, evil, pg_catalog')"); err != nil {
		t.Errorf("a statement without operators, under the traps: %v", err)
	}
	if got, err := tryAsk(t, evil, "select planvet.explain_as('planvet_ext_evil', null, 'select id + 1 from public.notes where id = 1', 'pg_temp, evil, pg_catalog')"); err == nil || !strings.Contains(err.Error(), "hijacked") {
		t.Errorf("under the traps the statement is planned with PostgreSQL's own operators: %v\n%s", err, got)
	}

	// Installed over planted traps, the objects are the same.
	clean := ask(t, conn, created)
	other := open(t, conn.Config().ConnString())
	run(t, conn, "rollback", "drop schema planvet cascade")
	plant(t, other)
	install(t, other)
	run(t, conn, "select planvet.set_readers(planvet.readers() || '{planvet_ext_evil}')")
	if got := ask(t, conn, created); got != clean {
		t.Errorf("installed over traps:\n%s\nwithout:\n%s", got, clean)
	}
}

// TestRights reads from the catalog who may do what.
func TestRights(t *testing.T) {
	conn := installed(t, "create role planvet_ext_default", "alter default privileges grant execute on functions to planvet_ext_default",
		"alter default privileges grant all on tables to planvet_ext_default", "alter default privileges grant usage on schemas to planvet_ext_default",
		"alter default privileges grant all on sequences to planvet_ext_default")
	defer run(t, conn, "drop owned by planvet_ext_default", "drop role planvet_ext_default")
	for name, c := range map[string]struct{ sql, want string }{
		"a fixed search_path": {`select string_agg(p.oid::regprocedure::text, ',') from pg_proc p where p.pronamespace = 'planvet'::regnamespace
			and not coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)`, ""},
		"security definer": {`select string_agg(p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', ',' order by p.proname) from pg_proc p where p.pronamespace = 'planvet'::regnamespace and p.prosecdef`,
			"activity(),snapshot(),statement_counters()"},
		"nobody but the owner and pg_monitor": {`select string_agg(distinct r::text, ',') from (
			select a.grantee::regrole from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where p.pronamespace = 'planvet'::regnamespace and a.grantee <> p.proowner
			union select a.grantee::regrole from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'planvet'::regnamespace and a.grantee <> c.relowner
			union select a.grantee::regrole from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'planvet' and a.grantee <> n.nspowner) as u (r)`, "pg_monitor"},
		"pg_monitor writes nothing": {`select string_agg(distinct a.privilege_type, ',') from pg_class c, aclexplode(c.relacl) a
			where c.relnamespace = 'planvet'::regnamespace and a.grantee = 'pg_monitor'::regrole`, "SELECT"},
		"the owner's own": {`select string_agg(p.proname, ',' order by p.proname) from pg_proc p where p.pronamespace = 'planvet'::regnamespace
			and not has_function_privilege('pg_monitor', p.oid, 'execute')`, "prune,set_readers"},
		"comments": {`select string_agg(p.proname, ',') from pg_proc p where p.pronamespace = 'planvet'::regnamespace and obj_description(p.oid, 'pg_proc') is null`, ""},
	} {
		if got := ask(t, conn, c.sql); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	low := role(t, conn, "planvet_ext_nobody")
	for _, sql := range []string{"select planvet.version()", "select planvet.snapshot()", "select planvet.activity()", "select * from planvet.snapshots"} {
		if _, err := tryAsk(t, low, sql); live.Code(err) != "42501" {
			t.Errorf("%s as nobody: %v", sql, err)
		}
	}
	run(t, conn, "select planvet.set_readers('{planvet_ext_nobody}')")
	for _, sql := range []string{"select planvet.prune('0 s')", "select planvet.set_readers('{}')", "delete from planvet.snapshots", "update planvet.retention set keep = '1 s'",
		"insert into planvet.snapshot_texts values (1, 1, '')", "create function planvet.version(int) returns text language sql as ''", "truncate planvet.snapshots",
		"alter table planvet.snapshot_texts disable row level security", "create table planvet.pg_class ()"} {
		if _, err := tryAsk(t, low, sql); live.Code(err) != "42501" {
			t.Errorf("%s as a reader: %v", sql, err)
		}
	}
	if got := ask(t, conn, "select planvet.readers(), has_schema_privilege('pg_monitor', 'planvet', 'usage')"); got != "{planvet_ext_nobody}|f" {
		t.Errorf("readers, pg_monitor: %s", got)
	}
	odd := `odd "role'; drop schema planvet cascade; --`
	run(t, conn, "do $x$ begin create role "+pgx.Identifier{odd}.Sanitize()+"; exception when duplicate_object then null; end $x$",
		"select planvet.set_readers(array["+literal(odd)+"]::name[])")
	if got := ask(t, conn, "select (planvet.readers())[1]"); got != odd {
		t.Errorf("reader %q", got)
	}
	if _, err := tryAsk(t, conn, "select planvet.set_readers('{no_such_role}')"); live.Code(err) != "42704" {
		t.Errorf("a role that is not there: %v", err)
	}
	run(t, conn, "select planvet.set_readers('{}')")
}
