package revision

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

func open(t *testing.T, dir string) *Repository {
	t.Helper()
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listing is a change a line: sign, path and, for a renamed file, where it was.
func listing(cs []Change) string {
	var out []string
	for _, c := range cs {
		sign := "M"
		switch {
		case c.Added:
			sign = "A"
		case c.Deleted:
			sign = "D"
		case c.Old != "":
			sign = "R"
		}
		if c.Submodule {
			sign += "S"
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", sign, c.Path, c.Old)))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// files are the names below a folder with their texts, links and git's own left out.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(dir, p)
			out[filepath.ToSlash(rel)] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gitState is what must not change by asking: status, references and objects.
func gitState(t *testing.T, r *casetest.Repository) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(filepath.Join(r.Dir, ".git"), func(p string, d fs.DirEntry, err error) error {
		names = append(names, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Git("status", "--porcelain") + "\n" + r.Git("ls-files", "--stage") + "\n" + strings.Join(names, "\n")
}

var long = strings.Repeat("a line that stays\n", 20)

func TestChanges(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{
		".gitignore": "ignored\n", "kept.sql": "1", "changed.sql": "1", "gone.sql": "1", "moved.sql": long, "sub/né e.sql": "1",
	})
	r.Write(map[string]string{"changed.sql": "2", "untracked.sql": "new", "ignored": "x", "elsewhere/here.sql": long + "one more\n", "sub/né e.sql": "2"})
	r.Remove("gone.sql", "moved.sql")
	before := gitState(t, r)
	cs, err := open(t, filepath.Join(r.Dir, "sub")).Changes(t.Context(), "HEAD", "")
	if err != nil {
		t.Fatal(err)
	}
	want := "A untracked.sql\nD gone.sql\nM changed.sql\nM sub/né e.sql\nR elsewhere/here.sql moved.sql"
	if got := listing(cs); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if after := gitState(t, r); after != before {
		t.Errorf("the repository changed:\n%s\nwas\n%s", after, before)
	}
}

// What is staged counts, not what the file is by now; a path that is only to be added later
// is not staged.
func TestStaged(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1", "b.sql": "1"})
	r.Write(map[string]string{"a.sql": "staged", "new.sql": "new", "later.sql": "later"})
	r.Git("add", "a.sql", "new.sql")
	r.Git("add", "--intent-to-add", "later.sql")
	r.Write(map[string]string{"a.sql": "not staged", "b.sql": "not staged"})
	before := gitState(t, r)
	repo := open(t, r.Dir)
	staged, done, err := repo.Staged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cs, err := repo.Changes(t.Context(), "HEAD", staged)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := listing(cs), "A new.sql\nM a.sql"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	tree, err := repo.Tree(t.Context(), staged)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, tree.Top); len(got) != 3 || got["a.sql"] != "staged" || got["b.sql"] != "1" || got["new.sql"] != "new" {
		t.Errorf("files of the index: %v", got)
	}
	if err := tree.Remove(); err != nil {
		t.Error(err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if after := gitState(t, r); after != before {
		t.Errorf("the repository changed:\n%s\nwas\n%s", after, before)
	}
}

// Before the first commit there is nothing.
func TestStagedBeforeTheFirstCommit(t *testing.T) {
	r := casetest.GitRepository(t, nil)
	repo := open(t, r.Dir)
	head, err := repo.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Write(map[string]string{"a.sql": "1"})
	r.Git("add", "a.sql")
	staged, done, err := repo.Staged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	cs, err := repo.Changes(t.Context(), head, staged)
	if err != nil || listing(cs) != "A a.sql" {
		t.Errorf("%q, %v", listing(cs), err)
	}
	tree, err := repo.Tree(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Remove()
	if got := files(t, tree.Top); len(got) != 0 {
		t.Errorf("files of nothing: %v", got)
	}
}

// A hook of git commit PATH is given an index of its own.
func TestStagedOfAHook(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1", "b.sql": "1"})
	r.Write(map[string]string{"a.sql": "2", "b.sql": "2"})
	r.Git("add", "-A")
	hook := filepath.Join(r.Dir, ".git", "hooks", "pre-commit")
	casetest.WriteFiles(t, r.Dir, map[string]string{".git/hooks/pre-commit": "#!/bin/sh\nprintf %s \"$GIT_INDEX_FILE\" > .git/told; cp \"$GIT_INDEX_FILE\" .git/kept\n"})
	if err := os.Chmod(hook, 0o700); err != nil {
		t.Fatal(err)
	}
	r.Git("commit", "-q", "-m", "only a", "a.sql")
	told, err := os.ReadFile(filepath.Join(r.Dir, ".git", "told"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(told)) == "" || string(told) == ".git/index" {
		t.Fatalf("the hook was told %q", told)
	}
	t.Setenv("GIT_INDEX_FILE", ".git/kept")
	t.Setenv("GIT_DIR", ".git")
	repo := open(t, r.Dir)
	staged, done, err := repo.Staged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	cs, err := repo.Changes(t.Context(), "HEAD~1", staged)
	if err != nil || listing(cs) != "M a.sql" {
		t.Errorf("%q, %v", listing(cs), err)
	}
}

func TestTree(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1", "deep/er/b.sql": "1"})
	first := r.Git("rev-parse", "HEAD")
	r.Write(map[string]string{"a.sql": "2"})
	r.Remove("deep/er/b.sql")
	r.Commit()
	before := gitState(t, r)
	if err := os.MkdirAll(filepath.Join(r.Dir, "deep", "er"), 0o700); err != nil {
		t.Fatal(err)
	}
	tree, err := Checkout(t.Context(), filepath.Join(r.Dir, "deep", "er"), "main~1")
	if err != nil {
		t.Fatal(err)
	}
	if tree.Commit != first || filepath.Base(tree.Dir) != "er" {
		t.Errorf("%+v", tree)
	}
	if got := files(t, tree.Top); len(got) != 2 || got["a.sql"] != "1" || got["deep/er/b.sql"] != "1" {
		t.Errorf("files %v", got)
	}
	if at, ok := tree.Of(filepath.Join(r.Dir, "a.sql")); !ok || at != filepath.Join(tree.Top, "a.sql") {
		t.Errorf("a.sql is at %s, %v", at, ok)
	}
	if _, ok := tree.Of(filepath.Dir(r.Dir)); ok {
		t.Error("the repository's parent is in the tree")
	}
	if err := tree.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree.Top); !os.IsNotExist(err) {
		t.Errorf("the tree is still there: %v", err)
	}
	if after := gitState(t, r); after != before {
		t.Errorf("the repository changed:\n%s\nwas\n%s", after, before)
	}
	if _, err := Checkout(t.Context(), filepath.Join(r.Dir, "deep"), "main"); err == nil || !strings.Contains(err.Error(), "main has no folder") {
		t.Errorf("a folder that was not there: %v", err)
	}
}

func TestRevisions(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1"})
	base := r.Git("rev-parse", "HEAD")
	r.Git("checkout", "-q", "-b", "work")
	r.Write(map[string]string{"a.sql": "2"})
	r.Commit()
	r.Git("checkout", "-q", "main")
	r.Write(map[string]string{"b.sql": "2"})
	r.Commit()
	r.Git("checkout", "-q", "work")
	r.Git("update-ref", "refs/remotes/origin/release", "main")
	r.Git("checkout", "-q", "--orphan", "apart")
	r.Commit()
	r.Git("checkout", "-q", "work")
	shallow := casetest.GitRepository(t, nil)
	shallow.Git("fetch", "-q", "--depth=1", "file://"+r.Dir, "work")
	shallow.Git("checkout", "-q", "FETCH_HEAD")
	repo := open(t, r.Dir)
	if got, err := repo.MergeBase(t.Context(), "main"); err != nil || got != base {
		t.Errorf("merge base %s, %v, want %s", got, err, base)
	}
	for _, c := range []struct {
		name string
		err  func() error
		want string
	}{
		{"unknown", func() error { _, err := repo.Commit(t.Context(), "no-such"); return err }, "git knows no revision no-such: fetch it first"},
		{"an option", func() error { _, err := repo.Commit(t.Context(), "--all"); return err }, "git knows no revision --all: fetch it first"},
		{"of a remote", func() error { _, err := repo.Commit(t.Context(), "release"); return err }, "git knows no revision release: there is origin/release"},
		{"apart", func() error { _, err := repo.MergeBase(t.Context(), "apart"); return err }, "apart and HEAD have no merge base: their histories have nothing in common"},
		{"shallow", func() error { _, err := open(t, shallow.Dir).Commit(t.Context(), base); return err }, "fetch it first, this clone is shallow"},
		{"no repository", func() error { _, err := Open(t.Context(), filepath.Dir(r.Dir)); return err }, "is in no git repository"},
		{"bare", func() error { _, err := Open(t.Context(), filepath.Join(r.Dir, ".git")); return err }, "in no git repository"},
	} {
		if err := c.err(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// A linked work tree has a file for .git, and its own index.
func TestLinkedWorkTree(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1"})
	linked := filepath.Join(filepath.Dir(r.Dir), "linked")
	r.Git("worktree", "add", "-q", linked)
	casetest.WriteFiles(t, linked, map[string]string{"a.sql": "2", "c.sql": "new"})
	repo := open(t, linked)
	cs, err := repo.Changes(t.Context(), "main", "")
	if err != nil || listing(cs) != "A c.sql\nM a.sql" {
		t.Errorf("%q, %v", listing(cs), err)
	}
	staged, done, err := repo.Staged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if cs, err = repo.Changes(t.Context(), "main", staged); err != nil || len(cs) > 0 {
		t.Errorf("%q, %v", listing(cs), err)
	}
}

func TestSubmodule(t *testing.T) {
	inner := casetest.GitRepository(t, map[string]string{"schema.sql": "1"})
	r := casetest.GitRepository(t, map[string]string{"a.sql": "1"})
	r.Git("submodule", "add", "-q", "file://"+inner.Dir, "db")
	was := r.Commit()
	casetest.WriteFiles(t, filepath.Join(r.Dir, "db"), map[string]string{"schema.sql": "2"})
	repo := open(t, r.Dir)
	cs, err := repo.Changes(t.Context(), was, "")
	if err != nil || listing(cs) != "MS db" {
		t.Errorf("%q, %v", listing(cs), err)
	}
	tree, err := repo.Tree(t.Context(), was)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Remove()
	if got := files(t, tree.Top); got["db/schema.sql"] != "1" {
		t.Errorf("files %v", got)
	}
}

func TestFurnish(t *testing.T) {
	r := casetest.GitRepository(t, map[string]string{
		".gitignore":     "gen/\nvendor/\nnode_modules/\n*.secret\nlocal.go\n",
		"service/go.mod": "module service\n\ngo 1.24\n\nreplace (\n\tlib => ../../lib // beside\n\tinner => ../inner\n)\n",
		"inner/go.mod":   "module inner\n",
		"go.work":        "go 1.24\n\nuse (\n\t./service\n\t../other\n)\n",
		"local.txt":      "1",
	})
	beside := filepath.Dir(r.Dir)
	casetest.WriteFiles(t, beside, map[string]string{"lib/lib.go": "package lib", "other/other.go": "package other"})
	r.Write(map[string]string{
		"gen/db.go": "package gen", "gen/notes.txt": "x", "vendor/modules.txt": "x", "node_modules/a/a.sql": "x",
		"key.secret": "x", "local.go": "package local", "untracked.go": "package x",
	})
	repo := open(t, r.Dir)
	tree, err := repo.Tree(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Remove()
	if err := repo.Furnish(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	got := files(t, tree.Top)
	for name, want := range map[string]bool{
		"gen/db.go": true, "local.go": true, "gen/notes.txt": false, "key.secret": false, "untracked.go": false, "node_modules/a/a.sql": false,
	} {
		if _, ok := got[name]; ok != want {
			t.Errorf("%s there: %v, want %v", name, ok, want)
		}
	}
	for _, name := range []string{"vendor/modules.txt", "../lib/lib.go", "../other/other.go", "service/../inner/go.mod"} {
		if _, err := os.Stat(filepath.Join(tree.Top, filepath.FromSlash(name))); err != nil {
			t.Errorf("%s is not there: %v", name, err)
		}
	}
	// The links lead to what is the user's.
	if err := tree.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lib/lib.go", "other/other.go", "repository/vendor/modules.txt"} {
		if _, err := os.Stat(filepath.Join(beside, filepath.FromSlash(name))); err != nil {
			t.Errorf("removing the tree took %s: %v", name, err)
		}
	}
}
