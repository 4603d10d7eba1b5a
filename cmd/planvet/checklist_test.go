package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// boutique is a project without a fault, in Go, with row security.
func boutique() map[string]string {
	return map[string]string{
		"planvet.yaml": "version: 1\npooling: transaction\n",
		"go.mod":       "module example.com/shop\n\ngo 1.24\n",
		"migrations/1_init.sql": `create table customers (id bigint primary key, email text not null);
create table orders (
	id bigint primary key,
	customer_id bigint not null references customers (id),
	status text not null,
	placed_at timestamptz not null
);
create index on orders (customer_id);
create index on orders (status);
create table notes (id bigint primary key, tenant_id bigint not null, body text not null);
create index on notes (tenant_id);
alter table notes enable row level security;
create policy tenant on notes using (tenant_id = (select current_setting('app.tenant')::bigint));
`,
		"store.go": `package shop

import (
	"context"
	"database/sql"
)

func Orders(ctx context.Context, db *sql.DB, customer int64) (*sql.Rows, error) {
	return db.QueryContext(ctx, "select id, status from orders where customer_id = $1", customer)
}
`,
	}
}

// faults are a change with one of each kind; its two loops send the new queries.
func faults() map[string]string {
	return map[string]string{
		"migrations/2_change.sql": `drop index orders_customer_id_idx;
create table audits (id bigint primary key, tenant_id bigint not null, body text not null);
alter table audits enable row level security;
create policy tenant on audits using (tenant_id = (select current_setting('app.tenant')::bigint));
`,
		"loops.go": `package shop

import (
	"context"
	"database/sql"
)

func Emails(ctx context.Context, db *sql.DB, ids []int64) ([]string, error) {
	var out []string
	for _, id := range ids {
		var email string
		if err := db.QueryRowContext(ctx, "select email from customers where id = $1", id).Scan(&email); err != nil {
			return nil, err
		}
		out = append(out, email)
	}
	return out, nil
}

func Tenant(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "set app.tenant = '1'")
	return err
}

func Close(ctx context.Context, db *sql.DB, ids []int64) error {
	for _, id := range ids {
		if _, err := db.ExecContext(ctx, "update orders set status = 'closed' where id = $1", id); err != nil {
			return err
		}
	}
	return nil
}
`,
	}
}

var boxLine = regexp.MustCompile(`(?m)^- \[([ x])\] \*\*([^*]+)\*\*: .* <!-- planvet:v1 box=([a-z]+) state=[0-9a-f]+ -->$`)

// unticked are the names of a checklist's boxes that are not ticked.
func unticked(list string) (names []string) {
	for _, m := range boxLine.FindAllStringSubmatch(list, -1) {
		if m[1] == " " {
			names = append(names, m[3])
		}
	}
	return names
}

