package monitor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestSourceConnectsAnew loses the connection between readings, then the server for a
// while.
func TestSourceConnectsAnew(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	down := false
	s := monitor.Source{Activity: monitor.Activity{Connections: true, Locks: true}, Connect: func(ctx context.Context) (*live.Session, error) {
		if down {
			return nil, errors.New("connecting: no answer")
		}
		return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
	}}
	defer s.Close(context.Background())
	cut := func() {
		run(t, conn, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'planvet' and pid <> pg_backend_pid() and backend_type = 'client backend' and query like '%/* planvet */%'")
	}
	first, err := s.Read(t.Context())
	if err != nil || first.Connections == nil || first.Locks == nil || s.Catalog().Relation("public", "players") == nil {
		t.Fatalf("got %+v, %v", first, err)
	}
	cut()
	second, err := s.Read(t.Context())
	if err != nil || len(second.Notes) != 0 {
		t.Fatalf("after the connection was cut: %+v, %v", second, err)
	}
	cut()
	down = true
	if _, err := s.Read(t.Context()); err == nil {
		t.Fatal("a server that is down was read")
	}
	down = false
	third, err := s.Read(t.Context())
	if err != nil || len(third.Notes) != 1 || !strings.Contains(third.Notes[0], "did not answer from") {
		t.Fatalf("after it was down: %+v, %v", third, err)
	}
	report := third.Since(first, options(t, open(t, conn), "total", 0))
	if report.Locks == nil || report.Locks.Deadlocks != 0 || !strings.Contains(strings.Join(report.Notes, "\n"), "did not answer") {
		t.Errorf("got %+v", report)
	}
}

// While a schema change holds a table the server is read without classes, and says so;
// afterwards with them.
func TestSourceUnderSchemaChange(t *testing.T) {
	conn := shadowtest.Connect(t, schema, "alter table players add column tier text default 'none'")
	holder := client(t, conn, "migration")
	run(t, holder, "begin")
	run(t, holder, "alter table players add column city text")
	s := monitor.Source{Activity: monitor.Activity{Connections: true, Locks: true, Scans: true}, Connect: func(ctx context.Context) (*live.Session, error) {
		return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
	}}
	defer s.Close(context.Background())
	// The text of a default waits for the table's lock.
	r, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Catalog() != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "schema could not be read") {
		t.Errorf("notes %v", r.Notes)
	}
	run(t, holder, "rollback")
	if r, err = s.Read(t.Context()); err != nil || len(r.Notes) != 0 || s.Catalog().Relation("public", "players") == nil {
		t.Errorf("afterwards %+v, %v", r.Notes, err)
	}
}
