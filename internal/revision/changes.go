package revision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Change is one file that differs.
type Change struct {
	// Path is relative to the repository's top, with slashes; of a file that is gone it
	// is where the file was.
	Path string
	// Old is where a renamed file was, "" for others.
	Old string
	// Added and Deleted tell files that are on one side only.
	Added, Deleted bool
	// Submodule is set for a submodule whose commit or files differ.
	Submodule bool
}

// Changes are the files that differ between a commit and another tree, "" for the work
// tree with the files that git does not know and does not ignore. A file that moved with
// at least half of its lines is one that was renamed.
func (r *Repository) Changes(ctx context.Context, from, to string) (_ []Change, err error) {
	args := []string{
		"diff", "--raw", "-z", "--find-renames", "--no-ext-diff", "--no-color",
		"--ignore-submodules=none", "--no-abbrev", "-O" + os.DevNull, from,
	}
	var env []string
	if to != "" {
		args = append(args, to)
	} else {
		tmp, err := os.MkdirTemp("", "planvet-index-")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
		if env, err = r.withUntracked(ctx, tmp); err != nil {
			return nil, err
		}
	}
	out, err := r.raw(ctx, r.Top, env, nil, append(args, "--")...)
	if err != nil {
		return nil, err
	}
	return parseRaw(out)
}

// withUntracked is an index that knows of untracked files too, as empty ones: git then
// looks at the files themselves, and finds what was renamed without git mv.
func (r *Repository) withUntracked(ctx context.Context, tmp string) ([]string, error) {
	own, err := r.copyIndex(tmp)
	if err != nil {
		return nil, err
	}
	env := []string{"GIT_INDEX_FILE=" + own}
	out, err := r.raw(ctx, r.Top, env, nil, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	empty, err := r.git(ctx, r.Top, nil, "hash-object", "-t", "blob", os.DevNull)
	if err != nil {
		return nil, err
	}
	var add strings.Builder
	for name := range strings.SplitSeq(out, "\x00") {
		if name != "" && !strings.HasSuffix(name, "/") { // a repository of its own
			fmt.Fprintf(&add, "100644 %s 0\t%s\x00", empty, name)
		}
	}
	if add.Len() > 0 {
		_, err = r.raw(ctx, r.Top, env, []byte(add.String()), "update-index", "-z", "--index-info")
	}
	return env, err
}

// parseRaw reads what git diff --raw -z writes: for each file
// ":mode mode object object status", its path, and of a renamed one the new path.
func parseRaw(out string) ([]Change, error) {
	fields := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	var cs []Change
	for i := 0; i < len(fields) && fields[i] != ""; i++ {
		head := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(head) != 5 || i+1 >= len(fields) {
			return nil, fmt.Errorf("git diff: unexpected %q", fields[i])
		}
		i++
		c := Change{Path: fields[i], Submodule: head[0] == submodule || head[1] == submodule}
		switch head[4][0] {
		case 'A':
			c.Added = true
		case 'D':
			c.Deleted = true
		case 'R', 'C':
			if i++; i >= len(fields) {
				return nil, fmt.Errorf("git diff: %s has no second path", c.Path)
			}
			c.Old, c.Path = c.Path, fields[i]
		}
		cs = append(cs, c)
	}
	return cs, nil
}
