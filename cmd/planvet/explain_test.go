package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// live.md row 3: the password is in no format, no file, no log and no error; nor is a
// value that came from the server's statistics.
func TestExplainKeepsSecrets(t *testing.T) {
	const secret = "s3cr3t-pa55w0rd"
	conn := shadowtest.Connect(t, "create table people (id bigint primary key, email text)",
		"insert into people select i, 'someone' || i || '@private.example' from generate_series(1, 5000) i", "analyze people",
		"drop role if exists explainer", "create role explainer login password '"+secret+"'", "grant select on people to explainer")
	url := strings.Replace(conn.Config().ConnString(), "postgres@", "explainer:"+secret+"@", 1)
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.jsonl")
	for _, sql := range []string{"select * from people where email = $1", "select * from people where email like $1", "select * from nothere", "select 1; select 2", "select pg_sleep(60)"} {
		for _, format := range []string{"text", "json", "markdown", "html"} {
			file := filepath.Join(dir, "report."+format)
			args := []string{"explain", "--database-url", url, "--sql", sql, "--format", format, "--audit", log, "--runs", "1"}
			if format != "json" || !strings.Contains(sql, "email =") { // what would help is looked for once
				args = append(args, "--no-advice")
			}
			_, out, errs := planvetRun(t, args...)
			_, _, more := planvetRun(t, "explain", "--conn", url, "--sql", sql, "--format", format, "--output", file, "--analyze", "--runs", "1", "--no-advice")
			written, _ := os.ReadFile(file)
			for _, text := range []string{out, errs, more, string(written)} {
				if strings.Contains(text, secret) || strings.Contains(text, "private.example") {
					t.Errorf("%s as %s: %s", sql, format, text)
				}
			}
		}
	}
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		t.Fatalf("the audit log: %v", err)
	}
	if strings.Contains(string(text), secret) || strings.Contains(string(text), "private.example") {
		t.Errorf("the audit log: %s", text)
	}
}

// A plan under all thresholds is not called faultless above an index that makes it many
// times cheaper; with the index it is. One threshold is a time, which a busy machine may
// exceed: then the scan is a finding.
func TestExplainSaysWhatIsToGain(t *testing.T) {
	conn := shadowtest.Connect(t, "create table plays (id bigint, player_id bigint, note text)",
		"insert into plays select i, i, 'x' || i from generate_series(1, 8000) i", "vacuum analyze plays")
	args := []string{"explain", "--database-url", conn.Config().ConnString(), "--sql", "select note from plays where player_id = 77", "--format"}
	want := regexp.MustCompile(`no fault above the thresholds, yet recommendation 1 makes it \d+× cheaper: an index on plays \(player\\?_id\)|Seq Scan on plays reads 8,000 rows`)
	for _, format := range []string{"text", "markdown", "html"} {
		code, out, errs := planvetRun(t, append(args, format)...)
		out = strings.Join(strings.Fields(out), " ")
		if code != 0 || !want.MatchString(out) || strings.Contains(out, "no fault found") {
			t.Errorf("%s: exit %d, %s%.1500s", format, code, errs, out)
		}
	}
	if _, err := conn.Exec(t.Context(), "create index on plays (player_id)"); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := planvetRun(t, append(args, "text")...); code != 0 || !strings.Contains(out, "no fault found in the plan") {
		t.Errorf("with the index: exit %d, %s%s", code, errs, out)
	}
}

// A statement is taken from pg_stat_statements, in whatever schema that is, and made
// valid again.
func TestExplainQueryID(t *testing.T) {
	conn := shadowtest.Connect(t, "create schema extensions", "create extension pg_stat_statements schema extensions",
		"create table visits (id bigint primary key, guest bigint, at timestamptz)", "select extract(epoch from at) from visits where at > now() - interval '3 days' and at < timestamp '2025-01-01' and guest in (1, 2, 3)")
	var id int64
	if err := conn.QueryRow(t.Context(), "select queryid from extensions.pg_stat_statements where query like 'select extract(%'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	code, out, errs := planvetRun(t, "explain", "--conn", conn.Config().ConnString(), "--queryid", fmt.Sprint(id), "--format", "json", "--no-advice")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r explain.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cleaned) < 2 || !strings.Contains(r.SQL, "::interval") || len(r.Plans) < 2 {
		t.Errorf("cleaned %q to %s, %d plans", r.Cleaned, r.SQL, len(r.Plans))
	}
	code, _, errs = planvetRun(t, "explain", "--conn", conn.Config().ConnString(), "--queryid", "12345")
	if code != 2 || !strings.Contains(errs, "--queryid 12345 is not among the statements") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = planvetRun(t, "explain", "--conn", shadowtest.URL(t), "--queryid", "12345")
	if code != 2 || !strings.Contains(errs, "create extension pg_stat_statements") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// Without a server a throwaway one is asked, with the project's schema and made rows,
// as a role that no migration makes.
func TestExplainShadow(t *testing.T) {
	shadowtest.Server(t)
	dir := project(t, map[string]string{
		"planvet.yaml": "version: 1\n",
		"migrations/1_visits.sql": `create schema app;
			create table app.visits (id bigint generated always as identity primary key, guest bigint not null, note text);
			create function app.pause() returns int language plpgsql volatile as $$ begin return 1; end $$;`,
	})
	config := filepath.Join(dir, "planvet.yaml")
	for _, c := range []struct{ sql, role string }{
		{"select * from app.visits where guest = $1", ""}, {"select * from app.visits where guest = $1", "stranger"},
		{"select app.pause() from app.visits limit 1", ""}, {"insert into app.visits (guest) values ($1)", ""}, {"delete from app.visits where id = $1", "stranger"},
	} {
		args := []string{"explain", "--shadow", "--config", config, "--rows", "500", "--sql", c.sql, "--format", "json", "--analyze", "--analyze-writes", "--runs", "1", "--no-advice"}
		if c.role != "" {
			args = append(args, "--role", c.role)
		}
		code, out, errs := planvetRun(t, args...)
		if code != 0 {
			t.Errorf("%s: exit %d: %s", c.sql, code, errs)
			continue
		}
		var r explain.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if r.Server.Where != "shadow" || r.Server.Role != c.role || r.Timing == nil {
			t.Errorf("%s: %+v, run %v", c.sql, r.Server, r.Timing != nil)
		}
	}
}
