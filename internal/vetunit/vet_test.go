package vetunit_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// planvet builds the command once and returns a runner of programs with caches of
// their own.
type world struct {
	t   *testing.T
	bin string
	env []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("builds planvet and runs go vet")
	}
	bin := filepath.Join(t.TempDir(), "planvet")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/planvet").CombinedOutput(); err != nil {
		t.Fatalf("building planvet: %v\n%s", err, out)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, bin, append(os.Environ(),
		"GOCACHE="+strings.TrimSpace(string(goCache)), "XDG_CACHE_HOME="+t.TempDir(), "GOFLAGS=", "GOWORK=", "PLANVET_CONFIG=",
	)}
}

// vet runs go vet in a folder and returns its findings, sorted, as file: rule.
func (w *world) vet(dir string, env []string, args ...string) []string {
	w.t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(slices.Clone(w.env), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "vet: ")
		p := strings.SplitN(line, ":", 5)
		if len(p) != 5 || !strings.HasSuffix(p[0], ".go") && p[0] != "store/find.sql" || strings.TrimSpace(p[4]) == "the loop" || !strings.HasPrefix(p[3], " ") {
			continue
		}
		found = append(found, filepath.Base(p[0])+":"+p[3])
	}
	if (err != nil) != (len(found) > 0) {
		w.t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	slices.Sort(found)
	return found
}

func (w *world) write(root string, files map[string]string) {
	w.t.Helper()
	casetest.WriteFiles(w.t, root, files)
}

func (w *world) want(what string, got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

const (
	table  = "create table players (id bigint primary key, name text not null);\n"
	lookup = `package store

import "database/sql"

// ByName finds a player.
func ByName(db *sql.DB, name string) (id int64, err error) {
	err = db.QueryRow("select id from players where name = $1", name).Scan(&id)
	return id, err
}
`
	loop = `package app

import (
	"database/sql"

	"example.com/app/store"
)

// IDs finds players one by one.
func IDs(db *sql.DB, names []string) (ids []int64, err error) {
	for _, n := range names {
		id, err := store.ByName(db, n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
`
	goMod = "module example.com/app\n\ngo 1.25\n"
)

const (
	missing = "store.go: unindexed-where"
	looped  = "app.go: nplusone"
)

// TestFacts sees a loop over a query of another package, and a config that comes,
// is named from elsewhere, and goes. What edits of migrations bring is tested beside
// the command.
func TestFacts(t *testing.T) {
	w := newWorld(t)
	root, tool := t.TempDir(), "-vettool="+w.bin
	w.write(root, map[string]string{
		"go.mod": goMod, "app.go": loop, "store/store.go": lookup, "migrations/001_table.up.sql": table,
	})
	w.want("no config", w.vet(root, nil, "vet", tool, "./..."), looped, missing)
	w.want("from the cache", w.vet(root, nil, "vet", tool, "./..."), looped, missing)
	w.write(root, map[string]string{"planvet.yaml": "version: 1\nrules:\n  nplusone: off\n"})
	w.want("a rule is off", w.vet(root, nil, "vet", tool, "./..."), missing)
	w.write(root, map[string]string{"conf/planvet.yaml": "version: 1\n"})
	named := []string{"PLANVET_CONFIG=" + filepath.Join(root, "conf/planvet.yaml")}
	w.want("a config whose folder holds no schema", w.vet(root, named, "vet", tool, "./..."), looped)
	if err := os.Remove(filepath.Join(root, "planvet.yaml")); err != nil {
		t.Fatal(err)
	}
	w.want("no config again", w.vet(root, nil, "vet", tool, "./..."), looped, missing)
}

// TestEmbedded sees a query in a file that Go code embeds, as it is at each run.
func TestEmbedded(t *testing.T) {
	w := newWorld(t)
	root, tool := t.TempDir(), "-vettool="+w.bin
	w.write(root, map[string]string{
		"go.mod": goMod, "migrations/001_table.up.sql": table, "store/find.sql": "select id from players where name = $1",
		"store/store.go": "package store\n\nimport (\n\t\"database/sql\"\n\t_ \"embed\"\n)\n\n//go:embed find.sql\nvar find string\n\n" +
			"// Find finds players.\nfunc Find(db *sql.DB, name string) (*sql.Rows, error) { return db.Query(find, name) }\n",
	})
	const found = "find.sql: unindexed-where"
	w.want("an embedded query", w.vet(root, nil, "vet", tool, "./..."), found)
	w.write(root, map[string]string{"store/find.sql": "select id from players where id = $1"})
	w.want("another one", w.vet(root, nil, "vet", tool, "./..."))
	w.write(root, map[string]string{"store/find.sql": "select id from players where name = $1"})
	w.want("the first again", w.vet(root, nil, "vet", tool, "./..."), found)
}

// TestBaseline leaves out what planvet baseline write took in, and sees it again when the
// file is gone, and what is new beside it.
func TestBaseline(t *testing.T) {
	w := newWorld(t)
	root, tool := t.TempDir(), "-vettool="+w.bin
	w.write(root, map[string]string{
		"go.mod": goMod, "app.go": loop, "store/store.go": lookup, "migrations/001_table.up.sql": table,
	})
	w.want("no baseline", w.vet(root, nil, "vet", tool, "./..."), looped, missing)
	cmd := exec.Command(w.bin, "baseline", "write", "--reason", "known")
	cmd.Dir, cmd.Env = root, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.want("all is known", w.vet(root, nil, "vet", tool, "./..."))
	w.write(root, map[string]string{"migrations/001_table.up.sql": table + "alter table players add email text;\n", "store/email.go": strings.NewReplacer("ByName", "ByEmail", "name =", "email =").Replace(lookup)})
	w.want("a new one", w.vet(root, nil, "vet", tool, "./..."), "email.go: unindexed-where")
	if err := os.Remove(filepath.Join(root, ".planvet-baseline.json")); err != nil {
		t.Fatal(err)
	}
	w.want("no baseline again", w.vet(root, nil, "vet", tool, "./..."), looped, "email.go: unindexed-where", missing)
}
