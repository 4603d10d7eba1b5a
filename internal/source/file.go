package source

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// header is sqlc's and goyesql's line before a query. pg_dump's "-- Name: x; Type:"
// is none.
var header = regexp.MustCompile(`(?m)^[ \t]*(?:--|/\*)[ \t]*name[ \t]*:[ \t]*([^\s;*]+)(?:[ \t]+:(\w+))?[ \t]*(?:\*/)?[ \t]*\r?$`)

// IsQueryFile reports whether `-- name:` headers mark a text as sqlc's or
// goyesql's.
func IsQueryFile(text []byte) bool { return header.Match(text) }

// FindQueryFiles returns the .sql files that headers mark as query files, sorted;
// skip drops files and folders (migrations, excluded paths). Hidden folders,
// node_modules, vendor and testdata are not read.
func FindQueryFiles(fsys fs.FS, skip func(path string) bool) ([]string, error) {
	var out []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == "." {
				return err
			}
			return nil // a folder that may not be read
		}
		if p != "." && (skip != nil && skip(p) || d.IsDir() && ignored(d.Name())) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !strings.HasSuffix(p, ".sql") {
			return nil
		}
		if text, err := fs.ReadFile(fsys, p); err == nil && IsQueryFile(text) {
			out = append(out, p)
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

func ignored(name string) bool {
	switch name {
	case "node_modules", "vendor", "testdata":
		return true
	}
	return len(name) > 1 && name[0] == '.'
}

// section is the part of a file that belongs to one header.
type section struct {
	name       string
	sqlc       bool
	start, end int
}

// sections cuts a file at its headers; what stands before the first has no name.
func sections(src string) []section {
	out := []section{{}}
	for _, m := range header.FindAllStringSubmatchIndex(src, -1) {
		out[len(out)-1].end = m[0]
		out = append(out, section{name: src[m[2]:m[3]], sqlc: m[4] >= 0, start: m[1]})
	}
	out[len(out)-1].end = len(src)
	return out
}

// File reads a query file: sqlc's and goyesql's `-- name:` headers give symbols,
// a plain file gives one statement after another. path is relative to the root.
func File(path string, text []byte) Result {
	src := string(text)
	f := &file{path: path, src: src, lines: pgast.NewLines(src)}
	secs := sections(src)
	sqlc := slices.ContainsFunc(secs, func(s section) bool { return s.sqlc })
	for _, s := range secs {
		f.section(s, sqlc)
	}
	return f.out
}

type file struct {
	path  string
	src   string
	lines pgast.Lines
	out   Result
}

func (f *file) at(off int) rules.Location {
	line, col := f.lines.LineCol(off)
	return rules.Location{Path: f.path, Line: line, Column: col}
}

func (f *file) fail(off int, msg string) {
	f.out.Unparsed = append(f.out.Unparsed, Problem{f.at(off), msg})
}

func (f *file) section(s section, sqlc bool) {
	for _, p := range pgast.Split(f.src[s.start:s.end]) {
		switch {
		case p.Meta:
		case p.Err != nil:
			f.fail(s.start+p.Err.Offset, p.Err.Msg)
		default:
			f.piece(s, s.start+p.Start, s.start+p.End, sqlc)
		}
	}
}

// piece makes a statement of src[start:end].
func (f *file) piece(s section, start, end int, sqlc bool) {
	src := f.src[start:end]
	got, err := read(src, sqlc)
	if err != nil {
		off := 0
		var pe *pgast.Error
		if errors.As(err, &pe) {
			off = min(max(pe.Offset, 0), len(src))
		}
		f.fail(start+off, err.Error())
		return
	}
	list := &f.out.Statements
	if !pgast.IsQuery(got.stmt) {
		list = &f.out.Commands
	}
	*list = append(*list, &sqllint.Statement{
		Text: got.text, Stmt: got.stmt, Fingerprint: pgast.Fingerprint(got.stmt),
		Source: sqllint.FromSQL, Location: f.at(start), Symbol: s.name,
		ResolvedBy: "file", Dynamic: got.dynamic,
		Segments: segments(src, got, func(off int) rules.Location { return f.at(start + off) }),
	})
}
