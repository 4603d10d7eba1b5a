// Package revision asks git what a project was: it brings the files of a revision, or of
// the index, into a folder of their own, and tells what differs between two of them.
//
// It writes nothing into the repository: an index, and what objects it takes to describe
// one, are in a temporary folder, however planvet ends.
package revision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repository is a git repository with a work tree.
type Repository struct {
	// Top is the work tree's folder, without symbolic links.
	Top string
	dir string // git's own, absolute
	// index is the index that the user's git works with.
	index string
	// env is what every git is given.
	env []string
}

// Open finds the repository that dir is in.
func Open(ctx context.Context, dir string) (*Repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, errors.New("git is not installed")
	}
	r := &Repository{env: environment()}
	out, err := r.git(ctx, dir, nil, "rev-parse", "--show-toplevel", "--absolute-git-dir")
	if err != nil {
		return nil, fmt.Errorf("%s is in no git repository: %w", dir, err)
	}
	var ok bool
	if r.Top, r.dir, ok = strings.Cut(out, "\n"); !ok || r.Top == "" {
		return nil, fmt.Errorf("%s has no work tree", dir)
	}
	r.Top, r.dir = filepath.FromSlash(r.Top), filepath.FromSlash(r.dir)
	if real, err := filepath.EvalSymlinks(r.Top); err == nil {
		r.Top = real
	}
	r.index = filepath.Join(r.dir, "index")
	if i := os.Getenv("GIT_INDEX_FILE"); i != "" { // a commit of some paths only
		r.index = i
		if !filepath.IsAbs(i) {
			r.index = filepath.Join(r.Top, i)
		}
	}
	return r, nil
}

// environment is that of this process without what git tells a hook of the repository:
// a relative GIT_DIR is of no use in another folder, and git finds it again. It writes
// in English, and does not fetch what large files stand for.
func environment() []string {
	var out []string
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "LC_ALL", "LANGUAGE":
			continue
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR":
			if !filepath.IsAbs(value) {
				continue
			}
		}
		out = append(out, e)
	}
	return append(out, "LC_ALL=C", "GIT_LFS_SKIP_SMUDGE=1", "GIT_OPTIONAL_LOCKS=0")
}

// Rel is dir as git names it: relative to Top, with slashes, "" for Top. ok is false where
// dir is not below Top.
func (r *Repository) Rel(dir string) (rel string, ok bool) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	} else if parent, err := filepath.EvalSymlinks(filepath.Dir(dir)); err == nil { // it is gone
		dir = filepath.Join(parent, filepath.Base(dir))
	}
	rel, err := filepath.Rel(r.Top, dir)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	if rel == "." {
		rel = ""
	}
	return filepath.ToSlash(rel), true
}

// Commit resolves a revision.
func (r *Repository) Commit(ctx context.Context, rev string) (string, error) {
	commit, err := r.git(ctx, r.Top, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("git knows no revision %s: %s", rev, r.fetchFirst(ctx, rev))
	}
	return commit, nil
}

// fetchFirst says how a revision gets here.
func (r *Repository) fetchFirst(ctx context.Context, rev string) string {
	if out, err := r.git(ctx, r.Top, nil, "for-each-ref", "--count=1", "--format=%(refname:short)", "refs/remotes/*/"+rev); err == nil && out != "" && !strings.ContainsAny(rev, "*?[\\^~:") {
		return "there is " + out
	}
	if r.shallow(ctx) {
		return "fetch it first, this clone is shallow (git fetch --unshallow, or fetch-depth: 0 of actions/checkout)"
	}
	return "fetch it first"
}

func (r *Repository) shallow(ctx context.Context) bool {
	out, err := r.git(ctx, r.Top, nil, "rev-parse", "--is-shallow-repository")
	return err == nil && out == "true"
}

// Head is the commit that is checked out; the empty tree before the first commit.
func (r *Repository) Head(ctx context.Context) (string, error) {
	if commit, err := r.git(ctx, r.Top, nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err == nil {
		return commit, nil
	}
	return r.git(ctx, r.Top, nil, "hash-object", "-t", "tree", os.DevNull)
}

// MergeBase is the best common ancestor of a revision and HEAD.
func (r *Repository) MergeBase(ctx context.Context, rev string) (string, error) {
	commit, err := r.Commit(ctx, rev)
	if err != nil {
		return "", err
	}
	base, err := r.git(ctx, r.Top, nil, "merge-base", commit, "HEAD")
	if err != nil {
		why := "their histories have nothing in common"
		if r.shallow(ctx) {
			why = "this clone is shallow: fetch the history first (git fetch --unshallow, or fetch-depth: 0 of actions/checkout)"
		}
		return "", fmt.Errorf("%s and HEAD have no merge base: %s", rev, why)
	}
	return base, nil
}

// git runs git in a folder and returns what it writes, without white space around it.
func (r *Repository) git(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	out, err := r.raw(ctx, dir, env, nil, args...)
	return strings.TrimSpace(out), err
}

func (r *Repository) raw(ctx context.Context, dir string, env []string, stdin []byte, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.fsmonitor=false", "-c", "diff.relative=false"}, args...)...)
	c.Env = append(append([]string(nil), r.env...), env...)
	if stdin != nil {
		c.Stdin = strings.NewReader(string(stdin))
	}
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		line, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("git %s: %s", args[0], line)
	}
	return string(out), err
}
