package extension_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// behind runs a statement that will wait, and returns when the server says it does.
func behind(t *testing.T, watch, conn *pgx.Conn, sql string) {
	t.Helper()
	pid := conn.PgConn().PID()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn.PgConn().Exec(context.Background(), sql).ReadAll()
	}()
	t.Cleanup(func() {
		watch.Exec(context.Background(), "select pg_terminate_backend($1::int)", int32(pid))
		<-done
	})
	for range 500 {
		if ask(t, watch, fmt.Sprintf("select cardinality(pg_blocking_pids(%d)) > 0", pid)) == "t" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not wait", sql)
}

// TestLockTree has a chain, a queue and an innocent bystander.
func TestLockTree(t *testing.T) {
	conn := installed(t, "create table a (id int); insert into a values (1); create table b (id int)")
	named := func(name string) *pgx.Conn {
		return open(t, strings.Replace(conn.Config().ConnString(), "application_name=planvet", "application_name="+name, 1))
	}
	holder, chained, q1, q2, idle := named("holder"), named("chained"), named("q1"), named("q2"), named("idle")
	run(t, holder, "begin; lock table a in access exclusive mode; select 'held secret'")
	run(t, chained, "begin; lock table b in access exclusive mode")
	behind(t, conn, chained, "select * from a /* waiter secret */")
	behind(t, conn, q1, "select * from b")
	behind(t, conn, q2, "begin; lock table b in access exclusive mode")
	run(t, idle, "begin; select 1")
	time.Sleep(300 * time.Millisecond)

	const tree = `select string_agg(repeat('  ', depth) || application_name || ' ' || state || ' ' || coalesce(lock_type || ' ' || lock_mode || ' ' || relation, '-'), e'\n' order by ord)
		from planvet.lock_tree() with ordinality as l (root, depth, pid, blocked_by, database, username, application_name, state, lock_type, lock_mode, relation,
			waiting, waiting_since, transaction_age, query, ord) where database = current_database()`
	want := `holder idle in transaction -
  chained active relation AccessShareLock public.a
    q1 active relation AccessShareLock public.b
    q2 active relation AccessExclusiveLock public.b`
	if got := ask(t, conn, tree); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := ask(t, conn, `select count(*) filter (where blocked_by = pg_blocking_pids(pid)), count(*), count(distinct root),
		bool_and(waiting between '0.25 s' and '1 min') filter (where depth > 0), bool_or(waiting is not null) filter (where depth = 0), min(waiting_since),
		bool_and(transaction_age > '0.25 s')
		from planvet.lock_tree() where database = current_database()`); got != "4|4|1|t|f|"+map[bool]string{true: "lock", false: "statement"}[ask(t, conn, "select current_setting('server_version_num')::int >= 140000") == "t"]+"|t" {
		t.Errorf("got %s", got)
	}
	if got := ask(t, conn, "select count(*) from planvet.lock_tree() where query like '%secret%'"); got != "2" {
		t.Errorf("the superuser reads %s texts of 2", got)
	}
	low := role(t, conn, "planvet_ext_low")
	run(t, conn, "select planvet.set_readers(planvet.readers() || '{planvet_ext_low}')")
	if got := ask(t, low, tree); got != want {
		t.Errorf("a role without pg_read_all_stats gets\n%s", got)
	}
	if got := ask(t, low, "select string_agg(distinct query, ',') from planvet.lock_tree() where database = current_database()"); got != "<insufficient privilege>" {
		t.Errorf("it reads the texts of others: %s", got)
	}
}

func TestPoolState(t *testing.T) {
	conn := installed(t)
	url := conn.Config().ConnString()
	for i := range 8 {
		c := open(t, strings.Replace(url, "application_name=planvet", "application_name=app", 1))
		if i < 3 {
			run(t, c, "begin; select 1")
		}
	}
	failed := open(t, strings.Replace(url, "application_name=planvet", "application_name=app", 1))
	tryAsk(t, failed, "begin; select 1/0")
	time.Sleep(200 * time.Millisecond)
	low := role(t, conn, "planvet_ext_low")
	run(t, conn, "select planvet.set_readers(planvet.readers() || '{planvet_ext_low}')")
	for name, c := range map[string]*pgx.Conn{"owner": conn, "low": low} {
		got := ask(t, c, `select state, connections, longest_in_state between '0.15 s' and '1 min', oldest_transaction is not null
			from planvet.pool_state() where database = current_database() and application_name = 'app' order by 1`)
		if got != "idle|5|t|f\nidle in transaction|3|t|t\nidle in transaction (aborted)|1|t|f" {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	got := ask(t, conn, `select max_connections, reserved, used, free, idle_in_transaction, longest_idle_in_transaction >= '0.15 s' from planvet.connection_headroom()`)
	want := ask(t, conn, `select m, r, u, m - r - u, i, true from (select current_setting('max_connections')::int m,
		current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) r,
		(select count(*) from pg_stat_activity where backend_type = 'client backend') u,
		(select count(*) from pg_stat_activity where state like 'idle in transaction%') i) x`)
	if got != want {
		t.Errorf("headroom %s, want %s", got, want)
	}
}
