package monitor_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func pgbouncer(t *testing.T, database *pgx.Conn, poolSize int) (through, console string) {
	t.Helper()
	return shadowtest.PgBouncer(t, database, poolSize)
}

// TestPgBouncer sends 20 clients through a pool of 4 (rows 23 and 74).
func TestPgBouncer(t *testing.T) {
	conn := shadowtest.Connect(t)
	through, console := pgbouncer(t, conn, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{}, 20)
	for range 20 {
		go func() {
			defer func() { done <- struct{}{} }()
			cfg, err := pgx.ParseConfig(through)
			if err != nil {
				return
			}
			cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
			c, err := pgx.ConnectConfig(ctx, cfg)
			if err != nil {
				return
			}
			defer c.Close(context.Background())
			c.Exec(ctx, "select pg_sleep(5)")
		}()
	}
	s, err := live.Connect(t.Context(), console, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	var pool monitor.Pool
	eventually(t, "16 clients wait", func() bool {
		pools, err := monitor.ReadPgBouncer(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pools {
			pool = p
		}
		return len(pools) == 1 && pool.Waiting == 16 && pool.Active == 4 && pool.MaxWaitMS > 0
	})
	if pool.Size != 4 || pool.Utilisation != 1 || !pool.Saturated || pool.Mode != "transaction" || pool.Database != "app" {
		t.Errorf("got %+v", pool)
	}
	cancel()
	for range 20 {
		<-done
	}
	eventually(t, "the queue is gone", func() bool {
		pools, err := monitor.ReadPgBouncer(t.Context(), s)
		return err == nil && len(pools) == 1 && !pools[0].Saturated
	})
}

// supavisorText is in the form that Supavisor's metrics have.
const supavisorText = `# HELP supavisor_connections_active The total count of active clients for a tenant.
# TYPE supavisor_connections_active gauge
supavisor_connections_active{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 40
supavisor_pool_checkout_duration_local_bucket{db_name="app",mode="transaction",tenant="t1",type="single",user="web",le="1"} 2
supavisor_pool_checkout_duration_local_sum{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 9000
supavisor_pool_checkout_duration_local_count{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 100
supavisor_pool_checkout_duration_remote_sum{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 3000
supavisor_pool_checkout_duration_remote_count{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 20
supavisor_client_query_duration_sum{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 1200
supavisor_client_query_duration_count{db_name="app",mode="transaction",tenant="t1",type="single",user="web"} 120
supavisor_connections_active{db_name="app",mode="session",tenant="t1",type="single",user="jobs"} 2
supavisor_pool_checkout_duration_local_sum{db_name="app",mode="session",tenant="t1",type="single",user="jobs"} 5
supavisor_pool_checkout_duration_local_count{db_name="app",mode="session",tenant="t1",type="single",user="jobs"} 10
supavisor_client_query_duration_sum{db_name="app",mode="session",tenant="t1",type="single",user="jobs"} 400
supavisor_client_query_duration_count{db_name="app",mode="session",tenant="t1",type="single",user="jobs"} 10
node_load1 0.5
`

// TestSupavisor reads metrics over HTTP (row 75).
func TestSupavisor(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, supavisorText)
	}))
	defer srv.Close()
	pools, err := monitor.ReadSupavisor(t.Context(), srv.URL+"/metrics", "s3cret")
	if err != nil || len(pools) != 2 {
		t.Fatalf("got %+v, %v", pools, err)
	}
	jobs, web := pools[0], pools[1]
	if web.User != "web" || web.Clients != 40 || *web.AverageWaitMS != 100 || *web.AverageQueryMS != 10 || !web.Saturated {
		t.Errorf("got %+v", web)
	}
	if jobs.Clients != 2 || *jobs.AverageWaitMS != 0.5 || jobs.Saturated {
		t.Errorf("got %+v", jobs)
	}
	for _, c := range []struct{ url, token, says string }{
		{srv.URL + "/metrics", "wrong", "is the token right"},
		{"http://127.0.0.1:1/metrics", "s3cret", "no answer"},
		{"::", "", "cannot be read"},
	} {
		if _, err := monitor.ReadSupavisor(t.Context(), c.url, c.token); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", c.url, err)
		}
	}
}

// TestThroughPgBouncer reads a server through a pooler in transaction mode, where two
// transactions need not have one connection.
func TestThroughPgBouncer(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	through, _ := pgbouncer(t, conn, 2)
	source := monitor.Source{
		Connect:  func(ctx context.Context) (*live.Session, error) { return live.Connect(ctx, through, live.Options{}) },
		Activity: monitor.Activity{Connections: true, Locks: true},
	}
	defer source.Close(context.Background())
	first, err := source.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		run(t, conn, "select name from players where id = $1", i)
	}
	second, err := source.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := second.Since(first, monitor.Options{Catalog: source.Catalog(), Sort: "total", Limits: monitor.DefaultLimits})
	if q := find(t, r, "select name from players where id ="); q.Calls != 5 || q.Class != monitor.PrimaryKeyLookup {
		t.Errorf("got %+v", q)
	}
}
