package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestSlope is row 28: an endpoint that asks for each row fails, one that joins and one
// of five statements do not.
func TestSlope(t *testing.T) {
	conn := shadowtest.Connect(t, visits, "create table guests (id bigint primary key, name text); insert into guests select i, 'guest ' || i from generate_series(0, 4999) i")
	pool, err := pgxpool.New(t.Context(), conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		ask := func(sql string, args ...any) {
			if _, err := pool.Exec(r.Context(), sql, args...); err != nil {
				t.Error(err)
			}
		}
		switch r.URL.Path {
		case "/loop":
			ask("select guest from visits where id <= $1", n)
			for i := range n {
				ask("select name from guests where id = $1", i)
			}
		case "/join":
			ask("select v.id, g.name from visits v join guests g on g.id = v.guest where v.id <= $1", n)
		case "/five":
			for i := range 5 {
				ask(fmt.Sprintf("select %s name from guests where id < $1", strings.Repeat("id, ", i)), n)
			}
		}
	}))
	defer srv.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	slope := func(path string, more ...string) (int, string, string) {
		flow := fmt.Sprintf("PLANVET_TEST_GET='%s%s?n='$PLANVET_ITEMS '%s'", srv.URL, path, self)
		return planvetRun(t, append([]string{"monitor", "slope", "--no-owners", "--database-url", conn.Config().ConnString(), "--flow", flow}, more...)...)
	}
	code, out, errs := slope("/loop", "--format", "json")
	var r monitor.SlopeReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if code != 1 || !r.Failed || len(r.Growing) != 1 {
		t.Fatalf("exit %d, %+v", code, r)
	}
	g := r.Growing[0]
	if !strings.HasPrefix(g.SQL, "select name from guests") || g.PerItem != 1 || fmt.Sprint(g.Calls) != "[2 20]" || !strings.HasPrefix(g.Parent, "select guest from visits") {
		t.Errorf("got %+v", g)
	}
	for _, path := range []string{"/join", "/five"} {
		if code, out, errs := slope(path); code != 0 || !strings.Contains(out, "no statement is called more often") {
			t.Errorf("%s: exit %d, %s%s", path, code, out, errs)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--sizes", "2"}, 2, "--sizes 2"},
		{[]string{"--sizes", "2,x"}, 2, "--sizes 2,x"},
		{[]string{"--flow", "echo no such item >&2; exit 4"}, 3, "no such item"},
		{[]string{"--flow", ""}, 2, "needs --flow"},
	} {
		if code, _, errs := slope("/join", c.args...); code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs)
		}
	}
}
