package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		file, text string
		line       int
		says       string
	}{
		{"pgbouncer.ini", "[databases]\napp = host=db\n[pgbouncer]\npool_mode = transaction\n", 4, "pool_mode = transaction"},
		{"pgbouncer.ini", "[databases]\napp = host=db pool_mode=transaction\n", 2, "pool_mode=transaction"},
		{"pgbouncer.ini", ";pool_mode = transaction\npool_mode = session\n", 0, ""},
		{"compose.yaml", "services:\n  pool:\n    environment:\n      PGBOUNCER_POOL_MODE: transaction\n", 4, "PGBOUNCER_POOL_MODE: transaction"},
		{"compose.yaml", "    environment:\n      - POOL_MODE=transaction\n", 2, "POOL_MODE=transaction"},
		{"pooler.yaml", "spec:\n  pgbouncer:\n    poolMode: transaction\n", 3, "poolMode: transaction"},
		{".env", "DATABASE_URL=\"postgresql://u:p@h.pooler.example.com:6543/postgres\"\n", 1, "a URL with 6543"},
		{".env", "A=postgres://u@h/db?sslmode=require&pgbouncer=true\n", 1, "a URL with pgbouncer=true"},
		{".env", "A=postgres://u@h:5432/db\nB=http://h:6543/\n", 0, ""},
		{".env", "# A=postgres://u@h:6543/db\n", 0, ""},
		{"pgcat.toml", "[pools.app]\npool_mode = \"transaction\"\n", 2, "pool_mode = \"transaction"},
		// What Supabase's command line writes, where the pooler is off until it is switched on.
		{"supabase/config.toml", "[db.pooler]\nenabled = false\nport = 54329\npool_mode = \"transaction\"\n", 0, ""},
		{"supabase/config.toml", "[db.pooler]\nenabled = true\nport = 54329\npool_mode = \"transaction\"\n", 4, "pool_mode = \"transaction"},
	} {
		if line, says := evidence(c.file, []byte(c.text)); line != c.line || says != c.says {
			t.Errorf("%s %q: line %d (%s), want %d (%s)", c.file, c.text, line, says, c.line, c.says)
		}
	}
}

func TestByVersion(t *testing.T) {
	for text, want := range map[string]string{
		"image: edoburu/pgbouncer:v1.25.1-p0": "yes", "image: bitnami/pgbouncer:1.24": "yes", "image: edoburu/pgbouncer:1.20.1": "no",
		"image: ghcr.io/x/pgbouncer:1.22.0": "", "image: pgbouncer:latest": "", "image: postgres:16": "",
	} {
		if got := byVersion([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestPooling: the rule speaks where a project pools by transaction, and says how it knows.
func TestPooling(t *testing.T) {
	const ini = "[pgbouncer]\npool_mode = transaction\n"
	found := func(certainty rules.Certainty) string {
		return fmt.Sprintf("%s queries/a.sql:2,%[1]s queries/a.sql:4", certainty)
	}
	for _, c := range []struct {
		name, conf string
		files      map[string]string
		asked      []string
		want       string
		off        bool
	}{
		{name: "ok_nothing_known", off: true},
		{name: "ok_session", conf: "pooling: session\n", files: map[string]string{"pgbouncer.ini": ini}, off: true},
		{name: "ok_none", conf: "pooling: none\nrules: {pool-session-state: on}\n", off: true},
		{name: "ok_off", conf: "pooling: transaction\nrules: {pooling: off}\n", off: true},
		{name: "ok_direct", conf: "pooling: {mode: transaction, direct: [queries/*.sql]}\n"},
		{name: "ok_example", files: map[string]string{"examples/pgbouncer.ini": ini}, off: true},
		{name: "declared", conf: "pooling: transaction\n", want: found(rules.Certain)},
		{name: "declared_by_rule", conf: "rules: {pool-session-state: warning}\n", want: found(rules.Certain)},
		{name: "declared_by_flag", asked: []string{"pooling"}, want: found(rules.Certain)},
		{name: "not_declared_by_all", conf: "rules: {all: on}\n", off: true},
		{name: "shown", files: map[string]string{"deploy/pgbouncer.ini": ini}, want: found(rules.Possible)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{
				"planvet.yaml": "version: 1\nqueries: queries/*.sql\n" + c.conf,
				"queries/a.sql": "-- name: Lock :exec\nselect pg_advisory_lock($1);\n-- name: Path :exec\nset search_path = app;\n" +
					"-- name: Fine :exec\nset local search_path = app;\n",
			}
			for name, text := range c.files {
				files[name] = text
			}
			for name, text := range files {
				file := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p, err := Open(Options{Dir: dir, NoGo: true, Rules: c.asked})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Load(context.Background()); err != nil {
				t.Fatal(err)
			}
			fs, _ := p.Check()
			var got []string
			for _, f := range fs {
				got = append(got, fmt.Sprintf("%s %s:%d", f.Certainty, f.Location.Path, f.Location.Line))
				if shown := len(f.Related) == 1 && f.Related[0].Location.Path == "deploy/pgbouncer.ini"; shown != (c.name == "shown") {
					t.Errorf("related: %v", f.Related)
				}
			}
			if s := strings.Join(got, ","); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
			if off := slices.Contains(p.Off(), "pool-session-state"); off != c.off {
				t.Errorf("off: %v, want %v", off, c.off)
			}
		})
	}
}
