package embedsql

import (
	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Package is one package with syntax and types.
type Package = program.Package

// Options say how to read code.
type Options struct {
	// Root is the folder, absolute, that paths are made relative to; "" keeps them.
	Root string
	// Tests includes _test.go files.
	Tests bool
	// ReadFile reads an embedded file by its absolute path; nil is os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Named gives the statement of a named query (goyesql's struct tags) for the
	// analysis of loops; nil knows none.
	Named func(name string) *sqllint.Statement
	// Imported gives what is known of a function of a package that is not among
	// those to be read, by its key; nil knows nothing.
	Imported func(key string) *Summary
}

// Result is what was found, each list in the order of places unless it says
// otherwise.
type Result struct {
	Statements []*sqllint.Statement
	// Commands are statements that are no queries: SET, LISTEN, CREATE TEMPORARY TABLE.
	Commands []*sqllint.Statement
	// Scripts are texts that define a schema, in the order in which they run as far
	// as the code tells: packages by path, then slices by element, then by place.
	Scripts []Script
	// Unresolved are calls of a driver whose text stays unknown.
	Unresolved []Unresolved
	// Unparsed are texts that reach a driver and that the grammar refuses.
	Unparsed []Unparsed
	// OtherDialect counts calls that were left out because their package speaks to
	// another database only.
	OtherDialect int
	// Files are the paths of the files read, sorted.
	Files []string

	x *extraction
}

// Unresolved is a driver call whose SQL could not be worked out.
type Unresolved struct {
	Location rules.Location
	// Call is the driver's method.
	Call string
	// Reason is one line, lower case.
	Reason string
}

// Unparsed is a text that is no statement of PostgreSQL's grammar.
type Unparsed struct {
	Location rules.Location
	Call     string
	// Text is the SQL as it was put together.
	Text  string
	Error string
}

// Script is a text with DDL that Go code hands to a driver.
type Script struct {
	Location rules.Location
	// Text is what runs. Where Exact is set its bytes stand at Location one to one,
	// new lines included.
	Text  string
	Exact bool
	// Symbol is the enclosing function or variable.
	Symbol string
	// Segments map offsets in Text to places, as in a statement.
	Segments []sqllint.Segment
}

// Extract reads packages.
func Extract(pkgs []*Package, o Options) *Result { return extract(pkgs, o) }
