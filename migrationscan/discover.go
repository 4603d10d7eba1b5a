package migrationscan

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// notSchemas are folders whose SQL describes no database of the project.
var notSchemas = regexp.MustCompile(`(?i)^(?:node_modules|vendor|third_party|testdata|tests?|__tests__|e2e|fixtures|examples?|samples?|mocks?|stubs?|seeds?|dist|snippets)$|[-_.]tests?$`)

// tree is what a walk over the project found.
type tree struct {
	fsys     fs.FS
	files    []*file
	journals map[string]bool
	excluded func(string) bool
	d        *Discovery
	// foreign are folders and files of other databases, with the dialect.
	foreign map[string]string
}

func discover(fsys fs.FS, opts Options) (*Discovery, error) {
	d := &Discovery{}
	t := &tree{fsys: fsys, journals: map[string]bool{}, foreign: map[string]string{}, d: d}
	t.excluded = globs(opts.Exclude)
	wanted := map[string][]string{}
	for name, paths := range opts.Databases {
		wanted[name] = paths
	}
	if len(opts.Paths) > 0 {
		wanted["default"] = opts.Paths
	}
	var err error
	if len(wanted) > 0 {
		err = t.fromConfig(wanted)
	} else {
		err = t.search()
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(d.Sets, func(a, b Set) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Skipped, func(a, b Skipped) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason)) })
	slices.SortFunc(d.Ambiguous, func(a, b Ambiguity) int { return cmp.Compare(a.Taken, b.Taken) })
	return d, nil
}

