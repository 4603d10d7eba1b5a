package engine

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

func compareLocations(a, b rules.Location) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// sortProblems sorts and drops repetitions: one text may be built in several ways
// that all fail alike.
func sortProblems(ps *[]Problem) {
	slices.SortStableFunc(*ps, func(a, b Problem) int {
		return cmp.Or(compareLocations(a.Location, b.Location), cmp.Compare(a.Text, b.Text))
	})
	*ps = slices.Compact(*ps)
}

// matchGlob matches a slash path against a glob in which ** stands for any
// number of folders; a pattern that names a folder covers all below it.
func matchGlob(glob, name string) bool {
	return matchParts(strings.Split(strings.Trim(glob, "/"), "/"), strings.Split(name, "/"))
}

func matchParts(glob, name []string) bool {
	for len(glob) > 0 {
		if glob[0] == "**" {
			for i := 0; i <= len(name); i++ {
				if matchParts(glob[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(glob[0], name[0]); err != nil || !ok {
			return false
		}
		glob, name = glob[1:], name[1:]
	}
	return true
}

func globFiles(fsys fs.FS, glob string) []string {
	var out []string
	_ = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // an unreadable folder matches nothing
		}
		if d.IsDir() {
			if p != "." && ignoredDir(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(p, ".sql") && matchGlob(glob, p) {
			out = append(out, p)
		}
		return nil
	})
	return out
}
