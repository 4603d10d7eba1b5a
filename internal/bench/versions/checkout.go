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

// Tree is a folder of a repository as it is at a revision.
type Tree struct {
	// Dir is the folder, Commit the revision's.
	Dir, Commit string
	tmp         string
}

// Remove removes it. It removes no nil.
func (t *Tree) Remove() error {
	if t == nil {
		return nil
	}
	return os.RemoveAll(t.tmp)
}

// Checkout writes the files of a revision into a folder of its own, by an index of its own:
// nothing is left in the repository, however planvet ends, and what is checked out there
// stays as it is.
func Checkout(ctx context.Context, dir, rev string) (_ *Tree, err error) {
	prefix, err := git(ctx, dir, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("--base-ref needs a git repository: %w", err)
	}
	top, err := git(ctx, dir, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	t := &Tree{}
	if t.Commit, err = git(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
		return nil, fmt.Errorf("git knows no revision %s: fetch it first", rev)
	}
	if t.tmp, err = os.MkdirTemp("", "planvet-base-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Remove())
		}
	}()
	// A root of its own: the search for a config must not leave it.
	root := filepath.Join(t.tmp, "tree")
	if err := os.MkdirAll(filepath.Join(root, ".git"), 0o700); err != nil {
		return nil, err
	}
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(t.tmp, "index")}
	if _, err := git(ctx, top, index, "read-tree", t.Commit); err != nil {
		return nil, err
	}
	if _, err := git(ctx, top, index, "checkout-index", "--all", "--force", "--prefix="+root+"/"); err != nil {
		return nil, err
	}
	t.Dir = filepath.Join(root, filepath.FromSlash(prefix))
	if _, err := os.Stat(t.Dir); err != nil {
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
