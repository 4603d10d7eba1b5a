package all_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

// TestPages runs the blocks of every rule's page, each as a project of its own: one
// under Bad gives exactly the page's rule, one under Good none.
//
// In a sql block, DDL is the schema and the rest are queries; "set role" says as
// whom they run. A go block is a file of a package, and the section's sql blocks are
// its schema.
func TestPages(t *testing.T) {
	for _, r := range all.All() {
		for _, half := range []string{"Bad", "Good"} {
			blocks := all.Blocks(all.Section(r.Page, half))
			if len(blocks) == 0 {
				t.Errorf("%s: the page has no block under %s", r.Name, half)
			}
			for i, project := range projects(blocks) {
				t.Run(fmt.Sprintf("%s/%s/%d", r.Name, half, i+1), func(t *testing.T) {
					got := run(t, r, project)
					if half == "Bad" && len(got) == 0 {
						t.Error("Bad gives no finding")
					}
					for _, f := range got {
						if half == "Good" || f.Rule != r.Name {
							t.Errorf("%s gives\n%s", half, list(got))
							break
						}
					}
				})
			}
		}
	}
}

// projects groups a section's blocks: one each, or all together where one is Go.
func projects(blocks []all.Block) [][]all.Block {
	if slices.ContainsFunc(blocks, func(b all.Block) bool { return b.Lang == "go" }) {
		return [][]all.Block{blocks}
	}
	var out [][]all.Block
	for _, b := range blocks {
		out = append(out, []all.Block{b})
	}
	return out
}

func list(fs []rules.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s:%d: %s [%s]\n", f.Location.Path, f.Location.Line, f.Message, f.Rule)
	}
	return b.String()
}

// run checks a project made of blocks.
func run(t *testing.T, r *rules.Rule, blocks []all.Block) []rules.Finding {
	t.Helper()
	fs, _ := open(t, r, blocks).Check()
	return fs
}

// open makes a project of blocks and loads it; whatever could not be read fails the
// test.
func open(t *testing.T, r *rules.Rule, blocks []all.Block) *engine.Project {
	t.Helper()
	dir := t.TempDir()
	conf := "version: 1\nconfirm: {rows: 10000}\n"
	if slices.ContainsFunc(blocks, func(b all.Block) bool { return b.Lang == "sql" }) {
		conf += "migrations: migrations\nqueries: queries/*.sql\n"
	}
	if r.Group == "pooling" {
		conf += "pooling: transaction\n"
	}
	if r.Off {
		conf += "rules: {" + r.Name + ": on}\n"
	}
	for i, b := range blocks {
		switch b.Lang {
		case "sql":
			ddl, queries, role := split(t, b.Text)
			write(t, dir, fmt.Sprintf("migrations/%04d_page.sql", i+1), ddl)
			write(t, dir, fmt.Sprintf("queries/%04d.sql", i+1), queries)
			if role != "" {
				conf += fmt.Sprintf("roles: {queries/%04d.sql: %s}\n", i+1, role)
			}
		case "go":
			write(t, dir, fmt.Sprintf("page%d.go", i+1), goFile(b.Text))
			module(t, dir)
		default:
			t.Fatalf("a block of %q cannot be run: use sql or go", b.Lang)
		}
	}
	write(t, dir, "planvet.yaml", conf)
	p, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, gap := range slices.Concat(p.Unparsed, p.Unresolved, p.NotApplied) {
		t.Errorf("%s:%d: not analysed: %s", gap.Location.Path, gap.Location.Line, gap.Text)
	}
	return p
}

// TestPagesConfirmed asks a throwaway server about every Bad block: its findings are
// confirmed. A page whose rule has nothing to ask says "It is not"; one whose rule has
// no after to measure says "the verdict is inconclusive", and that is then right too.
func TestPagesConfirmed(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	shadowtest.Server(t) // skips where there is no PostgreSQL
	for _, r := range all.All() {
		how := strings.Join(strings.Fields(all.Section(r.Page, "How it is confirmed")), " ")
		if strings.HasPrefix(how, "It is not") {
			continue
		}
		want := []rules.Status{rules.Confirmed}
		if strings.Contains(how, "the verdict is inconclusive") {
			want = append(want, rules.Inconclusive)
		}
		for i, project := range projects(all.Blocks(all.Section(r.Page, "Bad"))) {
			t.Run(fmt.Sprintf("%s/%d", r.Name, i+1), func(t *testing.T) {
				p := open(t, r, project)
				fs, _ := p.Check()
				fs, err := p.Confirm(context.Background(), fs, engine.ConfirmOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range fs {
					if !slices.Contains(want, f.Verdict.Status) {
						t.Errorf("%s: %s: %s (%s), want %v", f.Message, f.Verdict.Status, f.Verdict.Reason, f.Verdict.Level, want)
					}
				}
			})
		}
	}
}

// imports are what a page's Go may use without saying so.
var imports = map[string]string{
	"context": "context", "fmt": "fmt", "sql": "database/sql", "strings": "strings", "time": "time",
	"pgx": "github.com/jackc/pgx/v5", "pgxpool": "github.com/jackc/pgx/v5/pgxpool",
}

// goFile makes a file of a page's declarations.
func goFile(text string) string {
	if strings.HasPrefix(text, "package ") {
		return text
	}
	var b strings.Builder
	b.WriteString("package page\n\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(text) {
			fmt.Fprintf(&b, "import %q\n", imports[name])
		}
	}
	return b.String() + "\n" + text
}

// module makes the folder a module with the libraries that planvet itself is pinned
// to.
func module(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, strings.Replace(string(text), "module github.com/planvet/planvet", "module page", 1))
	}
}

// split parts a block into schema and queries; each statement takes the comments
// before it along.
func split(t *testing.T, src string) (ddl, queries, role string) {
	t.Helper()
	last := 0
	for _, p := range pgast.ParseFile(src) {
		if p.Err != nil {
			t.Fatalf("%s: %s", src, p.Err)
		}
		end := p.End
		if end < len(src) && src[end] == ';' {
			end++
		}
		// A comment behind the statement on its line goes with it.
		if i := strings.IndexByte(src[end:], '\n'); i >= 0 {
			end += i + 1
		} else {
			end = len(src)
		}
		text := src[last:max(last, end)]
		last = max(last, end)
		switch s := p.Stmt.(type) {
		case *pgast.Select, *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
			queries += text
		case *pgast.Set:
			if s.Name == "role" && len(s.Values) == 1 {
				role = s.Values[0]
			}
		default:
			ddl += text
		}
	}
	return ddl, queries + src[last:], role
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
