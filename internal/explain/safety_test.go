package explain

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const traps = `
	create table t (id int primary key, v text);
	insert into t select g, 'v' || g from generate_series(1, 1000) g;
	create table log (at timestamptz default now());
	create sequence seq;
	create function writes() returns int language plpgsql volatile as $$ begin insert into log default values; return 1; end $$;
	create function sleeps() returns int language plpgsql volatile as $$ begin perform pg_sleep(60); return 1; end $$;
	create function sleeps_immutable(i int) returns int language plpgsql immutable as $$ begin perform pg_sleep(60); return i; end $$;
	create function sleeps_stable(i int) returns int language plpgsql stable as $$ begin perform pg_sleep(60); return i; end $$;
	create function spins(i int) returns int language plpgsql immutable as $$ declare n bigint := 0; begin loop n := n + 1; end loop; end $$;
	create function ends() returns boolean language sql stable as 'select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity where pid <> pg_backend_pid()';
	create view busy as select id from t where pg_try_advisory_lock(id);
	create table audited (id serial primary key, v text);
	insert into audited (v) select 'v' from generate_series(1, 10);
	create function noted() returns trigger language plpgsql as $$ begin insert into log default values; return new; end $$;
	create trigger note after insert or update on audited for each row execute function noted();
	analyze;
`

// What a statement may not do on a server that the user names: it is refused or
// bounded with one line, and afterwards all is as before.
func TestSafety(t *testing.T) {
	u, conn := questioned(t, traps)
	ctx := context.Background()
	for _, c := range []struct {
		name, sql string
		// notRun is in why the statement was not run, fails in the error.
		notRun, fails string
		usage         bool
		o             Options
	}{
		{name: "two statements", sql: "select 1; drop table t", fails: "more than one statement", usage: true},
		{name: "a volatile function that writes", sql: "select writes()", notRun: "--allow-functions public.writes"},
		{name: "the same, vouched for", sql: "select writes()", notRun: "read-only", o: Options{AllowFunctions: []string{"writes"}}},
		{name: "pg_terminate_backend", sql: "select pg_terminate_backend(pid) from pg_stat_activity", notRun: "pg_terminate_backend"},
		{name: "vouched for", sql: "select pg_terminate_backend(pid) from pg_stat_activity", notRun: "pg_terminate_backend", o: Options{AllowFunctions: []string{"pg_terminate_backend"}}},
		{name: "nextval", sql: "select nextval('seq')", notRun: "nextval"},
		{name: "a WITH query that writes", sql: "with w as (delete from t returning id) select * from w", notRun: "--analyze-writes"},
		{name: "a lock on rows", sql: "select * from t for update", notRun: "--analyze-writes"},
		{name: "a view that locks", sql: "select * from busy", notRun: "pg_try_advisory_lock"},
		{name: "pg_sleep", sql: "select pg_sleep(60)", notRun: "pg_sleep"},
		{name: "a function that sleeps", sql: "select sleeps()", notRun: "volatile"},
		{name: "the same, vouched for", sql: "select sleeps()", notRun: "longer than 300ms", o: Options{AllowFunctions: []string{"sleeps"}, Timeout: 300 * time.Millisecond}},
		{name: "an immutable one, which a planner runs", sql: "select sleeps_immutable(1)", fails: "--allow-functions public.sleeps_immutable lets it run"},
		{name: "the same, vouched for", sql: "select sleeps_immutable(1)", fails: "planning the statement took longer than 300ms", o: Options{AllowFunctions: []string{"sleeps_immutable"}, Timeout: 300 * time.Millisecond}},
		{name: "one that sleeps by itself", sql: "select spins(1)", fails: "planning the statement took longer than 300ms", o: Options{Timeout: 300 * time.Millisecond}},
		{name: "a stable one, run for an estimate", sql: "select * from t where id < sleeps_stable(5)", fails: "public.sleeps_stable calls pg_sleep"},
		{name: "a stable one that ends sessions", sql: "select * from t where ends()", fails: "public.ends calls pg_terminate_backend"},
		{name: "an insert", sql: "insert into audited (v) values ('x')", notRun: "--analyze-writes"},
		{name: "a file", sql: "select pg_read_file('postgresql.conf')", notRun: "pg_read_file"},
		{name: "--analyze", sql: "select writes()", fails: "--analyze: the statement was not run", o: Options{Analyze: true}},
		{name: "--no-analyze", sql: "select * from t", notRun: "--no-analyze", o: Options{NoAnalyze: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.o
			o.SQL, o.URL, o.Runs, o.NoAdvice = c.sql, u, 1, true
			begin := time.Now()
			r, err := Explain(ctx, o)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			var wrong *Usage
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails == "" && (r.Timing != nil || !strings.Contains(r.NotRun, c.notRun) || r.Plans[0].Analyzed):
				t.Errorf("run %v, not run: %q, want %q", r.Timing != nil, r.NotRun, c.notRun)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%v, want %q", err, c.fails)
			case c.fails != "" && errors.As(err, &wrong) != c.usage:
				t.Errorf("%v is of usage: %v", err, !c.usage)
			}
		})
	}
	unchanged(t, conn)
}

