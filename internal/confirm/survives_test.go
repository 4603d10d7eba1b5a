package confirm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

const sessions = `
create table jobs (id bigint primary key, state text not null);
`

// stateOf is the finding of pool-session-state on one statement.
func stateOf(t *testing.T, e *env, sql string) rules.Finding {
	t.Helper()
	stmt, err := pgast.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	fs := sqllint.Check(e.cat, nil, sqllint.Options{
		Pooling:  &sqllint.Pooling{Declared: true},
		Commands: []*sqllint.Statement{{Text: sql, Stmt: stmt, Source: sqllint.FromSQL}},
	})
	if len(fs) != 1 {
		t.Fatalf("%s: %d findings", sql, len(fs))
	}
	return fs[0]
}

// TestSessionState: each feature of a session is there after commit, by the server's own
// word, and what the fix says instead is not.
func TestSessionState(t *testing.T) {
	e := newEnv(t, sessions)
	if err := e.exec("do $$ begin if to_regrole('planvet_session') is null then create role planvet_session; end if; end $$"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.exec("drop role if exists planvet_session") })
	for _, c := range []struct {
		sql string
		// fixed is set where the fix was tried as well.
		fixed bool
	}{
		{"set search_path = pg_catalog, public", true},
		{"set session statement_timeout to '5s'", true},
		{"set app.tenant = '42'", true},
		{"set role planvet_session", true},
		{"select set_config('app.tenant', $1, false)", true},
		{"select set_config('search_path', $1, false)", true},
		{"select id, pg_advisory_lock(id) from jobs where id = $1", true},
		{"select pg_try_advisory_lock_shared($1, $2)", true},
		{"prepare by_id (bigint) as select state from jobs where id = $1", false},
		{"listen jobs_changed", false},
		{`listen "Jobs'Changed"`, false},
		{"create temporary table picked (id bigint)", true},
		{"create temp table chosen as select id from jobs", true},
		{"select id into temp kept from jobs", true},
		{"declare c cursor with hold for select id from jobs where id = $1", true},
	} {
		t.Run(c.sql, func(t *testing.T) {
			v := ask(t, e, stateOf(t, e, c.sql))
			if v.Status != rules.Confirmed || v.Level != rules.Structural {
				t.Fatalf("%s (%s)", v.Status, v.Reason)
			}
			if fixed := slices.ContainsFunc(v.Facts, func(f string) bool { return strings.HasPrefix(f, "the fix leaves nothing") }); fixed != c.fixed {
				t.Errorf("facts %q, want the fix tried: %v", v.Facts, c.fixed)
			}
		})
	}
}

// TestSessionRefuted: the probe tells what stays from what does not.
func TestSessionRefuted(t *testing.T) {
	e := newEnv(t, sessions)
	for _, c := range []struct {
		sql, instead string // run in place of the finding's
		want         rules.Status
		reason       string
	}{
		{"set statement_timeout = 0", "", rules.Confirmed, ""}, // the default's value, set by the session all the same
		{"set statement_timeout = '5s'", "set local statement_timeout = '5s'", rules.Refuted, "not so"},
		{"select pg_advisory_lock($1)", "select pg_advisory_xact_lock(1)", rules.Refuted, "not so"},
		{"create temp table x (a int)", "create temp table x (a int) on commit drop", rules.Refuted, "not so"},
		{"listen jobs", "notify jobs", rules.Refuted, "not so"},
		{"set role nobody_of_that_name", "", rules.Inconclusive, "does not exist"},
		{"prepare p as select * from no_such_table", "", rules.Inconclusive, "no_such_table"},
	} {
		t.Run(c.sql+c.instead, func(t *testing.T) {
			f := stateOf(t, e, c.sql)
			if c.instead != "" {
				p := *f.Probe
				p.SQL, f.Probe = c.instead, &p
			}
			if v := ask(t, e, f); v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("%s (%s), want %s (%s)", v.Status, v.Reason, c.want, c.reason)
			}
		})
	}
	t.Run("the fix leaves it too", func(t *testing.T) {
		f := stateOf(t, e, "select pg_advisory_lock($1)")
		p := *f.Probe
		p.SetSQL, f.Probe = "select pg_advisory_lock_shared(1)", &p
		if v := ask(t, e, f); v.Status != rules.Inconclusive {
			t.Errorf("%s (%s)", v.Status, v.Reason)
		}
	})
}

// TestSessionLive: a server that the user names is not tried out.
func TestSessionLive(t *testing.T) {
	e := newEnv(t, sessions)
	s, err := live.Connect(context.Background(), e.url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	fs, err := confirm.Confirm(context.Background(), e.cat, []rules.Finding{stateOf(t, e, "listen jobs")}, confirm.Options{Server: s, Live: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := fs[0].Verdict; v.Status != rules.Inconclusive || !strings.Contains(v.Reason, "--confirm shadow") {
		t.Errorf("%s (%s)", v.Status, v.Reason)
	}
	if _, err := s.Survives(context.Background(), "listen jobs", "select true"); err == nil {
		t.Error("a statement ran in a session of a named server")
	}
}

// exec runs statements in the database of the cases, outside of a transaction.
func (e *env) exec(sql string) error {
	ctx := context.Background()
	s, err := live.Connect(ctx, e.url, live.Options{Writable: true})
	if err != nil {
		return err
	}
	defer s.Close(ctx)
	if _, err := s.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