// search looks through the whole project.
func (t *tree) search() error {
	if err := t.walk(".", true); err != nil {
		return err
	}
	t.listForeign()
	taken := choose(candidates(t.files, t.journals), t.d)
	for i, c := range taken {
		s := &t.d.Sets[i]
		s.Scripts = t.scripts(c)
		s.SearchPath = t.searchPath(c)
		s.Chosen += ", " + count(len(s.Scripts), "file")
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

// fromConfig reads the folders, files and globs that a config names.
func (t *tree) fromConfig(wanted map[string][]string) error {
	var names []string
	for n := range wanted {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, name := range names {
		set := Set{Name: name, Chosen: "named in planvet.yaml"}
		for _, p := range wanted[name] {
			cs, err := t.named(p)
			if err != nil {
				return err
			}
			for _, c := range cs {
				if set.Dir == "" {
					set.Dir, set.Format = c.dir, c.format
				}
				set.Scripts = append(set.Scripts, t.scripts(c)...)
				if set.SearchPath == nil {
					set.SearchPath = t.searchPath(c)
				}
			}
		}
		t.d.Sets = append(t.d.Sets, set)
	}
	t.listForeign()
	return nil
}

// named reads one path of the config: a folder with all below it, a file or a glob.
func (t *tree) named(p string) ([]*candidate, error) {
	clean := path.Clean(strings.TrimPrefix(strings.ReplaceAll(p, `\`, "/"), "./"))
	paths := []string{clean}
	if strings.ContainsAny(clean, "*?[") {
		m, err := fs.Glob(t.fsys, clean)
		if err != nil {
			return nil, fmt.Errorf("reading migrations %s: %w", p, err)
		}
		if len(m) == 0 {
			return nil, fmt.Errorf("reading migrations %s: no file matches", p)
		}
		slices.SortFunc(m, func(a, b string) int { return comparePaths(a, b, "numbered") })
		paths = m
	}
	t.files = nil
	for _, q := range paths {
		info, err := fs.Stat(t.fsys, q)
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading migrations %s: %w", p, err)
		case info.IsDir():
			err = t.walk(q, false)
		default:
			err = t.read(q)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(t.files) == 0 {
		return nil, nil
	}
	if len(paths) == 1 && paths[0] != t.files[0].path {
		return t.wholeFolder(clean), nil
	}
	c := &candidate{dir: clean, format: "config", files: t.files}
	return []*candidate{c}, nil
}

// wholeFolder takes everything below a named folder, whatever its rank, one
// format a folder.
func (t *tree) wholeFolder(dir string) []*candidate {
	cs := candidates(t.files, t.journals)
	slices.SortStableFunc(cs, func(a, b *candidate) int { return comparePaths(a.dir, b.dir, "numbered") })
	if slices.ContainsFunc(cs, func(c *candidate) bool { return c.dir == dir && c.rank >= rankNumbered }) {
		// A schema dump beside the migrations is their result, not a part of them.
		cs = slices.DeleteFunc(cs, func(c *candidate) bool {
			if c.format != "dump" {
				return false
			}
			t.d.Skipped = append(t.d.Skipped, Skipped{c.dir, "a dump beside the migrations of " + dir})
			return true
		})
	}
	return cs
}

// walk collects the .sql files below root. pick leaves out folders that hold no
// schema; under a folder that the user named nothing is left out.
func (t *tree) walk(root string, pick bool) error {
	return fs.WalkDir(t.fsys, root, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && p == root:
			return fmt.Errorf("looking for migrations in %s: %w", root, err)
		case err != nil:
			t.d.Skipped = append(t.d.Skipped, Skipped{p, "cannot be read"})
			return nil
		case p != "." && t.excluded(p):
			return skip(e)
		case e.IsDir():
			return t.enter(p, root, pick)
		case p == "_journal.json" || strings.HasSuffix(p, "/meta/_journal.json"):
			t.journals[path.Dir(path.Dir(p))] = true
		case strings.HasSuffix(strings.ToLower(p), ".sql"):
			if err := t.read(p); err != nil {
				t.d.Skipped = append(t.d.Skipped, Skipped{p, "cannot be read"})
			}
		case strings.HasSuffix(p, ".up.tmpl"), strings.HasSuffix(p, ".sql.tmpl"):
			t.d.Skipped = append(t.d.Skipped, Skipped{p, "a template whose values are made at run time"})
		}
		return nil
	})
}

func (t *tree) enter(p, root string, pick bool) error {
	name := path.Base(p)
	switch {
	case p == root:
		return nil
	case strings.HasPrefix(name, "."), name == "node_modules", name == "vendor":
		return fs.SkipDir
	case pick && notSchemas.MatchString(name):
		return fs.SkipDir
	case name == "old" || name == "archive" || name == "archived" || name == "deprecated":
		if pick {
			if t.holdsSQL(p) {
				t.d.Skipped = append(t.d.Skipped, Skipped{p, "named as outdated"})
			}
			return fs.SkipDir
		}
	}
	if d := dialectOf(name); d != "" {
		t.foreign[p] = d
		return fs.SkipDir
	}
	return nil
}

func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// read takes one file in, unless it undoes something or speaks another dialect.
func (t *tree) read(p string) error {
	base := path.Base(p)
	supabase := strings.HasSuffix("/"+path.Dir(p), "/supabase/migrations")
	if !supabase && (downName.MatchString(base) || strings.EqualFold(path.Base(path.Dir(p)), "down")) {
		return nil
	}
	if d := dialectOf(strings.TrimSuffix(base, ".sql")); d != "" && dialectSuffix.MatchString(base) {
		t.foreign[p] = d
		return nil
	}
	b, err := fs.ReadFile(t.fsys, p)
	if err != nil {
		return fmt.Errorf("reading migration %s: %w", p, err)
	}
	f := newFile(p, string(b))
	if f.dialect != "" && f.ddl {
		t.foreign[p] = f.dialect
		return nil
	}
	t.files = append(t.files, f)
	return nil
}

var dialectSuffix = regexp.MustCompile(`(?i)\.(?:mysql|mariadb|sqlite3?|mssql|sqlserver|oracle|cockroach(?:db)?|clickhouse)\.`)

// listForeign lists folders and files of other databases, a folder once.
func (t *tree) listForeign() {
	files := map[Skipped]int{}
	for p, dialect := range t.foreign {
		switch {
		case strings.HasSuffix(p, ".sql"):
			files[Skipped{path.Dir(p), dialect}]++
		case t.holdsSQL(p):
			t.d.Skipped = append(t.d.Skipped, Skipped{p, "written for " + dialect})
		}
	}
	for s, n := range files {
		t.d.Skipped = append(t.d.Skipped, Skipped{s.Path, count(n, "file") + " written for " + s.Reason})
	}
	t.foreign = map[string]string{}
}

func (t *tree) holdsSQL(dir string) bool {
	found := false
	_ = fs.WalkDir(t.fsys, dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(p, ".sql") {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