// Who stops waiting leaves no statement behind.
func TestSafetyInterrupted(t *testing.T) {
	u, conn := questioned(t, traps)
	for _, o := range []Options{
		{SQL: "select spins(1)"},
		{SQL: "select sleeps()", AllowFunctions: []string{"sleeps"}},
	} {
		o.URL, o.Runs, o.Timeout = u, 1, time.Minute
		ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
		if _, err := Explain(ctx, o); err == nil || ctx.Err() == nil {
			t.Errorf("%s: %v", o.SQL, err)
		}
		cancel()
		unchanged(t, conn)
	}
}

// A lock that another session holds is not waited for.
func TestSafetyLock(t *testing.T) {
	u, conn := questioned(t, traps)
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "begin; lock table t in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err := Explain(ctx, Options{SQL: "select * from t where id = $1", URL: u, Runs: 1})
	if err == nil || !strings.Contains(err.Error(), "another session holds a lock") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it waited for %s", took)
	}
	// A table that the statement does not read may be locked.
	if _, err := Explain(ctx, Options{SQL: "select * from audited where id = $1", URL: u, Runs: 1, Analyze: true, NoAdvice: true}); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		t.Fatal(err)
	}
	unchanged(t, conn)
}

// --analyze-writes runs a statement that writes and rolls it back; it says what a
// rollback does not undo.
func TestAnalyzeWrites(t *testing.T) {
	u, conn := questioned(t, traps)
	allowed := Options{URL: u, AnalyzeWrites: true, AllowFunctions: []string{"noted"}, Analyze: true}
	for _, sql := range []string{
		"insert into audited (v) values ('x')", "insert into t (id, v) values ($1, $2)", "update audited set v = 'y' where id = 3", "delete from t where id = 5",
		"with w as (delete from t returning id) select count(*) from w", "select * from t where id = 5 for update",
	} {
		o := allowed
		o.SQL = sql
		r := answer(t, o)
		if r.Timing == nil || !r.Plans[0].Analyzed {
			t.Errorf("%s was not run: %s", sql, r.NotRun)
		}
		notes := strings.Join(r.Notes, "\n")
		if fires := strings.Contains(sql, "audited"); strings.Contains(notes, "trigger note of public.audited") != fires {
			t.Errorf("%s: notes %q", sql, r.Notes)
		}
		if takes := strings.HasPrefix(sql, "insert into audited"); strings.Contains(notes, "sequences") != takes {
			t.Errorf("%s: notes %q", sql, r.Notes)
		}
	}
	// Nothing vouches for the trigger.
	r := answer(t, Options{URL: u, AnalyzeWrites: true, SQL: "update audited set v = 'y'"})
	if r.Timing != nil || !strings.Contains(r.NotRun, "--allow-functions public.noted") {
		t.Errorf("run %v: %s", r.Timing != nil, r.NotRun)
	}
	unchanged(t, conn)
}

// A host that is not this machine is only planned on.
func TestRemoteIsOnlyPlanned(t *testing.T) {
	u, _ := questioned(t, traps)
	proxy := throughPort(t, u)
	r := answer(t, Options{URL: proxy, SQL: "select * from t where id = 1"})
	if r.Timing != nil || !strings.Contains(r.NotRun, "--allow-remote-analyze") {
		t.Errorf("run %v: %s", r.Timing != nil, r.NotRun)
	}
	r = answer(t, Options{URL: proxy, SQL: "select * from t where id = 1", AllowRemote: true})
	if r.Timing == nil {
		t.Errorf("not run with --allow-remote-analyze: %s", r.NotRun)
	}
}

// throughPort is the server reached by an address of this machine that is no loopback.
func throughPort(t *testing.T, u string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	q := parsed.Query()
	socket := filepath.Join(q.Get("host"), ".s.PGSQL."+q.Get("port"))
	var l net.Listener
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			if l, err = net.Listen("tcp", net.JoinHostPort(n.IP.String(), "0")); err == nil {
				break
			}
		}
	}
	if l == nil {
		t.Skip("this machine has a loopback address only")
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer from.Close()
				to, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				defer to.Close()
				go io.Copy(to, from)
				io.Copy(from, to)
			}()
		}
	}()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	q.Set("host", host)
	q.Set("port", port)
	parsed.RawQuery = q.Encode()
	return parsed.String()
}

// unchanged checks that nothing was written and that no session is left.
func unchanged(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	ctx := context.Background()
	var rows, audited, log int
	if err := conn.QueryRow(ctx, "select (select count(*) from t), (select count(*) from audited where v = 'v'), (select count(*) from log)").Scan(&rows, &audited, &log); err != nil {
		t.Fatal(err)
	}
	if rows != 1000 || audited != 10 || log != 0 {
		t.Errorf("t has %d rows, audited %d, log %d", rows, audited, log)
	}
	left := ""
	for range 50 {
		if err := conn.QueryRow(ctx, `select coalesce(string_agg(state || ' ' || query, '; '), '') from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("sessions are left: %s", left)
}
