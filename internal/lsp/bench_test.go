package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// BenchmarkSave is the time from a save to the diagnostics of the run that it starts, the
// wait for more changes left out, on the example, and on a project of twenty times its Go
// packages and as many tables more as 400 migrations make; after a save of SQL, and of
// Go, whose packages are loaded again.
//
//	go test ./internal/lsp -run '^$' -bench Save -benchtime 10x
func BenchmarkSave(b *testing.B) {
	for _, size := range []int{1, 20} {
		for _, kind := range []string{"sql", "go"} {
			b.Run(fmt.Sprintf("casino-x%d/%s", size, kind), func(b *testing.B) {
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS("../../examples/casino")); err != nil {
					b.Fatal(err)
				}
				if size > 1 {
					grow(b, dir, size)
				}
				file := filepath.Join(dir, "supabase/migrations/20250115083000_tables_and_slips.sql")
				if kind == "go" {
					file = filepath.Join(dir, "internal/jobs/jobs.go")
				}
				text, err := os.ReadFile(file)
				if err != nil {
					b.Fatal(err)
				}
				s := newSession(b, Options{Debounce: 1})
				s.begin(dir, nil)
				s.told("window/logMessage", found)
				for i := 0; b.Loop(); i++ {
					comment := "-- "
					if kind == "go" {
						comment = "// "
					}
					if err := os.WriteFile(file, fmt.Appendf(text[:len(text):len(text)], "\n%s%d\n", comment, i), 0o600); err != nil {
						b.Fatal(err)
					}
					s.kept = nil
					s.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uriOf(file)}})
					s.told("window/logMessage", found)
				}
				b.StopTimer()
				s.stop()
			})
		}
	}
}

// grow makes a project of many times the example's packages, and of 400 migrations.
func grow(b *testing.B, dir string, size int) {
	b.Helper()
	for i := range size - 1 {
		for _, pkg := range []string{"jobs", "store", "api"} {
			if err := os.CopyFS(filepath.Join(dir, "internal", fmt.Sprintf("%s%d", pkg, i)), os.DirFS(filepath.Join(dir, "internal", pkg))); err != nil {
				b.Fatal(err)
			}
		}
	}
	files := map[string]string{}
	for i := range 400 {
		files[fmt.Sprintf("supabase/migrations/2026%04d000000_more.sql", i)] = strings.ReplaceAll(
			"create table more# (id bigint primary key, casino_id bigint not null references casinos (id), note text, at timestamptz);\n"+
				"create index on more# (casino_id, at);\nalter table more# enable row level security;\n"+
				"create policy of_casino on more# using (casino_id = (select current_setting('app.casino')::bigint));\n", "#", fmt.Sprint(i))
	}
	casetest.WriteFiles(b, dir, files)
}
