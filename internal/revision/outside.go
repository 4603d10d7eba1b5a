package revision

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Furnish gives a tree what its Go modules need and git does not hold: the files that git
// ignores, such as code that is generated before each build, and the folders outside of
// the repository that go.mod and go.work lead to. They are taken from the work tree, as
// if they had not changed.
func (r *Repository) Furnish(ctx context.Context, t *Tree) error {
	out, err := r.raw(ctx, r.Top, nil, nil, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(out, "\x00") {
		if name == "" {
			continue
		}
		if err := r.takeIgnored(t, name); err != nil {
			return err
		}
	}
	return r.linkOutside(t)
}

// takeIgnored copies what is read of an ignored file or folder.
func (r *Repository) takeIgnored(t *Tree, name string) error {
	dir, isDir := strings.CutSuffix(name, "/")
	from, to := filepath.Join(r.Top, filepath.FromSlash(dir)), filepath.Join(t.Top, filepath.FromSlash(dir))
	switch {
	case !isDir:
		return copySource(from, to)
	case path.Base(dir) == "vendor":
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		return link(from, to)
	}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read is read by nobody
		}
		if d.IsDir() {
			if b := d.Name(); b == "node_modules" || b == "testdata" || b[0] == '.' || b[0] == '_' {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		return copySource(p, filepath.Join(to, rel))
	})
}

// copySource copies a file of Go or SQL, or one that go's command reads, where the tree
// has none.
func copySource(from, to string) error {
	switch base := filepath.Base(from); {
	case strings.HasSuffix(base, ".go"), strings.HasSuffix(base, ".sql"):
	case base == "go.mod", base == "go.sum", base == "go.work", base == "go.work.sum":
	default:
		return nil
	}
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	st, err := os.Stat(from)
	if err != nil || !st.Mode().IsRegular() {
		return nil //nolint:nilerr // a link that leads nowhere is read by nobody
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	err := os.Symlink(from, to)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// localPath is a path in a replace or use directive of go.mod and go.work.
var localPath = regexp.MustCompile(`(?m)(?:=>|^\s*use|^)\s*"?(\.\.?(?:/[^\s"]*)?|/[^\s"]+)"?\s*(?://.*)?$`)

// linkOutside links the folders that modules of the tree lead to and that are not in it.
func (r *Repository) linkOutside(t *Tree) error {
	err := filepath.WalkDir(t.Top, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return fs.SkipDir
		case d.Name() != "go.mod" && d.Name() != "go.work":
			return nil
		}
		rel, err := filepath.Rel(t.Top, p)
		if err != nil {
			return err
		}
		return r.linkPaths(t, filepath.Join(r.Top, rel), p)
	})
	if err != nil {
		return err
	}
	// A go.work above the repository holds for it too.
	for dir := filepath.Dir(r.Top); ; dir = filepath.Dir(dir) {
		work := filepath.Join(dir, "go.work")
		if _, err := os.Stat(work); err == nil {
			for _, f := range []string{work, work + ".sum"} {
				if err := link(f, r.inside(t, f)); err != nil {
					return err
				}
			}
			return r.linkPaths(t, work, work)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// inside is where a place outside of the repository is for a tree.
func (r *Repository) inside(t *Tree, p string) string {
	return filepath.Join(t.tmp, "tree", strings.TrimPrefix(p, filepath.VolumeName(p)))
}

// linkPaths links the folders outside that a file names; place is where the file is, or
// would be, in the work tree.
func (r *Repository) linkPaths(t *Tree, place, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil //nolint:nilerr // go's command will say it
	}
	for _, m := range localPath.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], "/") {
			continue // it is the same from everywhere
		}
		to := filepath.Join(filepath.Dir(place), filepath.FromSlash(m[1]))
		if _, ours := r.Rel(to); ours {
			continue
		}
		at := r.inside(t, to)
		if _, err := os.Lstat(at); err == nil {
			continue
		}
		if st, err := os.Stat(to); err != nil || !st.IsDir() {
			continue
		}
		if err := link(to, at); err != nil {
			return err
		}
	}
	return nil
}