// TestChecklist: a change with one fault of each kind unticks exactly those boxes, has the
// plans of its two new queries, and keeps what a person ticks.
func TestChecklist(t *testing.T) {
	shadowtest.Server(t)
	noCI(t)
	page, err := filepath.Abs("../../docs/checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	r := casetest.GitRepository(t, boutique())
	t.Chdir(r.Dir)
	passed := filepath.Join(t.TempDir(), "gate.json")
	write := func(file, text string) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write(passed, `{"version": 1, "threshold_percent": 10, "verdict": "pass", "cases": [{"suite": "api", "case": "orders", "verdict": "pass"}]}`)
	failed := write(passed+"2", `{"version": 1, "threshold_percent": 10, "verdict": "fail", "cases": [{"suite": "api", "case": "orders", "verdict": "fail", "reasons": ["p95 is slower"]}]}`)
	lax := write(passed+"3", `{"version": 1, "threshold_percent": 25, "verdict": "pass", "cases": []}`)

	code, clean, errs := planvetRun(t, "checklist", "--since", "HEAD", "--gate", passed)
	if code != 0 || len(unticked(clean)) != 0 || strings.Contains(clean, "### Plans") {
		t.Fatalf("nothing changed: exit %d\n%s%s", code, clean, errs)
	}
	r.Write(map[string]string{"store.go": strings.ReplaceAll(boutique()["store.go"], "id, status", "id")})
	code, clean, errs = planvetRun(t, "checklist", "--since", "HEAD", "--gate", passed)
	if code != 0 || len(unticked(clean)) != 0 || !strings.Contains(clean, "<summary>changed: <code>store.go:9") || !strings.Contains(clean, "Index Scan on orders_customer_id_idx") {
		t.Fatalf("a harmless change: exit %d\n%s%s", code, clean, errs)
	}
	r.Git("checkout", "-q", ".")

	r.Write(faults())
	args := []string{"checklist", "--since", "HEAD"}
	code, list, errs := planvetRun(t, args...)
	want := []string{"indexes", "loops", "policies", "gate", "pooling", "batches"}
	if got := unticked(list); code != 1 || !slices.Equal(got, want) {
		t.Fatalf("exit %d, unticked %v, want %v\n%s%s", code, got, want, list, errs)
	}
	for _, part := range []string{
		"**EXPLAIN attached**: 2 new or changed queries with the plan below",
		"<summary>new: <code>loops.go:", "select email from customers where id = $1", "Index Scan using customers_pkey on customers",
		"update orders set status", "fix: `create index on orders (customer_id)`",
		"not measured: no benchmark was run", "[`nplusone`]", "[`row-at-a-time-write`]", "[`pool-session-state`]", "[`rls-unindexed-predicate`]", "confirmed",
	} {
		if !strings.Contains(list, part) {
			t.Errorf("%q is not in\n%s", part, list)
		}
	}
	checklistPage(t, page, list)
	if n := strings.Count(list, "<details"); n != 2 {
		t.Errorf("%d plans, want those of the 2 new queries", n)
	}
	unplanned := append([]string{"plans"}, want...)
	// A gate of another commit says nothing of this one; of this one it does.
	here := r.Git("rev-parse", "HEAD")
	stale := write(passed+"4", `{"version": 1, "threshold_percent": 10, "verdict": "pass", "b": {"name": "this run", "commit": "0123456789abcdef"}, "cases": []}`)
	fresh := write(passed+"5", `{"version": 1, "threshold_percent": 10, "verdict": "pass", "b": {"name": "this run", "commit": "`+here+`"}, "cases": []}`)
	if got := listed(t, append(args, "--confirm", "none", "--gate", fresh)); slices.Contains(unticked(got), "gate") {
		t.Errorf("a gate of this commit is not taken:\n%s", got)
	}
	for _, file := range []string{failed, lax, stale} {
		if got := unticked(listed(t, append(args, "--confirm", "none", "--gate", file))); !slices.Equal(got, unplanned) {
			t.Errorf("%s: unticked %v", file, got)
		}
	}

	// A person ticks the benchmark's box and each finding.
	ticked := strings.ReplaceAll(list, "- [ ] **Benchmark", "- [x] **Benchmark")
	ticked = strings.ReplaceAll(ticked, "  - [ ] ", "  - [x] ")
	old := write(filepath.Join(t.TempDir(), "old.md"), strings.ReplaceAll(ticked, "\n", "\r\n"))
	code, again, errs := planvetRun(t, append(args, "--previous", old)...)
	if got := unticked(again); code != 0 || len(got) != 0 || !strings.Contains(again, "(ticked by hand)") || !strings.Contains(again, "findings, accepted") {
		t.Errorf("ticked by hand: exit %d, unticked %v\n%s%s", code, got, again, errs)
	}
	// A new fault of one kind unticks its box alone, and what was ticked in it stays.
	r.Write(map[string]string{"migrations/3_more.sql": "drop index notes_tenant_id_idx;\n"})
	again = listed(t, append(args, "--previous", old))
	if got := unticked(again); !slices.Equal(got, []string{"policies"}) || !strings.Contains(again, "  - [x] ") {
		t.Errorf("a new fault: unticked %v\n%s", got, again)
	}
}

func listed(t *testing.T, args []string) string {
	t.Helper()
	_, out, _ := planvetRun(t, args...)
	return out
}

// checklistPage holds docs/checklist.md against a list, measured figures masked; UPDATE=1
// writes it.
func checklistPage(t *testing.T, page, list string) {
	t.Helper()
	const open, end = "<!-- planvet:checklist -->\n", "<!-- /planvet:checklist -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), open)
	block, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/checklist.md has no block for the list")
	}
	fresh := report.MarkdownFence("markdown", list)
	switch {
	case casetest.Update():
		if err := os.WriteFile(page, []byte(before+open+fresh+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case mask(block) != mask(fresh):
		t.Errorf("docs/checklist.md is stale: UPDATE=1 go test ./cmd/planvet -run TestChecklist$\n%s", cmp.Diff(mask(block), mask(fresh)))
	}
}

// TestChecklistUsage: what is asked for wrongly is one line that says what to do.
func TestChecklistUsage(t *testing.T) {
	r := casetest.GitRepository(t, boutique())
	t.Chdir(r.Dir)
	r.Write(map[string]string{"other.json": "{}", "../gate.txt": "no"})
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "a checklist is of a change: say which, by --since REV"},
		{[]string{"--since", "HEAD", "--previous", "none.md"}, "--previous: open none.md"},
		{[]string{"--since", "HEAD", "--gate", "other.json"}, "--gate other.json is no report of a gate"},
		{[]string{"--since", "HEAD", "--confirm", "live"}, "--confirm live needs --database-url"},
		{[]string{"--since", "HEAD", "--confirm", "docker"}, "use shadow, live, none"},
		{[]string{"--since", "HEAD", "--database-url", "postgres://h/d"}, "--database-url is only read by --confirm live"},
		{[]string{"--since", "HEAD", "--fail-on", "all"}, "use error, warning, info, never"},
		{[]string{"--since", "HEAD", "--pull-request", "3"}, "--pull-request is for --comment"},
	} {
		code, out, errs := planvetRun(t, append([]string{"checklist"}, c.args...)...)
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %q%q, want %q", c.args, code, out, errs, c.want)
		}
	}
}

