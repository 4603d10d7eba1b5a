package casetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repository is a git repository made for a test, on branch main.
type Repository struct {
	// Dir is its folder, without symbolic links.
	Dir string
	tb  testing.TB
}

// GitRepository makes a repository with files and one commit of them; without files there is
// no commit yet. Git's configuration of this machine plays no part.
func GitRepository(tb testing.TB, files map[string]string) *Repository {
	tb.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		tb.Skip("git is not installed")
	}
	dir, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	r := &Repository{Dir: filepath.Join(dir, "repository"), tb: tb}
	if err := os.Mkdir(r.Dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	r.Git("init", "-q", "-b", "main")
	if len(files) > 0 {
		r.Write(files)
		r.Commit()
	}
	return r
}

// Git runs git in the repository and returns what it writes.
func (r *Repository) Git(args ...string) string {
	r.tb.Helper()
	c := exec.Command("git", append([]string{
		"-C", r.Dir, "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always",
	}, args...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	out, err := c.CombinedOutput()
	if err != nil {
		r.tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Write writes files below the repository.
func (r *Repository) Write(files map[string]string) {
	r.tb.Helper()
	WriteFiles(r.tb, r.Dir, files)
}

// Remove removes files.
func (r *Repository) Remove(names ...string) {
	r.tb.Helper()
	for _, n := range names {
		if err := os.Remove(filepath.Join(r.Dir, filepath.FromSlash(n))); err != nil {
			r.tb.Fatal(err)
		}
	}
}

// Commit commits everything and returns the commit.
func (r *Repository) Commit() string {
	r.tb.Helper()
	r.Git("add", "-A")
	r.Git("commit", "-q", "-m", "change")
	return r.Git("rev-parse", "HEAD")
}
