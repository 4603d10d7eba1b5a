package migrationscan

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// graphile-migrate keeps what ran in committed/000001.sql and on, each beginning
// with the mark, and the next migration in current.sql or current/. SQL that needs
// a superuser runs before them: afterReset.sql or after-reset/, by convention.
// .gmrc beside the folder holds the settings of its sessions.
const graphileMark = "--! Previous:"

var (
	graphileHome = regexp.MustCompile(`^(.*/|)(?:(?i:after-?reset|current)/[^/]+|(?i:after-?reset|current)\.sql)$`)
	// graphilePath is the search path in a .gmrc, which is JSON5 or JavaScript.
	graphilePath = regexp.MustCompile(`["']?\bsearch_path["']?\s*:\s*["']([^"'\n]+)["']`)
	// graphileValue is a placeholder; the tool replaces it in strings too.
	graphileValue = regexp.MustCompile(`:[A-Z][0-9A-Z_]+\b`)
)

// graphileFolders are the committed/ folders of graphile-migrate, by the folder
// that they stand in.
func graphileFolders(files []*file) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		if strings.HasPrefix(f.text, graphileMark) {
			out[path.Dir(f.dir)] = f.dir
		}
	}
	return out
}

// graphileOf is the committed/ folder that a file beside it belongs to, "" for none.
func graphileOf(f *file, folders map[string]string) string {
	m := graphileHome.FindStringSubmatch(f.path)
	if m == nil {
		return ""
	}
	return folders[path.Clean(m[1])]
}

// graphileOrder puts what runs after a reset first and the current migration last.
func graphileOrder(a, b *file) int {
	return cmp.Or(cmp.Compare(graphilePhase(a), graphilePhase(b)), comparePaths(a.path, b.path, "graphile"))
}

func graphilePhase(f *file) int {
	switch name := strings.ToLower(f.base + " " + path.Base(f.dir)); {
	case strings.HasPrefix(f.text, graphileMark):
		return 1
	case strings.Contains(name, "reset"):
		return 0
	}
	return 2
}

// graphileSearchPath is the search path that .gmrc sets, nil where it sets none.
func graphileSearchPath(fsys fs.FS, committed string) []string {
	home := path.Dir(path.Dir(committed))
	for _, name := range []string{".gmrc", ".gmrc.jsonc", ".gmrc.json5", ".gmrc.js", ".gmrc.cjs"} {
		b, err := fs.ReadFile(fsys, path.Join(home, name))
		if err != nil {
			continue
		}
		if m := graphilePath.FindSubmatch(b); m != nil {
			return slices.Clip(searchPath(string(m[1])))
		}
		return nil
	}
	return nil
}

// graphileText puts a name of the same length in the place of each placeholder.
func graphileText(text string) string {
	if !strings.Contains(text, ":") {
		return text
	}
	b := []byte(text)
	for _, m := range graphileValue.FindAllStringIndex(text, -1) {
		if m[0] > 0 && text[m[0]-1] == ':' { // a cast
			continue
		}
		copy(b[m[0]:], strings.ToLower(text[m[0]+1:m[1]])+"_")
	}
	return string(b)
}
