package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// hotel is a project with one fault, and an index that can be dropped.
func hotel() map[string]string {
	return map[string]string{
		"migrations/1_init.sql": "create table visits (id bigint primary key, guest bigint not null, room bigint not null);\ncreate index visits_guest_idx on visits (guest);\n",
		"queries.sql":           "-- name: OfGuest :many\nselect id from visits where guest = $1;\n\n-- name: OfRoom :many\nselect id from visits where room = $1;\n",
	}
}

const dropGuests = "drop index visits_guest_idx;\n"

func TestCheckSince(t *testing.T) {
	r := casetest.GitRepository(t, hotel())
	t.Chdir(r.Dir)
	for _, c := range []struct {
		name  string
		files map[string]string
		args  []string
		code  int
		out   []string
	}{
		{"nothing", nil, []string{"--since", "HEAD"}, 0, []string{"no findings\n", "since HEAD (", "): nothing that planvet reads changed (0 other files)\n"}},
		{"a text", map[string]string{"README.md": "x"}, []string{"--new-from-rev", "main"}, 0, []string{"since main (", "): nothing that planvet reads changed (1 other file)\n"}},
		{"an index goes", map[string]string{"migrations/2_drop.sql": dropGuests}, []string{"--new-from-merge-base=main"}, 1, []string{
			"queries.sql:2:29: warning: visits.guest has no index", "1 finding: 1 warning\nsince main (", "): 1 finding was there before\n",
		}},
		{"never fails", nil, []string{"--since", "HEAD", "--fail-on", "error"}, 0, []string{"1 finding: 1 warning\n"}},
		{"not staged", nil, []string{"--staged"}, 0, []string{"since HEAD (", "nothing that planvet reads changed"}},
		{"fewer", map[string]string{"migrations/2_drop.sql": "create index on visits (room);\n"}, []string{"--since", "HEAD"}, 0, []string{"): 0 findings were there before, 1 gone\n"}},
		{"two revisions", nil, []string{"--since", "a", "--new-from-merge-base", "b"}, 2, nil},
		{"no revision", nil, []string{"--since", ""}, 2, nil},
		{"unknown revision", nil, []string{"--since", "no-such"}, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.Write(c.files)
			code, out, errs := planvetRun(t, append([]string{"check"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit %d, want %d: %s%s", code, c.code, out, errs)
			}
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			if c.code == 2 && (out != "" || strings.Count(errs, "\n") != 1) {
				t.Errorf("a usage error printed\n%s%s", out, errs)
			}
		})
	}
}

// Every format takes a change; paths are those of the work tree, whatever tree was read.
func TestCheckStagedFormats(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"README.md": "x"})
	files := map[string]string{}
	for name, text := range hotel() {
		files["services/hotel/"+name] = text
	}
	files["services/hotel/planvet.yaml"] = "version: 1\n"
	r.Write(files)
	r.Commit()
	r.Write(map[string]string{"services/hotel/migrations/2_drop.sql": dropGuests})
	r.Git("add", "-A")
	t.Chdir(r.Dir)
	outputs := t.TempDir()
	args := []string{"check", "services/hotel", "--staged"}
	for _, f := range []string{"json", "sarif", "gitlab", "markdown", "html"} {
		args = append(args, "--output", f+"="+filepath.Join(outputs, f))
	}
	if code, out, errs := planvetRun(t, args...); code != 1 || out != "" {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	var doc struct {
		Summary struct {
			Since struct {
				Revision, Commit string
				Before, Gone     int
				FilesRead        int `json:"files_read"`
			}
		}
		Findings []struct{ Location struct{ Path string } }
	}
	if err := json.Unmarshal([]byte(textOf(t, filepath.Join(outputs, "json"))), &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Summary.Since; s.Revision != "HEAD" || len(s.Commit) != 40 || s.Before != 1 || s.FilesRead != 1 || len(doc.Findings) != 1 {
		t.Errorf("%+v", doc)
	}
	for f, want := range map[string]string{
		"sarif": `"uri": "services/hotel/queries.sql"`, "gitlab": `"path": "services/hotel/queries.sql"`,
		"markdown": "1 finding was there before", "html": "1 finding was there before",
	} {
		if text := textOf(t, filepath.Join(outputs, f)); !strings.Contains(text, want) || strings.Contains(text, "planvet-tree-") {
			t.Errorf("%s: %q is not in it\n%s", f, want, text)
		}
	}
}

// On the example a change of nothing that planvet reads takes no time, and one that only
// drops an index reports the query that needed it.
func TestCheckSinceCasino(t *testing.T) {
	r := casetest.GitRepository(t, nil)
	if err := os.CopyFS(filepath.Join(r.Dir, "casino"), os.DirFS("../../examples/casino")); err != nil {
		t.Fatal(err)
	}
	r.Commit()
	t.Chdir(filepath.Join(r.Dir, "casino"))
	r.Write(map[string]string{"casino/README.md": "changed\n", "casino/internal/api/more_test.go": "package api\n"})
	started := time.Now()
	code, out, errs := planvetRun(t, "check", "--since", "main")
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	if code != 0 || !strings.HasPrefix(out, "no findings\n") || !strings.Contains(out, "nothing that planvet reads changed (2 other files)") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	r.Write(map[string]string{"casino/supabase/migrations/20990101000000_drop.sql": "drop index public.audit_log_entity_idx;\n"})
	code, out, errs = planvetRun(t, "check", "--since", "main", "--format", "gcc")
	if code != 1 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "internal/store/hosts.go:") || !strings.Contains(out, "audit_log has no index on casino_id, entity_id") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// Only what is new is proved.
func TestCheckSinceConfirm(t *testing.T) {
	shadowtest.Server(t)
	r := casetest.GitRepository(t, hotel())
	r.Write(map[string]string{"migrations/2_drop.sql": dropGuests})
	r.Git("add", "-A")
	t.Chdir(r.Dir)
	for _, scope := range []string{"--since=HEAD", "--staged"} {
		code, out, errs := planvetRun(t, "check", scope, "--confirm", "shadow")
		if code != 1 || strings.Count(out, "confirmed (") != 1 || !strings.Contains(out, "visits.guest has no index") || strings.Contains(out, "visits.room") {
			t.Errorf("%s: exit %d: %s%s", scope, code, out, errs)
		}
	}
}

func textOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
