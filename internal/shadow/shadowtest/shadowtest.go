// Package shadowtest gives tests a real PostgreSQL: one server a test binary, a
// fresh database a call.
package shadowtest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/shadow"
)

var (
	once    sync.Once
	server  *shadow.Server
	failure error
	count   atomic.Int64
)

// Server returns the test binary's server, with pg_stat_statements loaded. With -short the test is skipped, and
// without a PostgreSQL too; under CI=true the latter fails. PLANVET_TEST_PG_MAJOR picks the major.
// Nobody stops the server: when the test binary ends, the watchdog does.
func Server(t testing.TB) *shadow.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	once.Do(func() {
		major, _ := strconv.Atoi(os.Getenv("PLANVET_TEST_PG_MAJOR"))
		server, failure = shadow.Start(context.Background(), shadow.Options{Major: major, Settings: []string{"shared_preload_libraries=pg_stat_statements"}})
		if failure == nil && major != 0 && server.Major() != major {
			failure = fmt.Errorf("PLANVET_TEST_PG_MAJOR is %d and only %s is here", major, server.Version())
			server.Stop()
		}
	})
	if failure != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("this test needs a PostgreSQL: %v", failure)
		}
		t.Skipf("this test needs a PostgreSQL: %v", failure)
	}
	return server
}

// URL returns the URL of a fresh database, reached as the superuser.
func URL(t testing.TB) string {
	t.Helper()
	u, err := Server(t).NewDatabase(context.Background(), fmt.Sprintf("t%d", count.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Connect opens a fresh database and runs the statements in it. The connection
// is closed when the test ends.
func Connect(t testing.TB, setup ...string) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ctx) })
	for _, sql := range setup {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	return conn
}