// TestChecklistWithoutServer: where no planner is to be had the list stands, and says so.
func TestChecklistWithoutServer(t *testing.T) {
	r := casetest.GitRepository(t, boutique())
	t.Chdir(r.Dir)
	r.Write(faults())
	code, list, errs := planvetRun(t, "checklist", "--since", "HEAD", "--confirm", "live", "--database-url", "postgres://u@127.0.0.1:1/d")
	if code != 1 || !strings.Contains(list, "- [ ] **EXPLAIN attached**: not measured: ") || !strings.Contains(list, "[`nplusone`]") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d\n%s%s", code, list, errs)
	}
}

// TestChecklistComment: the list is one comment of the pull request, and what is ticked
// there stays ticked.
func TestChecklistComment(t *testing.T) {
	r := casetest.GitRepository(t, boutique())
	t.Chdir(r.Dir)
	r.Write(faults())
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		comment := map[string]any{"id": 9, "html_url": "https://example.org/9", "body": body, "user": map[string]string{"type": "Bot"}}
		switch {
		case q.URL.Path == "/user":
			w.WriteHeader(http.StatusForbidden)
		case q.Method == http.MethodGet && body == "":
			w.Write([]byte("[]"))
		case q.Method == http.MethodGet:
			json.NewEncoder(w).Encode([]any{comment})
		default:
			var in struct{ Body string }
			if err := json.NewDecoder(q.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			body = in.Body
			json.NewEncoder(w).Encode(comment)
		}
	}))
	defer server.Close()
	for k, v := range map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/pull/7/merge"} {
		t.Setenv(k, v)
	}
	args := []string{"checklist", "--since", "HEAD", "--confirm", "none", "--comment"}
	// Where nothing changed that planvet reads, a pull request gets no comment, and keeps one.
	r.Git("stash", "-q", "-u")
	if code, _, errs := planvetRun(t, args...); code != 0 || body != "" || !strings.Contains(errs, "no comment on pull request 7: nothing that planvet reads changed") {
		t.Errorf("exit %d, %s\n%s", code, errs, body)
	}
	r.Git("stash", "pop", "-q")
	code, list, errs := planvetRun(t, args...)
	if code != 1 || body != list || !strings.HasPrefix(body, report.ChecklistMarker) || !strings.Contains(errs, "commented: https://example.org/9") {
		t.Fatalf("exit %d, %s\n%s", code, errs, body)
	}
	r.Git("stash", "-q", "-u")
	if planvetRun(t, args...); len(unticked(body)) != 1 {
		t.Errorf("the comment is not brought up to date:\n%s", body)
	}
	r.Git("stash", "pop", "-q")
	planvetRun(t, args...)
	body = strings.Replace(body, "- [ ] **No N+1**", "- [x] **No N+1**", 1)
	if code, _, errs = planvetRun(t, args...); code != 1 || slices.Contains(unticked(body), "loops") || !slices.Contains(unticked(body), "indexes") {
		t.Errorf("exit %d, %s\n%s", code, errs, body)
	}
}

