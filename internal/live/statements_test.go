package live_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func statements(t *testing.T, url string) (*live.Statements, error) {
	t.Helper()
	s, err := live.Connect(t.Context(), url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	return s.Statements(t.Context())
}

// TestStatements has the extension where Supabase has it, and where most have it.
func TestStatements(t *testing.T) {
	for _, schema := range []string{"extensions", "public"} {
		t.Run(schema, func(t *testing.T) {
			conn := shadowtest.Connect(t, "create schema if not exists "+schema, "create extension pg_stat_statements schema "+schema,
				"create table things as select i as id, 'secret' as note from generate_series(1, 1000) i")
			for range 3 {
				if _, err := conn.Exec(t.Context(), "select note from things where id > $1", 10); err != nil {
					t.Fatal(err)
				}
			}
			got, err := statements(t, conn.Config().ConnString())
			if err != nil {
				t.Fatal(err)
			}
			if got.Schema != schema || got.Extension == "" || got.Hidden != 0 {
				t.Errorf("got schema %q, extension %q, %d hidden", got.Schema, got.Extension, got.Hidden)
			}
			i := slices.IndexFunc(got.All, func(s live.Statement) bool { return strings.HasPrefix(s.Query, "select note from things") })
			if i < 0 {
				t.Fatal("the statement is not there")
			}
			s := got.All[i]
			if s.Calls != 3 || s.Rows != 3*990 || s.SharedHit+s.SharedRead == 0 || s.ExecMS <= 0 || s.ExecMS < s.MaxExecMS || s.QueryID == 0 || !s.TopLevel {
				t.Errorf("got %+v", s)
			}
			if got.Evicted >= 0 == got.Reset.IsZero() {
				t.Errorf("evicted %d, reset at %v: the extension tells both or neither", got.Evicted, got.Reset)
			}
		})
	}
}

func TestStatementsThatAreNotThere(t *testing.T) {
	conn := shadowtest.Connect(t)
	_, err := statements(t, conn.Config().ConnString())
	if !errors.Is(err, live.ErrNoStatements) || !strings.Contains(err.Error(), "create extension") {
		t.Errorf("got %v", err)
	}
}

func TestStatementsOfOthersAreHidden(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "select 'what others did'",
		"do $$ begin create role planvet_low login; exception when duplicate_object then null; end $$")
	cfg := conn.Config().ConnString()
	low := strings.Replace(cfg, "postgres@", "planvet_low@", 1)
	got, err := statements(t, low)
	if err != nil {
		t.Fatal(err)
	}
	if got.Hidden == 0 {
		t.Errorf("a role without pg_read_all_stats sees %d statements and none is hidden", len(got.All))
	}
}

// TestStatementsThatAreNotLoaded has the extension made on a server that did not load it.
func TestStatementsThatAreNotLoaded(t *testing.T) {
	with := shadowtest.Server(t) // there is a PostgreSQL, or the test is skipped
	srv, err := shadow.Start(t.Context(), shadow.Options{Major: with.Major()})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	conn, err := pgx.Connect(t.Context(), srv.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "create extension pg_stat_statements"); err != nil {
		t.Fatal(err)
	}
	if _, err := statements(t, srv.URL("postgres")); !errors.Is(err, live.ErrNoStatements) || !strings.Contains(err.Error(), "shared_preload_libraries") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// TestStatementsOfAnOldExtension has a version whose columns have other names: the
// server was upgraded and the extension was not.
func TestStatementsOfAnOldExtension(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements version '1.7'", "create table things as select generate_series(1, 100) as id")
	for range 3 {
		if _, err := conn.Exec(t.Context(), "select count(*) from things where id > $1", 10); err != nil {
			t.Fatal(err)
		}
	}
	got, err := statements(t, conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.All, func(s live.Statement) bool { return strings.HasPrefix(s.Query, "select count(*) from things") })
	if i < 0 || got.Extension != "1.7" || got.Evicted != -1 || got.All[i].Calls != 3 || got.All[i].ExecMS <= 0 || !got.All[i].TopLevel {
		t.Errorf("got %+v", got)
	}
}
