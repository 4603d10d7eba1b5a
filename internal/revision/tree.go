package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Tree is the files of a revision in a folder of their own. It stands below as many
// folders as the work tree does, so that ../ leads out of it as it does there.
type Tree struct {
	// Dir is the folder that was asked for, Top that of the repository's files.
	Dir, Top string
	// Commit is the revision's.
	Commit string
	repo   *Repository
	tmp    string
	stop   func() bool
}

// Remove removes it. It removes no nil.
func (t *Tree) Remove() error {
	if t == nil {
		return nil
	}
	t.stop()
	return os.RemoveAll(t.tmp)
}

// Of is where a file or folder of the work tree is in the tree, whether or not it is
// there; ok is false for what is outside of the repository.
func (t *Tree) Of(place string) (at string, ok bool) {
	if abs, err := filepath.Abs(place); err == nil {
		place = abs
	}
	rel, ok := t.repo.Rel(place)
	return filepath.Join(t.Top, filepath.FromSlash(rel)), ok
}

// Checkout writes the files of a revision of the repository that dir is in. Dir is in the
// tree what dir is in the work tree. The tree goes with the context.
func Checkout(ctx context.Context, dir, rev string) (*Tree, error) {
	r, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	commit, err := r.Commit(ctx, rev)
	if err != nil {
		return nil, err
	}
	t, err := r.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	t.Dir, _ = t.Of(dir)
	if _, err := os.Stat(t.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("%s has no folder %s", rev, dir), t.Remove())
	}
	return t, nil
}

// Tree writes the files of a commit, or of a tree that Staged gave, with submodules that
// the work tree has.
func (r *Repository) Tree(ctx context.Context, commit string) (_ *Tree, err error) {
	t := &Tree{Commit: commit, repo: r}
	if t.tmp, err = os.MkdirTemp("", "planvet-tree-"); err != nil {
		return nil, err
	}
	t.stop = context.AfterFunc(ctx, func() { os.RemoveAll(t.tmp) })
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Remove())
		}
	}()
	if t.tmp, err = filepath.EvalSymlinks(t.tmp); err != nil {
		return nil, err
	}
	t.Top = filepath.Join(t.tmp, "tree", strings.TrimPrefix(r.Top, filepath.VolumeName(r.Top)))
	t.Dir = t.Top
	// A root of its own: the search for one must not leave it.
	if err := os.MkdirAll(filepath.Join(t.Top, ".git"), 0o700); err != nil {
		return nil, err
	}
	return t, r.write(ctx, commit, t.Top, filepath.Join(t.tmp, "index"))
}

// write writes the files of a commit below a folder, by an index of its own.
func (r *Repository) write(ctx context.Context, commit, into, index string) error {
	env := []string{"GIT_INDEX_FILE=" + index}
	if _, err := r.git(ctx, r.Top, env, "read-tree", commit); err != nil {
		return err
	}
	if _, err := r.git(ctx, r.Top, env, "checkout-index", "--all", "--force", "--prefix="+into+string(filepath.Separator)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(into, ".gitmodules")); err != nil {
		return nil //nolint:nilerr // there are no submodules
	}
	out, err := r.raw(ctx, r.Top, env, nil, "ls-files", "--stage", "-z")
	if err != nil {
		return err
	}
	for entry := range strings.SplitSeq(out, "\x00") {
		info, path, ok := strings.Cut(entry, "\t")
		f := strings.Fields(info)
		if !ok || len(f) < 2 || f[0] != submodule {
			continue
		}
		at := filepath.Join(r.Top, filepath.FromSlash(path))
		if _, err := os.Stat(filepath.Join(at, ".git")); err != nil {
			continue // not there in the work tree either
		}
		sub, err := Open(ctx, at)
		if err != nil {
			return err
		}
		sub.index = "" // a hook's is the outer repository's
		if _, err := sub.Commit(ctx, f[1]); err != nil {
			return fmt.Errorf("submodule %s: %w", path, err)
		}
		if err := sub.write(ctx, f[1], filepath.Join(into, filepath.FromSlash(path)), index+".sub"); err != nil {
			return fmt.Errorf("submodule %s: %w", path, err)
		}
		if err := os.Remove(index + ".sub"); err != nil {
			return err
		}
	}
	return nil
}

// submodule is the mode of a submodule's commit in a tree.
const submodule = "160000"

// Staged is what the index holds, as a tree: what git commit would record. Its objects
// are in a temporary folder, which done removes.
func (r *Repository) Staged(ctx context.Context) (tree string, done func() error, err error) {
	tmp, err := os.MkdirTemp("", "planvet-index-")
	if err != nil {
		return "", nil, err
	}
	stop := context.AfterFunc(ctx, func() { os.RemoveAll(tmp) })
	done = func() error { stop(); return os.RemoveAll(tmp) }
	defer func() {
		if err != nil {
			err = errors.Join(err, done())
		}
	}()
	own, err := r.copyIndex(tmp)
	if err != nil {
		return "", nil, err
	}
	common, err := r.git(ctx, r.Top, nil, "rev-parse", "--git-path", "objects")
	if err != nil {
		return "", nil, err
	}
	if common = filepath.FromSlash(common); !filepath.IsAbs(common) {
		common = filepath.Join(r.Top, common)
	}
	objects := filepath.Join(tmp, "objects")
	if err := os.Mkdir(objects, 0o700); err != nil {
		return "", nil, err
	}
	r.env = append(r.env, "GIT_OBJECT_DIRECTORY="+objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+
		strings.Trim(common+string(filepath.ListSeparator)+os.Getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES"), string(filepath.ListSeparator)))
	if tree, err = r.git(ctx, r.Top, []string{"GIT_INDEX_FILE=" + own}, "write-tree"); err != nil {
		return "", nil, fmt.Errorf("the index holds no tree, conflicts are to be resolved first: %w", err)
	}
	return tree, done, nil
}

// copyIndex copies the user's index into a folder; there may be none yet.
func (r *Repository) copyIndex(dir string) (string, error) {
	own := filepath.Join(dir, "index")
	text, err := os.ReadFile(r.index)
	if errors.Is(err, os.ErrNotExist) {
		return own, nil
	}
	if err == nil {
		err = os.WriteFile(own, bytes.Clone(text), 0o600)
	}
	return own, err
}