// TestChecklistOneFault: each kind of fault unticks its box and no other, however the change
// is named; a gate that failed fails the run, one that nobody held does not.
func TestChecklistOneFault(t *testing.T) {
	noCI(t)
	r := casetest.GitRepository(t, boutique())
	t.Chdir(r.Dir)
	r.Git("branch", "trunk")
	gate := func(verdict string) string {
		file := filepath.Join(t.TempDir(), verdict+".json")
		if err := os.WriteFile(file, []byte(`{"version": 1, "threshold_percent": 10, "verdict": "`+verdict+`", "cases": [{"suite": "api", "case": "orders", "verdict": "`+verdict+`", "reasons": ["p95 is slower"]}]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	passed := gate("pass")
	functions := strings.SplitAfter(faults()["loops.go"], "\n}\n") // Emails, Tenant, Close
	head, _, _ := strings.Cut(faults()["loops.go"], "func ")
	migration := strings.SplitAfterN(faults()["migrations/2_change.sql"], ";\n", 2)
	_, emails, _ := strings.Cut(functions[0], "func ")
	for _, c := range []struct {
		name, box, file, text, gate string
		code                        int
	}{
		{"an index dropped", "indexes", "migrations/2_change.sql", migration[0], passed, 1},
		{"a loop that asks", "loops", "loops.go", head + "func " + emails, passed, 1},
		{"a policy", "policies", "migrations/2_change.sql", migration[1], passed, 1},
		{"a setting of the session", "pooling", "loops.go", head + functions[1], passed, 1},
		{"a loop that writes", "batches", "loops.go", head + functions[2], passed, 1},
		{"a regression", "gate", "notes.txt", "x", gate("fail"), 1},
		{"a gate that cannot say", "gate", "notes.txt", "x", gate("inconclusive"), 0},
		{"no gate", "gate", "notes.txt", "x", "", 0},
	} {
		r.Write(map[string]string{c.file: c.text})
		r.Git("add", "-A")
		for _, scope := range [][]string{{"--staged"}, {"--since", "HEAD"}, {"--new-from-merge-base", "trunk"}} {
			args := append([]string{"checklist", "--confirm", "none"}, scope...)
			if c.gate != "" {
				args = append(args, "--gate", c.gate)
			}
			code, list, errs := planvetRun(t, args...)
			got := slices.DeleteFunc(unticked(list), func(box string) bool { return box == "plans" })
			if code != c.code || !slices.Equal(got, []string{c.box}) {
				t.Errorf("%s, %v: exit %d, unticked %v, want %d and %s\n%s%s", c.name, scope, code, got, c.code, c.box, list, errs)
			}
		}
		r.Git("rm", "-q", "-f", c.file)
	}
}

// noCI takes away what names a commit in a CI.
func noCI(t *testing.T) {
	for _, name := range []string{"GITHUB_SHA", "CI_COMMIT_SHA"} {
		t.Setenv(name, "")
	}
}
