package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// Go packages are taken from an earlier reading while no file that they come from was
// written, and findings are those of a reading from nothing.
func TestReuseGo(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "app")
	const store = "package store\n\nimport \"database/sql\"\n\nfunc Get(db *sql.DB, guest int) error {\n\t_, err := db.Query(`select id from visits where guest = $1`, guest)\n\treturn err\n}\n"
	casetest.WriteFiles(t, top, map[string]string{
		"app/go.mod":                "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n",
		"app/migrations/1_base.sql": "create table visits (id bigint primary key, guest bigint);\n",
		"app/store/store.go":        store, "app/main.go": "package main\n\nimport _ \"example.com/lib/inner\"\n\nfunc main() {}\n",
		"lib/go.mod": "module example.com/lib\n\ngo 1.26.0\n", "lib/inner/lib.go": "package inner\n",
	})
	var last *Project
	judge := func() int {
		t.Helper()
		p, err := Open(Options{Dir: dir, Earlier: last})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.LostGo() || p.opts.Earlier != nil {
			t.Fatalf("%+v, %v", p.gopkgs.problems, p.opts.Earlier)
		}
		last = p
		fs, _ := p.Check()
		return len(fs)
	}
	reused := func(want bool, findings int) {
		t.Helper()
		before := last
		if n := judge(); n != findings {
			t.Errorf("%d findings, want %d", n, findings)
		}
		if got := before.gopkgs == last.gopkgs; got != want {
			t.Errorf("the packages were taken: %v", got)
		}
	}
	if n := judge(); n != 1 {
		t.Fatalf("%d findings", n)
	}
	reused(true, 1)
	casetest.WriteFiles(t, dir, map[string]string{"migrations/2_index.sql": "create index on visits (guest);\n"})
	reused(true, 0)
	if err := os.Remove(filepath.Join(dir, "migrations/2_index.sql")); err != nil {
		t.Fatal(err)
	}
	reused(true, 1)
	casetest.WriteFiles(t, dir, map[string]string{"store/store.go": store + "\n// more\n"})
	reused(false, 1)
	reused(true, 1)
	casetest.WriteFiles(t, dir, map[string]string{"store/more.go": "package store\n"})
	reused(false, 1)
	casetest.WriteFiles(t, top, map[string]string{"lib/inner/more.go": "package inner\n"})
	reused(false, 1)
	reused(true, 1)
	casetest.WriteFiles(t, dir, map[string]string{"planvet.yaml": "version: 1\nexclude: [\"store/**\"]\n"})
	reused(false, 1)
	casetest.WriteFiles(t, dir, map[string]string{"planvet.yaml": "version: 1\n", "store/more.go": "package store\n\nvar x int = `a`\n"})
	reused(false, 1)
	reused(false, 1) // what does not type-check may be repaired from outside
}
