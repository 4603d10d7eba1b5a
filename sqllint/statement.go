package sqllint

import (
	"sort"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// Source says where a statement's text stood.
type Source string

// The sources of statements.
const (
	FromGo         Source = "go"
	FromSQL        Source = "sql"
	FromFunction   Source = "function"
	FromView       Source = "view"
	FromStatements Source = "statements"
)

// Statement is one statement to be judged: its text, its tree, and where it
// came from.
type Statement struct {
	// Text is the SQL with $n parameters; offsets in Stmt point into it.
	Text string
	Stmt pgast.Stmt
	// Fingerprint is pgast's.
	Fingerprint string
	Source      Source
	// Location is the place to report when nothing finer is known.
	Location rules.Location
	// Symbol is the enclosing Go function, sqlc query name or SQL function.
	Symbol string
	// Call is the driver method that receives the text, for Go.
	Call string
	// ResolvedBy says how the text was worked out: constant, concatenation,
	// variable, embed, builder, wrapper, directive, file or body.
	ResolvedBy string
	// Role is the role that it runs as, "" when unknown or the owner; RoleKnown
	// tells the two apart.
	Role      string
	RoleKnown bool
	// InLoop is set when the call stands in a loop.
	InLoop bool
	// Dynamic is set when a part of the text was unknown and left out or guessed:
	// findings from it are possible, not certain.
	Dynamic bool
	// Generated is set for a query in generated Go code, such as sqlc's: its source
	// is a query file, whose statement of the same symbol says the same.
	Generated bool
	// SearchPath resolves unqualified names; nil means the catalog's.
	SearchPath []string
	// Variables are names that are parameters though they look like columns:
	// plpgsql variables and function arguments, lower case.
	Variables map[string]bool
	// Segments map offsets in Text to places in files, sorted by Start.
	Segments []Segment
}

// Segment maps a run of Text to a file. Bytes of a raw string, a .sql file or a
// plain "…" literal without escapes stand there one to one.
type Segment struct {
	// Start is the offset in Text where the run begins.
	Start int
	// At is the place of the run's first byte.
	At rules.Location
	// Exact is set when the run's bytes stand in the file one to one, new lines
	// included; otherwise every offset maps to At.
	Exact bool
}

// Locate returns the place of an offset in Text.
func (s *Statement) Locate(off int) rules.Location {
	if off < 0 || len(s.Segments) == 0 {
		return s.Location
	}
	i := sort.Search(len(s.Segments), func(i int) bool { return s.Segments[i].Start > off }) - 1
	if i < 0 {
		return s.Location
	}
	// A fragment that stands in a file of its own is shared by many queries: the
	// place is where the query takes it in.
	for i > 0 && !s.own(s.Segments[i]) {
		off = s.Segments[i].Start
		i--
	}
	g := s.Segments[i]
	if g.At.Path == "" {
		return s.Location // bytes that stand in no file
	}
	if !g.Exact || off > len(s.Text) {
		return g.At
	}
	at := g.At
	for _, b := range []byte(s.Text[g.Start:off]) {
		if b == '\n' {
			at.Line++
			at.Column = 1
		} else if at.Column > 0 {
			at.Column++
		}
	}
	return at
}

// own reports whether a run stands in the file of the call or of the text's begin.
func (s *Statement) own(g Segment) bool {
	return g.At.Path == s.Location.Path || g.At.Path == s.Segments[0].At.Path
}

// Query is the statement as findings show it.
func (s *Statement) Query() *rules.Query {
	return &rules.Query{
		Text: s.Text, Fingerprint: s.Fingerprint, Source: string(s.Source), Symbol: s.Symbol, Role: s.Role,
	}
}
