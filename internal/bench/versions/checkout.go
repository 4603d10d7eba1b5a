package versions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tree is a folder of a repository as it is at a revision.
type tree struct {
	dir    string // the folder, below tmp
	tmp    string
	commit string
}

func (t *tree) remove() error { return os.RemoveAll(t.tmp) }

// checkout writes the files of a revision into a folder of its own, by an index of its own:
// nothing is left in the repository, however planvet ends, and what is checked out there
// stays as it is.
func checkout(ctx context.Context, dir, rev string) (_ *tree, err error) {
	prefix, err := git(ctx, dir, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("--base-ref needs a git repository: %w", err)
	}
	top, err := git(ctx, dir, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	t := &tree{}
	if t.commit, err = git(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
		return nil, fmt.Errorf("git knows no revision %s: fetch it first", rev)
	}
	if t.tmp, err = os.MkdirTemp("", "planvet-base-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.remove())
		}
	}()
	// A root of its own: the search for a config must not leave it.
	root := filepath.Join(t.tmp, "tree")
	if err := os.MkdirAll(filepath.Join(root, ".git"), 0o700); err != nil {
		return nil, err
	}
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(t.tmp, "index")}
	if _, err := git(ctx, top, index, "read-tree", t.commit); err != nil {
		return nil, err
	}
	if _, err := git(ctx, top, index, "checkout-index", "--all", "--force", "--prefix="+root+"/"); err != nil {
		return nil, err
	}
	t.dir = filepath.Join(root, filepath.FromSlash(prefix))
	if _, err := os.Stat(t.dir); err != nil {
		return nil, fmt.Errorf("%s has no folder %s", rev, prefix)
	}
	return t, nil
}

func git(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	if env != nil {
		c.Env = append(os.Environ(), env...)
	}
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		line, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("git %s: %s", args[0], line)
	}
	return strings.TrimSpace(string(out)), err
}
