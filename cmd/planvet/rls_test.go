package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const board = `
create table teams (id uuid primary key default gen_random_uuid(), name text not null);
create table cards (id uuid primary key default gen_random_uuid(), team_id uuid not null references teams, title text not null, shown boolean not null default false);
alter table teams enable row level security;
alter table cards enable row level security;
create policy own on teams for select to authenticated using (id = ((select auth.jwt()) ->> 'team')::uuid);
create policy of_team on cards using (team_id = (auth.jwt() ->> 'team')::uuid);
`

// rls runs a subcommand on the board's project; teams are few, so that cards share them.
func rls(t *testing.T, schema string, args ...string) (code int, out string) {
	t.Helper()
	config := "version: 1\ntables: {teams: {rows: 20}}\n"
	if v := os.Getenv("PLANVET_TEST_PG_MAJOR"); v != "" {
		config += "postgres: " + v + "\n"
	}
	dir := project(t, map[string]string{"planvet.yaml": config, "supabase/migrations/20250101000000_board.sql": schema})
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append(append([]string{"rls"}, args...), dir), &stdout, &stderr)
	if code > 1 {
		t.Fatalf("planvet rls %v ended with %d: %s", args, code, &stderr)
	}
	return code, stdout.String()
}

// TestRLSOverheadCommand: tables are sorted by what row security costs them, and what
// would make them cheaper is measured.
func TestRLSOverheadCommand(t *testing.T) {
	shadowtest.Server(t)
	code, out := rls(t, board, "overhead", "--rows", "20000", "--format", "json")
	var r explain.OverheadReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s", code, err, out)
	}
	if len(r.Tables) != 2 || r.Tables[0].Table != "cards" || r.Tables[0].Role != "authenticated" || !r.Tables[0].SameRows || r.Where != "shadow" {
		t.Fatalf("%+v", r)
	}
	cards := r.Tables[0]
	if cards.Enforced.Rows == 0 || cards.Enforced.Rows >= 20_000 || !strings.Contains(cards.Settings["request.jwt.claims"], "team") {
		t.Errorf("%d rows with %v", cards.Enforced.Rows, cards.Settings)
	}
	if f := cards.Policies[0].Functions; len(f) != 1 || f[0].Evaluated != explain.PerRow || f[0].Calls != 20_000 {
		t.Errorf("calls: %+v", f)
	}
	measured := 0
	for _, m := range cards.Remedies {
		if m.Verified == explain.Measured && m.After.MS < m.Before.MS {
			measured++
		}
	}
	if measured < 3 {
		t.Errorf("remedies: %+v", cards.Remedies)
	}
	for format, want := range map[string]string{"text": "auth.jwt() per row", "markdown": "| cards | authenticated |"} {
		if _, out := rls(t, board, "overhead", "--rows", "5000", "--table", "cards", "--format", format); !strings.Contains(out, want) {
			t.Errorf("%s lacks %q:\n%s", format, want, out)
		}
	}
}

// TestRLSMatrixCommand: two teams are drawn from the rows; a policy that shows cards of
// others fails the check.
func TestRLSMatrixCommand(t *testing.T) {
	shadowtest.Server(t)
	code, out := rls(t, board, "matrix", "--rows", "2000", "--format", "json")
	var m explain.Matrix
	if err := json.Unmarshal([]byte(out), &m); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s", code, err, out)
	}
	if len(m.Cells) != 2*3*4 || m.Leaks() != 0 {
		t.Errorf("%d cells, %d leaks", len(m.Cells), m.Leaks())
	}
	seen := 0
	for _, c := range m.Cells {
		if c.Table == "cards" && c.Identity > 0 && c.Verb == "select" && c.Rows > 0 && c.Rows < 2000 && c.Foreign != nil {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d of two teams see cards of theirs", seen)
	}
	leak := board + "create policy shown on cards for select using (shown or title <> '');\n"
	code, out = rls(t, leak, "matrix", "--rows", "2000")
	if code != int(report.ExitFindings) || !strings.Contains(out, "leak: select on cards as authenticated 1") || !strings.Contains(out, "policies: of_team, shown") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out = rls(t, leak, "matrix", "--rows", "2000", "--shared", "cards", "--format", "markdown"); code != 0 || !strings.Contains(out, "0 of 24 cells leak") {
		t.Errorf("--shared: exit %d\n%s", code, out)
	}
}

// TestRLSUsage: what cannot be meant is refused before a server is started.
func TestRLSUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"overhead", "--claims", "{"}, "--claims: write a JSON object"},
		{[]string{"matrix", "--claims", "[1]"}, "--claims: write a JSON object"},
		{[]string{"overhead", "--rows", "0"}, "--rows: use a positive number"},
		{[]string{"overhead", "--set", "app.tenant"}, "--set app.tenant: write NAME=VALUE"},
		{[]string{"overhead", "--format", "html"}, `--format "html": use text, json, markdown`},
		{[]string{"matrix", "--inconclusive", "maybe"}, "--inconclusive maybe: use pass or fail"},
		{[]string{"guide", "--format", "csv"}, `--format "csv"`},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"rls"}, c.args...), &stdout, &stderr); code != int(report.ExitUsage) || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("planvet rls %v: exit %d, %s", c.args, code, &stderr)
		}
	}
}
