package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func runCompanion(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), append([]string{"companion"}, args...), &out, &errs); code != want {
		t.Fatalf("planvet companion %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// TestCompanionDryRun runs by hand what --dry-run prints: it is all that the command does.
func TestCompanionDryRun(t *testing.T) {
	conn := shadowtest.Connect(t)
	url := conn.Config().ConnString()
	state := func() (st companion.State) {
		t.Helper()
		out, _ := runCompanion(t, 0, "status", "--database-url", url, "--format", "json")
		if err := json.Unmarshal([]byte(out), &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	byHand := func(args ...string) {
		t.Helper()
		before := state()
		sql, _ := runCompanion(t, 0, append(args, "--dry-run", "--database-url", url)...)
		if st := state(); st.Kind != before.Kind {
			t.Fatalf("--dry-run of %v made it %s", args, st.Kind)
		}
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	byHand("install", "--reader", "pg_signal_backend")
	if st := state(); st.Kind != companion.Companion || st.Version != st.Newest || fmt.Sprint(st.Readers) != "[pg_monitor pg_signal_backend]" {
		t.Errorf("installed by hand: %+v", st)
	}
	out, errs := runCompanion(t, 0, "upgrade", "--dry-run", "--database-url", url)
	if out != "" || !strings.Contains(errs, "nothing to do") {
		t.Errorf("an upgrade without need prints %q, %q", out, errs)
	}
	byHand("remove")
	if st := state(); st.Kind != companion.Absent {
		t.Errorf("removed by hand: %+v", st)
	}
	if _, errs := runCompanion(t, 2, "upgrade", "--database-url", url); !strings.Contains(errs, "run planvet companion install") {
		t.Errorf("upgrading nothing: %s", errs)
	}
}

// pageBlock is a block of docs/companion.md whose first line is what was run.
var pageBlock = regexp.MustCompile("(?s)```text\n(\\$ planvet |grafana=> |shop_owner=> )(.*?)\n(.*?)```\n")

var varying = []struct {
	re   *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(`\d\d:\d\d:\d\d(\.\d+)?`), "#"},
	{regexp.MustCompile(`PostgreSQL \d[\d.]*`), "PostgreSQL #"},
	{regexp.MustCompile(`\d\.\d+ in (public|extensions)`), "# in $1"},
	{regexp.MustCompile(`\d+\.\d+`), "#"},
	{regexp.MustCompile(` +`), " "},
	{regexp.MustCompile(`-+`), "-"}, // the rule under a heading
}

// TestCompanionPage runs what docs/companion.md shows, in its order, and holds the page
// against what comes out, times and versions masked; UPDATE=1 writes it.
func TestCompanionPage(t *testing.T) {
	s := shadowtest.Server(t)
	if s.Major() < 14 {
		t.Skip("the page shows evictions and waits, which 13 does not tell")
	}
	url, err := s.NewDatabase(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	owner := strings.Replace(url, "postgres@", "shop_owner@", 1)
	dial := func(url string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		return conn
	}
	exec := func(conn *pgx.Conn, sql string) {
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	super := dial(url)
	exec(super, `create role shop_owner login; create role authenticated; create role grafana login;
		grant authenticated, pg_read_all_stats to shop_owner; grant create on database shop to shop_owner;
		create extension pg_stat_statements;
		create table customers (id int primary key, owner text); create table orders (id int primary key, customer int references customers, owner text);
		insert into customers select i, 'u' || i from generate_series(1, 1000) i; insert into orders select i, i % 1000 + 1, 'u' || i % 500 from generate_series(1, 20000) i;
		create index on orders (owner); analyze; grant select on orders, customers to authenticated;
		alter table orders enable row level security; create policy own on orders to authenticated using (owner = current_setting('request.jwt.claims')::json ->> 'sub')`)
	conns := map[string]*pgx.Conn{"grafana=> ": dial(strings.Replace(url, "postgres@", "grafana@", 1)), "shop_owner=> ": dial(owner)}
	steps := map[string]func(){
		"select table_name, columns, on_delete, suggestion from planvet.unindexed_foreign_keys": func() {
			exec(super, "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('migration', 'checkout')")
		},
		"select calls, rows, query from planvet.statement_deltas() where query like '%orders where%'": func() {
			for i := range 12 {
				exec(super, fmt.Sprintf("select * from orders where customer = %d", i+1))
			}
			exec(super, "select pg_sleep(1.1); select planvet.snapshot()")
		},
		"select depth, application_name, state, lock_mode, relation, waiting, waiting_since from planvet.lock_tree()": func() {
			holder := dial(strings.Replace(url, "application_name=planvet", "application_name=migration", 1))
			exec(holder, "begin; lock table orders in access exclusive mode")
			waiter := dial(strings.Replace(url, "application_name=planvet", "application_name=checkout", 1))
			go waiter.PgConn().Exec(context.Background(), "select count(*) from orders").ReadAll()
			for range 300 {
				var n int
				if err := super.QueryRow(t.Context(), "select count(*) from pg_locks where not granted").Scan(&n); err != nil || n > 0 {
					break
				}
				exec(super, "select pg_sleep(0.01)")
			}
		},
	}

	text, err := os.ReadFile("../../docs/companion.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	fresh := pageBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		m := pageBlock.FindStringSubmatch(block)
		seen++
		var got string
		if conn := conns[m[1]]; conn != nil {
			if prepare := steps[m[2]]; prepare != nil {
				prepare()
			}
			got = table(t, conn, m[2])
		} else {
			args := strings.Fields(strings.ReplaceAll(m[2], `"$DATABASE_URL"`, owner))
			var out, errs bytes.Buffer
			if code := run(t.Context(), args, &out, &errs); code != 0 {
				t.Errorf("planvet %s: exit %d: %s", m[2], code, errs.String())
			}
			got = out.String()
		}
		if d := cmp.Diff(masked(m[3]), masked(got)); d != "" && !casetest.Update() {
			t.Errorf("docs/companion.md: %s is stale; run UPDATE=1 go test ./cmd/planvet -run CompanionPage\n%s", m[2], d)
		}
		return "```text\n" + m[1] + m[2] + "\n" + got + "```\n"
	})
	if seen < 6 {
		t.Errorf("docs/companion.md shows %d commands", seen)
	}
	if casetest.Update() {
		if err := os.WriteFile("../../docs/companion.md", []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func masked(text string) string {
	for _, v := range varying {
		text = v.re.ReplaceAllString(text, v.mask)
	}
	return text
}

// table prints the rows of a query as psql does.
func table(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	res := results[len(results)-1]
	var rows [][]string
	widths := make([]int, len(res.FieldDescriptions))
	add := func(cells []string) {
		for i, c := range cells {
			widths[i] = max(widths[i], len([]rune(c)))
		}
		rows = append(rows, cells)
	}
	var head []string
	for _, f := range res.FieldDescriptions {
		head = append(head, f.Name)
	}
	add(head)
	for _, r := range res.Rows {
		var cells []string
		for _, c := range r {
			cells = append(cells, string(c))
		}
		add(cells)
	}
	var out strings.Builder
	for n, cells := range rows {
		var line, rule []string
		for i, c := range cells {
			line = append(line, c+strings.Repeat(" ", widths[i]-len([]rune(c))))
			rule = append(rule, strings.Repeat("-", widths[i]))
		}
		out.WriteString(" " + strings.TrimRight(strings.Join(line, " | "), " ") + "\n")
		if n == 0 {
			out.WriteString("-" + strings.Join(rule, "-+-") + "-\n")
		}
	}
	return out.String()
}
