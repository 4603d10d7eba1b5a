package live_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// No error of Connect is longer than a line or holds the password, in whatever
// form the URL writes it.
func TestConnectErrorsAreOneLineWithoutThePassword(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	closed.Close()
	const secret = "s3cr/t@pw:%x"
	escaped := url.QueryEscape(secret)
	for name, u := range map[string]string{
		"refused":        "postgres://app:" + escaped + "@" + refused + "/db?sslmode=disable",
		"no such host":   "postgres://app:" + escaped + "@nowhere.invalid:5432/db",
		"unescaped":      "postgres://app:" + secret + "@" + refused + "/db",
		"unescaped at":   "postgres://app:x@s3cr@" + refused + "/db",
		"port":           "postgres://app:" + escaped + "@" + refused + "x/db",
		"keyword":        "host=127.0.0.1 port=1 user=app sslmode=disable password='" + secret + "'",
		"broken keyword": "host=127.0.0.1 password='" + secret,
		"ssl mode":       "postgres://app:" + escaped + "@" + refused + "/db?sslmode=nonsense",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := live.Connect(context.Background(), u, live.Options{})
			if err == nil {
				t.Fatal("it connected")
			}
			text := err.Error()
			for _, form := range []string{secret, escaped, "s3cr"} {
				if strings.Contains(text, form) {
					t.Errorf("the error holds the password: %s", text)
				}
			}
			if strings.Contains(text, "\n") || len(text) > 200 {
				t.Errorf("the error is no single line: %q", text)
			}
		})
	}
}

func session(t *testing.T, o live.Options, setup string) *live.Session {
	t.Helper()
	ctx := context.Background()
	u := shadowtest.URL(t)
	own, err := live.Connect(ctx, u, live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close(ctx)
	if _, err := own.Conn().PgConn().Exec(ctx, setup).ReadAll(); err != nil {
		t.Fatal(err)
	}
	s, err := live.Connect(ctx, u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	return s
}

func count(t *testing.T, s *live.Session) string {
	t.Helper()
	rows, err := s.Query(context.Background(), "select count(*) from t")
	if err != nil {
		t.Fatal(err)
	}
	return *rows[0][0]
}

const table = "create table t (id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 1000) i; analyze t"

func TestNamedServerIsOnlyRead(t *testing.T) {
	ctx := context.Background()
	s := session(t, live.Options{}, table)
	if _, err := s.Explain(ctx, plan.Request{SQL: "delete from t", Analyze: true}); err == nil {
		t.Error("EXPLAIN ANALYZE of a DELETE ran")
	}
	if _, err := s.Run(ctx, plan.Request{SQL: "delete from t"}, [][]*string{nil}); err == nil {
		t.Error("a DELETE ran")
	}
	if err := s.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(ctx, "delete from t"); live.Code(err) != "25006" {
		t.Errorf("a DELETE in the transaction gives %v, want a read-only transaction", err)
	}
	if err := s.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != "1000" {
		t.Errorf("%s rows are left", n)
	}
}

func TestExplain(t *testing.T) {
	ctx := context.Background()
	s := session(t, live.Options{Writable: true}, table+"; create role planvet_test_r; grant select on t to planvet_test_r")
	five := "5"
	for _, c := range []struct {
		name, sql, want string
		r               plan.Request
	}{
		{"values", "select * from t where id = $1", "(t.id = 5)", plan.Request{Args: []*string{&five}}},
		{"generic", "select * from t where id = $1", "(t.id = $1)", plan.Request{Generic: true}},
		{"generic, types given", "select * from t where id = $1", "(t.id = $1)", plan.Request{Generic: true, Types: []string{"integer"}}},
		{"role and settings", "select * from t where id = current_setting('app.id')::int and current_user = 'planvet_test_r'", "current_setting", plan.Request{
			Role: "planvet_test_r", Settings: map[string]string{"app.id": "7"}, Analyze: true,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.SQL = c.sql
			p, err := s.Explain(ctx, c.r)
			if err != nil {
				t.Fatal(err)
			}
			scans := p.Accesses("public", "t", "t")
			if len(scans) != 1 || !strings.Contains(scans[0].Node.IndexCond, c.want) {
				t.Errorf("plan is %+v", p.Root)
			}
			if c.r.Analyze && (p.Root.Rows != 1 || p.Blocks() == 0) {
				t.Errorf("%v rows, %d blocks", p.Root.Rows, p.Blocks())
			}
		})
	}
	for name, sql := range map[string]string{
		"two statements": "select 1; delete from t", "no plan": "create table u ()", "broken": "select from where",
	} {
		for _, generic := range []bool{false, true} {
			if _, err := s.Explain(ctx, plan.Request{SQL: sql, Generic: generic}); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	}
	if _, err := s.Explain(ctx, plan.Request{SQL: "delete from t", Analyze: true}); err != nil {
		t.Error(err)
	}
	if n := count(t, s); n != "1000" {
		t.Errorf("%s rows are left: a write was not undone", n)
	}
}

// A request's timeout ends it, and not what comes after it.
func TestTimeout(t *testing.T) {
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	if err := s.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	defer s.Rollback(ctx)
	if _, err := s.Explain(ctx, plan.Request{SQL: "select pg_sleep(20)", Analyze: true, Timeout: 50 * time.Millisecond}); live.Code(err) != "57014" {
		t.Errorf("error is %v", err)
	}
	if _, err := s.Explain(ctx, plan.Request{SQL: "select pg_sleep(0.2)", Analyze: true}); err != nil {
		t.Error(err)
	}
}
