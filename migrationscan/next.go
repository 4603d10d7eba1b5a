package migrationscan

import (
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Added is what a change of the schema adds to a project.
type Added struct {
	// Path is relative to the project's root, with forward slashes.
	Path string
	// Text is the file, or what is added to it.
	Text string
	// Append is set where the file is there, and Text goes to its end.
	Append bool
}

// Next is where DDL goes that a person adds to the set: the next migration, named as
// the last one is, in the layout of its tool, or the end of a schema file that people
// write. words are a few for the name; at gives versions that are times.
//
// It is nil where a new file would be wrong: Prisma, Drizzle and Rails make migrations
// out of a schema of their own, and would take back what that does not have; a dump is
// written by a program.
func (s Set) Next(fsys fs.FS, words, ddl string, at time.Time) []Added {
	if len(s.Scripts) == 0 || s.Scripts[len(s.Scripts)-1].GoLiteral {
		return nil
	}
	last := s.Scripts[len(s.Scripts)-1].Path
	switch s.Format {
	case "prisma", "drizzle", "rails", "graphile", "versioned", "go":
		return nil
	case "diesel":
		name, ok := nextName(path.Base(path.Dir(last)), words, at)
		dir := path.Join(path.Dir(path.Dir(last)), name)
		if !ok || exists(fsys, dir) {
			return nil
		}
		return []Added{{Path: dir + "/up.sql", Text: ddl}, {Path: dir + "/down.sql", Text: undo}}
	}
	base := path.Base(last)
	end := path.Ext(base)
	if i := strings.Index(base, "."); i > 0 && !flywayVersion.MatchString(base) {
		end = base[i:] // .up.sql
	}
	stem := strings.TrimSuffix(base, end)
	name, ok := nextName(stem, words, at)
	if !ok {
		return appended(fsys, last, ddl)
	}
	file := path.Join(path.Dir(last), name+end)
	if exists(fsys, file) {
		return nil
	}
	out := []Added{{Path: file, Text: s.layout(ddl)}}
	if exists(fsys, path.Join(path.Dir(last), "atlas.sum")) {
		out[0].Text = "-- `atlas migrate hash` puts this file into atlas.sum\n" + out[0].Text
	}
	if down, is := downOf(base); is && exists(fsys, path.Join(path.Dir(last), down)) {
		_, downEnd, _ := strings.Cut(down, ".")
		out = append(out, Added{Path: path.Join(path.Dir(last), name+"."+downEnd), Text: undo})
	}
	return out
}

// undo is a down part: what undoes an index that the server names is for a person.
const undo = "-- write here what undoes it\n"

// layout is a migration as the set's tool reads it.
func (s Set) layout(ddl string) string {
	switch s.Format {
	case "goose":
		return "-- +goose Up\n" + ddl + "\n-- +goose Down\n" + undo
	case "sql-migrate":
		return "-- +migrate Up\n" + ddl + "\n-- +migrate Down\n" + undo
	case "dbmate":
		return "-- migrate:up\n" + ddl + "\n-- migrate:down\n" + undo
	case "tern":
		return ddl + "\n---- create above / drop below ----\n\n" + undo
	}
	return ddl
}

// downOf is the file that undoes an up file.
func downOf(base string) (string, bool) {
	i := strings.LastIndex(base, ".up.")
	if i < 0 {
		return "", false
	}
	return base[:i] + ".down." + base[i+len(".up."):], true
}

// appended is DDL at the end of a schema file: one of no number, which people write.
func appended(fsys fs.FS, file, ddl string) []Added {
	text, err := fs.ReadFile(fsys, file)
	if err != nil || dumped.Match(text[:min(len(text), 2048)]) {
		return nil
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		ddl = "\n" + ddl
	}
	return []Added{{Path: file, Text: "\n" + ddl, Append: true}}
}

// dumped matches the head of what pg_dump wrote.
var dumped = regexp.MustCompile(`(?m)^-- PostgreSQL database (?:cluster )?dump`)

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// A name that begins with a version: what stands before its last part, that part, and
// what parts it from the words.
var (
	flywayStem   = regexp.MustCompile(`^([vV](?:\d+[._])*)(\d+)(__)`)
	numberedStem = regexp.MustCompile(`^([vV]?(?:\d+\.)*)(\d+)([-_. ]+)`)
)

// nextName is the name that follows a numbered one: a time where the last one has a
// time, else the next number, as wide. ok is false where the last has no number.
func nextName(last, words string, at time.Time) (name string, ok bool) {
	m := flywayStem.FindStringSubmatch(last)
	if m == nil {
		m = numberedStem.FindStringSubmatch(last)
	}
	if m == nil {
		return "", false
	}
	number, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return "", false
	}
	next := number + 1
	if t := timeLike(m[2], at); t > next {
		next = t
	}
	n := strconv.FormatInt(next, 10)
	if pad := len(m[2]) - len(n); pad > 0 {
		n = strings.Repeat("0", pad) + n
	}
	sep := m[3]
	if sep == "-" {
		words = strings.ReplaceAll(words, "_", "-")
	}
	return m[1] + n + sep + words, true
}

// timeLike is the time in the layout of a version that is one, 0 where it is a number:
// 20240102030405 and shorter, down to the day, or Unix seconds or milliseconds.
func timeLike(version string, at time.Time) int64 {
	layout := "20060102150405"
	date := (strings.HasPrefix(version, "19") || strings.HasPrefix(version, "20")) && len(version) >= 8
	switch {
	case date && len(version) == 17:
		n, _ := strconv.ParseInt(strings.ReplaceAll(at.UTC().Format(layout+".000"), ".", ""), 10, 64)
		return n
	case date && len(version) <= len(layout) && len(version)%2 == 0:
		n, _ := strconv.ParseInt(at.UTC().Format(layout[:len(version)]), 10, 64)
		return n
	case len(version) == 10:
		return at.Unix()
	case len(version) == 13:
		return at.UnixMilli()
	}
	return 0
}

// Checksums reports whether the set's tool keeps a checksum of a migration, which an
// edit would break.
func (s Set) Checksums(fsys fs.FS, file string) bool {
	switch s.Format {
	case "flyway", "prisma", "graphile", "drizzle":
		return true
	}
	return exists(fsys, path.Join(path.Dir(file), "atlas.sum"))
}
