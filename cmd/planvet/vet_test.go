package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
)

// vettool is a script that runs this test binary as planvet.
func vettool(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short runs no go vet")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(t.TempDir(), "planvet")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\nPLANVET_TEST_MAIN=1 exec '"+self+"' \"$@\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return tool
}

// goVet runs go vet in dir and returns the lines that it printed about files.
func goVet(t *testing.T, tool, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + tool}, args...)...)
	if len(args) > 0 && args[0] == "-C" {
		cmd = exec.Command("go", append([]string{"vet", "-C", args[1], "-vettool=" + tool}, args[2:]...)...)
	}
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var lines []string
	for l := range strings.Lines(string(out)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	if (err != nil) != (len(lines) > 0) {
		t.Fatalf("go vet %v: %v, but it printed\n%s", args, err, out)
	}
	return lines
}

// vetModule is a module whose one query is served by an index.
const vetGo = `package app

import (
	"context"
	"database/sql"
)

func OrdersOf(ctx context.Context, db *sql.DB, customer int64) (*sql.Rows, error) {
	return db.QueryContext(ctx, "select id from orders where customer_id = $1", customer)
}
`

// TestVetSeesSchemaEdits drops an index in a migration and changes no Go file:
// the next go vet shows the finding, and after the revert it is gone again.
func TestVetSeesSchemaEdits(t *testing.T) {
	tool, dir := vettool(t), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	casetest.WriteFiles(t, dir, map[string]string{
		"go.mod":                "module example.com/app\n\ngo 1.24\n",
		"app/app.go":            vetGo,
		"migrations/1_init.sql": "create table orders (id bigint primary key, customer_id bigint not null);\ncreate index orders_customer_idx on orders (customer_id);\n",
	})
	if got := goVet(t, tool, dir, "./..."); len(got) > 0 {
		t.Fatalf("with the index: %v", got)
	}
	casetest.WriteFiles(t, dir, map[string]string{"migrations/2_drop.sql": "drop index orders_customer_idx;\n"})
	for range 2 { // the second answer may come from go vet's cache
		got := goVet(t, tool, dir, "./...")
		if len(got) != 1 || !strings.Contains(got[0], "app.go:9:") || !strings.Contains(got[0], "orders.customer_id has no index") {
			t.Fatalf("without the index: %v", got)
		}
	}
	asJSON := exec.Command("go", "vet", "-json", "-vettool="+tool, "./...")
	asJSON.Dir = dir
	if out, err := asJSON.Output(); err != nil || !strings.Contains(string(out), `"category": "unindexed-where"`) {
		t.Errorf("go vet -json: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(dir, "migrations", "2_drop.sql")); err != nil {
		t.Fatal(err)
	}
	if got := goVet(t, tool, dir, "./..."); len(got) > 0 {
		t.Fatalf("after the revert: %v", got)
	}
}

// TestVetFindsOneConfig runs go vet from wherever people run it: each time the
// config at the top decides, which is told by the size that it gives a table.
func TestVetFindsOneConfig(t *testing.T) {
	tool := vettool(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, size := range []string{"40", "4000000"} {
		dir := t.TempDir()
		casetest.WriteFiles(t, dir, map[string]string{
			"planvet.yaml":          "version: 1\nmigrations: db/migrations\ntables:\n  orders: {rows: " + size + "}\n",
			"db/migrations/1_a.sql": "create table orders (id bigint primary key, customer_id bigint not null);\n",
			"go.mod":                "module example.com/app\n\ngo 1.24\n",
			"app/deep/app.go":       vetGo,
			"tools/go.mod":          "module example.com/tools\n\ngo 1.24\n",
			"tools/app/app.go":      vetGo,
		})
		want := 1
		if size == "40" {
			want = 0
		}
		check := func(name string, got []string) {
			t.Helper()
			if len(got) != want {
				t.Errorf("%s with %s rows: %d findings, want %d: %v", name, size, len(got), want, got)
			}
		}
		check("root", goVet(t, tool, dir, "./..."))
		check("subfolder", goVet(t, tool, filepath.Join(dir, "app", "deep"), "."))
		check("go vet -C", goVet(t, tool, t.TempDir(), "-C", filepath.Join(dir, "app"), "./..."))
		check("nested module", goVet(t, tool, filepath.Join(dir, "tools"), "./..."))
		casetest.WriteFiles(t, dir, map[string]string{"go.work": "go 1.24\n\nuse (\n\t.\n\t./tools\n)\n"})
		check("go.work", goVet(t, tool, dir, "./app/..."))
		check("go.work, other module", goVet(t, tool, dir, "./tools/..."))
	}
}

// TestVetIsSubsetOfCheck prints what planvet check finds in the example's Go code
// beyond go vet, and fails on a finding of go vet's own.
func TestVetIsSubsetOfCheck(t *testing.T) {
	tool := vettool(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	doc, _, _ := runJSON(t, "check", casino, "--format", "json")
	var check []string
	for _, f := range doc.Findings {
		if strings.HasSuffix(f.Location.Path, ".go") && f.Certainty == rules.Certain && f.Severity != rules.Info {
			check = append(check, f.Location.Path+" "+f.Rule+": "+f.Message)
		}
	}
	var vet []string
	for _, l := range goVet(t, tool, casino, "./...") {
		file, rest, _ := strings.Cut(l, ":")
		_, rest, _ = strings.Cut(rest, ": ")
		if strings.HasPrefix(rest, "\t") {
			continue // the other end of the finding above
		}
		vet = append(vet, strings.TrimPrefix(filepath.ToSlash(file), "./")+" "+rest)
	}
	for _, v := range vet {
		if !slices.Contains(check, v) {
			t.Errorf("go vet alone reports %s", v)
		}
	}
	for _, c := range check {
		if !slices.Contains(vet, c) {
			t.Logf("planvet check alone reports %s", c)
		}
	}
	if len(vet) == 0 {
		t.Error("go vet reports nothing of the example")
	}
}
