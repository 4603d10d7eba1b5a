package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/planvet/planvet/internal/strictyaml"
)

// SQLC is one entry of a sqlc configuration. Paths are relative to the
// file system's root; folders and globs are expanded to sorted .sql files.
type SQLC struct {
	// File is the sqlc configuration.
	File string
	// Schema are the schema's files and Queries the query files.
	Schema, Queries []string
	// Out is the folder of the generated Go package, "" where none is named.
	Out string

	engine string
}

type sqlcFile struct {
	Version any `yaml:"version"`
	SQL     []struct {
		Engine  string `yaml:"engine"`
		Schema  any    `yaml:"schema"`
		Queries any    `yaml:"queries"`
		Gen     struct {
			Go struct {
				Out string `yaml:"out"`
			} `yaml:"go"`
		} `yaml:"gen"`
	} `yaml:"sql"`
	Packages []struct {
		Path    string `yaml:"path"`
		Engine  string `yaml:"engine"`
		Schema  any    `yaml:"schema"`
		Queries any    `yaml:"queries"`
	} `yaml:"packages"`
}

// FindSQLC reads every sqlc.yaml, sqlc.yml and sqlc.json below the root; hidden
// folders, node_modules, vendor, testdata and what skip refuses are left out.
// Entries come sorted by file: PostgreSQL's, and those of the other engines, MySQL
// and SQLite, whose query files have the same headers. A file that cannot be read
// is an error that names it; the entries of the others are returned beside it.
func FindSQLC(fsys fs.FS, skip func(path string) bool) (pg, others []SQLC, err error) {
	all, err := findSQLC(fsys, skip)
	for _, e := range all {
		if e.engine == "postgresql" {
			pg = append(pg, e)
		} else {
			others = append(others, e)
		}
	}
	// One file in two entries is PostgreSQL's when one of them is.
	for i, o := range others {
		ours := func(f string) bool {
			return slices.ContainsFunc(pg, func(e SQLC) bool { return slices.Contains(e.Queries, f) || slices.Contains(e.Schema, f) })
		}
		others[i].Queries, others[i].Schema = slices.DeleteFunc(o.Queries, ours), slices.DeleteFunc(o.Schema, ours)
	}
	return pg, others, err
}

func findSQLC(fsys fs.FS, skip func(path string) bool) ([]SQLC, error) {
	var out []SQLC
	var first error
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return skipUnreadable(p, d, err)
		}
		if p != "." && skip != nil && skip(p) || d.IsDir() && ignoredFolder(d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		switch d.Name() {
		case "sqlc.yaml", "sqlc.yml", "sqlc.json":
			got, err := readSQLC(fsys, p)
			if err != nil && first == nil {
				first = err
			}
			out = append(out, got...)
		}
		return nil
	})
	if first == nil {
		first = err
	}
	return out, first
}

// skipUnreadable goes on past folders that may not be read, but not past the root.
func skipUnreadable(p string, d fs.DirEntry, err error) error {
	if p == "." {
		return err
	}
	if d != nil && d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func ignoredFolder(name string) bool {
	switch name {
	case "node_modules", "vendor", "testdata":
		return true
	}
	return len(name) > 1 && name[0] == '.'
}

func readSQLC(fsys fs.FS, file string) ([]SQLC, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var f sqlcFile
	if err := yaml.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("reading %s: %s", file, strictyaml.OneLine(err.Error()))
	}
	dir := path.Dir(file)
	var out []SQLC
	add := func(engine, out string, schema, queries any) SQLC {
		return SQLC{
			File: file, Out: under(dir, out), engine: cmp.Or(engine, "postgresql"),
			Schema: expand(fsys, dir, schema), Queries: expand(fsys, dir, queries),
		}
	}
	for _, e := range f.SQL {
		out = append(out, add(e.Engine, e.Gen.Go.Out, e.Schema, e.Queries))
	}
	for _, e := range f.Packages {
		out = append(out, add(e.Engine, e.Path, e.Schema, e.Queries))
	}
	return out, nil
}

func under(dir, p string) string {
	if p == "" {
		return ""
	}
	return path.Join(dir, p)
}

// expand turns sqlc's string or list into files: a folder stands for its own .sql
// files, a glob for what it matches. Hidden files and .down.sql are left out, as
// sqlc does.
func expand(fsys fs.FS, dir string, v any) []string {
	var patterns []string
	switch v := v.(type) {
	case string:
		patterns = []string{v}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				patterns = append(patterns, s)
			}
		}
	}
	var out []string
	for _, p := range patterns {
		p = path.Join(dir, p)
		names := []string{p}
		if strings.ContainsAny(p, "*?[") {
			names, _ = fs.Glob(fsys, p)
		}
		for _, n := range names {
			st, err := fs.Stat(fsys, n)
			switch {
			case err != nil:
			case !st.IsDir():
				out = append(out, n)
			default:
				files, _ := fs.Glob(fsys, path.Join(escape(n), "*.sql"))
				out = append(out, files...)
			}
		}
	}
	out = slices.DeleteFunc(out, func(n string) bool {
		return path.Base(n)[0] == '.' || strings.HasSuffix(n, ".down.sql")
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// escape makes a path safe as a glob's literal part.
func escape(p string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(p)
}
