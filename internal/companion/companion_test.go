package companion_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func session(t *testing.T, url, role string) *live.Session {
	t.Helper()
	s, err := live.Connect(t.Context(), strings.Replace(url, "postgres@", role+"@", 1), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func run(t *testing.T, s *live.Session, sql ...string) {
	t.Helper()
	for _, q := range sql {
		if _, err := s.Conn().PgConn().Exec(t.Context(), q).ReadAll(); err != nil {
			t.Fatalf("%v\n%s", err, q)
		}
	}
}

func ask(t *testing.T, s *live.Session, sql string) string {
	t.Helper()
	rows, err := s.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	if len(rows) == 0 || rows[0][0] == nil {
		return ""
	}
	return *rows[0][0]
}

func status(t *testing.T, s *live.Session) *companion.State {
	t.Helper()
	st, err := companion.Status(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func apply(t *testing.T, s *live.Session, c *companion.Change, err error) *companion.State {
	t.Helper()
	if err == nil {
		err = c.Apply(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return status(t, s)
}

// database is a fresh one with an owner who is no superuser.
func database(t *testing.T) (url string, super, own *live.Session) {
	t.Helper()
	url = shadowtest.URL(t)
	super = session(t, url, "postgres")
	for _, r := range []string{"planvet_c_own", "planvet_c_low"} {
		run(t, super, "do $$ begin create role "+r+" login; exception when duplicate_object then null; end $$")
	}
	run(t, super, "create extension pg_stat_statements", `do $$ begin execute format('grant create on database %I to planvet_c_own', current_database()); end $$`)
	return url, super, session(t, url, "planvet_c_own")
}

const everything = `select concat_ws(' ', (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_namespace),
	(select count(*) from pg_type), (select count(*) from pg_policy), (select count(*) from pg_depend), (select count(*) from pg_roles),
	(select count(*) from pg_description), (select count(*) from pg_shdepend), (select count(*) from pg_default_acl))`

func TestLifecycle(t *testing.T) {
	_, super, own := database(t)
	before := ask(t, super, everything)
	st := status(t, own)
	if st.Kind != companion.Absent || st.Version != "" || st.MayUse || len(st.Gains) == 0 || st.Statements == "" || st.AllStats || st.Role != "planvet_c_own" {
		t.Errorf("before: %+v", st)
	}
	if c, err := companion.Remove(t.Context(), own); err != nil || c.SQL != "" {
		t.Errorf("removing nothing: %+v, %v", c, err)
	}
	if _, err := companion.Upgrade(t.Context(), own); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "run planvet companion install") {
		t.Errorf("upgrading nothing: %v", err)
	}

	c, err := companion.Install(t.Context(), own, "1.0", []string{"planvet_c_low"})
	st = apply(t, own, c, err)
	if st.Kind != companion.Companion || st.Version != "1.0" || st.Newest != extension.Version() || !st.MayUse || !st.MayChange || st.Owner != "planvet_c_own" ||
		fmt.Sprint(st.Readers) != "[pg_monitor planvet_c_low]" || len(st.Others) > 0 || len(st.Gains) == 0 {
		t.Errorf("installed: %+v", st)
	}
	if _, err := companion.Install(t.Context(), own, "", nil); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "planvet companion upgrade") {
		t.Errorf("installing over 1.0: %v", err)
	}
	run(t, own, "select planvet.snapshot()")

	c, err = companion.Upgrade(t.Context(), own)
	st = apply(t, own, c, err)
	if st.Version != extension.Version() || st.Snapshots != 1 || fmt.Sprint(st.Readers) != "[pg_monitor planvet_c_low]" || len(st.Gains) > 0 || len(st.Others) > 0 {
		t.Errorf("upgraded: %+v", st)
	}
	if got := ask(t, own, "select count(*) from planvet.lock_tree()"); got != "0" {
		t.Errorf("lock_tree: %s", got)
	}
	if c, err := companion.Upgrade(t.Context(), own); err != nil || c.SQL != "" {
		t.Errorf("a second upgrade: %+v, %v", c, err)
	}
	if c, err := companion.Install(t.Context(), own, "", []string{"planvet_c_low"}); err != nil || c.SQL != "" {
		t.Errorf("a second install: %+v, %v", c, err)
	}
	c, err = companion.Install(t.Context(), own, "", []string{"pg_signal_backend"})
	if st = apply(t, own, c, err); fmt.Sprint(st.Readers) != "[pg_monitor pg_signal_backend planvet_c_low]" {
		t.Errorf("a further reader: %v", st.Readers)
	}

	c, err = companion.Remove(t.Context(), own)
	if st = apply(t, own, c, err); st.Kind != companion.Absent {
		t.Errorf("removed: %+v", st)
	}
	if after := ask(t, super, everything); after != before {
		t.Errorf("something is left: before %s, after %s", before, after)
	}
}

// A reader and a stranger see what is theirs to see.
func TestOthersStatus(t *testing.T) {
	url, super, own := database(t)
	low := session(t, url, "planvet_c_low")
	c, err := companion.Install(t.Context(), own, "", nil)
	apply(t, own, c, err)
	if st := status(t, low); st.Kind != companion.Companion || st.Version != extension.Version() || st.MayUse || st.MayChange || len(st.Gains) == 0 {
		t.Errorf("a stranger: %+v", st)
	}
	for name, f := range map[string]func() error{
		"upgrade": func() error { _, err := companion.Upgrade(t.Context(), low); return err },
		"remove":  func() error { _, err := companion.Remove(t.Context(), low); return err },
		"install": func() error { _, err := companion.Install(t.Context(), low, "", nil); return err },
	} {
		if err := f(); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "planvet_c_own") {
			t.Errorf("a stranger may %s: %v", name, err)
		}
	}
	run(t, own, "select planvet.set_readers(planvet.readers() || '{planvet_c_low}')")
	if st := status(t, low); !st.MayUse || st.MayChange || len(st.Gains) > 0 {
		t.Errorf("a reader: %+v", st)
	}
	// A superuser who called a lesser owner's functions would run what that wrote.
	run(t, own, "create or replace function planvet.version() returns text language plpgsql as $$ begin execute 'alter role planvet_c_own superuser'; return 'x'; end $$",
		"insert into planvet.companion values ('table', 'planvet.x; alter role planvet_c_own superuser')")
	if st := status(t, super); !st.Distrusted || st.MayUse || st.MayChange || st.Version != extension.Version() {
		t.Errorf("a superuser: %+v", st)
	}
	if _, err := companion.Remove(t.Context(), super); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "remove it as planvet_c_own") {
		t.Errorf("a superuser removes it: %v", err)
	}
	c, err = companion.Remove(t.Context(), own)
	apply(t, own, c, err)
	if got := ask(t, super, "select rolsuper::text from pg_roles where rolname = 'planvet_c_own'"); got != "false" {
		t.Error("the owner became a superuser")
	}
}

// Nothing that the companion did not make is touched.
func TestForeignObjects(t *testing.T) {
	url, super, own := database(t)
	run(t, own, "create schema planvet", "create table planvet.mine (id int)")
	for _, f := range []func() (*companion.Change, error){
		func() (*companion.Change, error) { return companion.Install(t.Context(), own, "", nil) },
		func() (*companion.Change, error) { return companion.Upgrade(t.Context(), own) },
		func() (*companion.Change, error) { return companion.Remove(t.Context(), own) },
	} {
		if _, err := f(); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "planvet did not make") {
			t.Errorf("over somebody's schema: %v", err)
		}
	}
	run(t, own, "drop schema planvet cascade")

	c, err := companion.Install(t.Context(), own, "1.0", nil)
	apply(t, own, c, err)
	run(t, own, "create table planvet.mine (id int)", "create function planvet.mine() returns int language sql as 'select 1'")
	if st := status(t, own); !slices.Equal(st.Others, []string{"function planvet.mine()", "table planvet.mine"}) {
		t.Errorf("others: %v", st.Others)
	}
	for name, f := range map[string]func(context.Context, *live.Session) (*companion.Change, error){"upgrade": companion.Upgrade, "remove": companion.Remove} {
		if _, err := f(t.Context(), own); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "table planvet.mine") {
			t.Errorf("%s with somebody's table in the schema: %v", name, err)
		}
	}
	run(t, super, "grant create on schema public to planvet_c_own")
	run(t, own, "drop table planvet.mine", "drop function planvet.mine()", "create view public_view as select * from planvet.unindexed_foreign_keys")
	t.Run("a view on it", func(t *testing.T) {
		c, err := companion.Remove(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(t.Context(), own); live.Code(err) != "2BP01" || !strings.Contains(err.Error(), "public_view depends on view planvet.unindexed_foreign_keys") {
			t.Errorf("%v", err)
		}
		if st := status(t, own); st.Kind != companion.Companion || st.Version != "1.0" {
			t.Errorf("a removal that failed changed something: %+v", st)
		}
	})
	run(t, own, "drop view public_view")
	c, err = companion.Remove(t.Context(), own)
	apply(t, own, c, err)

	// Whoever may not create, and what a server that refuses leaves.
	low := session(t, url, "planvet_c_low")
	if _, err := companion.Install(t.Context(), low, "", nil); !errors.Is(err, companion.ErrRefused) || !strings.Contains(err.Error(), "grant create on database") {
		t.Errorf("without the right to create: %v", err)
	}
	c, err = companion.Install(t.Context(), own, "", []string{"no_such_role"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), own); live.Code(err) != "42704" {
		t.Errorf("a reader that is not there: %v", err)
	}
	if st := status(t, super); st.Kind != companion.Absent {
		t.Errorf("an installation that failed left %+v", st)
	}
	if _, err := companion.Install(t.Context(), own, "7.0", nil); !errors.Is(err, companion.ErrRefused) {
		t.Errorf("a version that is not there: %v", err)
	}
}

// The owner of a companion of another role's making, and one in a database of Supabase's
// layout: extensions apart, a role that is no superuser but reads all statistics.
func TestSupabase(t *testing.T) {
	url := shadowtest.URL(t)
	super := session(t, url, "postgres")
	run(t, super, "do $$ begin create role planvet_c_supa login createrole; exception when duplicate_object then null; end $$",
		"grant pg_monitor to planvet_c_supa", "create schema extensions", "create extension pg_stat_statements schema extensions",
		"grant usage on schema extensions to planvet_c_supa",
		`do $$ begin execute format('alter database %I owner to planvet_c_supa', current_database()); end $$`,
		"do $$ begin create role planvet_c_anon; exception when duplicate_object then null; end $$",
		"grant planvet_c_anon to planvet_c_supa")
	supa := session(t, url, "planvet_c_supa")
	run(t, supa, "alter default privileges grant execute on functions to planvet_c_anon", "alter default privileges grant all on tables to planvet_c_anon")
	c, err := companion.Install(t.Context(), supa, "", nil)
	st := apply(t, supa, c, err)
	if st.Kind != companion.Companion || !st.AllStats || !strings.HasSuffix(st.Statements, " in extensions") {
		t.Errorf("%+v", st)
	}
	run(t, super, "select 'what the superuser did'")
	run(t, supa, "select planvet.snapshot()")
	if got := ask(t, supa, "select count(*)::text from planvet.snapshot_texts where query = 'select $1'"); got == "0" {
		t.Error("the superuser's statement is not in the snapshot")
	}
	if got := ask(t, supa, "select hidden::text from planvet.snapshots"); got != "0" {
		t.Errorf("%s rows are hidden", got)
	}
	if got := ask(t, supa, "select has_function_privilege('planvet_c_anon', 'planvet.snapshot()', 'execute')::text || has_table_privilege('planvet_c_anon', 'planvet.snapshots', 'select')::text"); got != "falsefalse" {
		t.Errorf("default privileges let planvet_c_anon in: %s", got)
	}
	c, err = companion.Remove(t.Context(), supa)
	apply(t, supa, c, err)
}
