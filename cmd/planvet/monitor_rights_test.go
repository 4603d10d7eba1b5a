package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestMonitorWithoutRights has a role that may not see others' statements (row 30): one
// reading shows what it sees and ends with 2 and what helps; the role's own statements
// are enough where that is asked for; with the companion there is nothing to say.
func TestMonitorWithoutRights(t *testing.T) {
	const low = "planvet_cmd_low"
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table things (id bigint primary key)",
		"do $$ begin create role "+low+" login; exception when duplicate_object then null; end $$", "grant select on things to "+low)
	super := conn.Config().ConnString()
	url := strings.Replace(super, "postgres@", low+"@", 1)
	own, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close(t.Context())
	for i := range 9 {
		if _, err := conn.Exec(t.Context(), "select count(*) from things where id > $1", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		if _, err := own.Exec(t.Context(), "select id from things where id = $1", i); err != nil {
			t.Fatal(err)
		}
	}
	own.Close(t.Context())

	doc := filepath.Join(t.TempDir(), "top.md")
	grant := "hidden from " + low + " and not in the figures: grant pg_read_all_stats to " + low + ", or run planvet companion install --reader " + low + "; --own-statements"
	for _, args := range [][]string{
		{"monitor"}, {"monitor", "--format", "json"}, {"monitor", "--format", "prometheus"}, {"monitor", "--interval", "10ms"}, {"top-queries", "--no-owners", "--output", doc},
	} {
		code, out, errs := planvetRun(t, append(args, "--database-url", url)...)
		if code != 2 || !strings.Contains(errs, grant) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
		if shows := args[0] == "monitor" && len(args) < 3; shows && (!strings.Contains(out, "select id from things") || !strings.Contains(out, "not in the figures")) {
			t.Errorf("%s shows %s", args, out)
		}
	}
	if _, err := os.Stat(doc); err == nil {
		t.Error("top-queries wrote a document of what one role sees")
	}
	// In a fleet the line names the server.
	servers := filepath.Join(t.TempDir(), "servers.txt")
	if err := os.WriteFile(servers, []byte("low "+url+"\nhigh "+super+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := planvetRun(t, "monitor", "--targets", servers); code != 2 || !strings.Contains(errs, "low: ") || strings.Contains(errs, "high: ") {
		t.Errorf("a fleet: exit %d, %s", code, errs)
	}

	// The role's own statements, whose shares are of their sum.
	code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--own-statements", "--format", "json")
	var r monitor.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || errs != "" {
		t.Fatalf("exit %d, %s, %v", code, errs, err)
	}
	share := 0.0
	for _, q := range r.Top {
		if share += q.Share; strings.Contains(q.SQL, "count(*)") || q.SQL == "<insufficient privilege>" {
			t.Errorf("%s is not the role's", q.SQL)
		}
	}
	if share < 0.999 || share > 1.001 || !strings.Contains(strings.Join(r.Notes, "\n"), "of "+low+" alone") || strings.Contains(out, "not in the figures") {
		t.Errorf("shares are %g of all, notes %q", share, r.Notes)
	}
	if code, _, errs := planvetRun(t, "top-queries", "--no-owners", "--output", doc, "--database-url", url, "--own-statements"); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	if text, err := os.ReadFile(doc); err != nil || !strings.Contains(string(text), "select id from things") || strings.Contains(string(text), "count(*)") {
		t.Errorf("the document of own statements: %v\n%s", err, text)
	}
	// A superuser who asks for its own does not get others'.
	if code, out, errs := planvetRun(t, "monitor", "--database-url", super, "--own-statements"); code != 0 || strings.Contains(out, "select id from things") || !strings.Contains(out, "count(*)") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}

	// A watch goes on.
	shown, told, stop := watching(t, "--database-url", url, "--format", "json")
	shown.wants(t, "not in the figures", 2)
	if code := stop(); code != 0 || told.String() != "" {
		t.Errorf("a watch ends with %d: %s", code, told)
	}

	// The companion whose owner sees all gives the figures; one whose owner does not sends
	// to its owner.
	if code, _, errs := planvetRun(t, "companion", "install", "--database-url", super, "--reader", low); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if code, out, errs := planvetRun(t, "monitor", "--database-url", url); code != 0 || errs != "" || !strings.Contains(out, "through planvet") {
		t.Errorf("with the companion: exit %d, %s%s", code, out, errs)
	}
	for _, sql := range []string{"drop schema planvet cascade", "do $$ begin create role planvet_cmd_poor login; exception when duplicate_object then null; end $$",
		"grant create on database " + pgx.Identifier{conn.Config().Database}.Sanitize() + " to planvet_cmd_poor"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := planvetRun(t, "companion", "install", "--database-url", strings.Replace(super, "postgres@", "planvet_cmd_poor@", 1), "--reader", low); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if code, out, errs := planvetRun(t, "monitor", "--database-url", url); code != 2 || !strings.Contains(errs, "not in the figures: grant pg_read_all_stats to "+low+"; --own") || !strings.Contains(out, "grant pg_read_all_stats to planvet_cmd_poor") {
		t.Errorf("with an owner who sees nothing: exit %d, %s%s", code, out, errs)
	}
}
