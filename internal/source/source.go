// Package source turns files, and the functions and views of a catalog, into
// statements.
package source

import (
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Result is what a source gave.
type Result struct {
	Statements []*sqllint.Statement
	// Commands are statements that are no queries, and expressions of function bodies that
	// read no table.
	Commands []*sqllint.Statement
	// Unparsed are the pieces that the grammar refused, with their places.
	Unparsed []Problem
	// Unresolved are EXECUTEs whose text could not be worked out.
	Unresolved []Problem
}

// Problem is a piece of SQL that is no statement to planvet.
type Problem struct {
	Location rules.Location
	Error    string
}

// Add appends another result.
func (r *Result) Add(o Result) {
	r.Statements = append(r.Statements, o.Statements...)
	r.Commands = append(r.Commands, o.Commands...)
	r.Unparsed = append(r.Unparsed, o.Unparsed...)
	r.Unresolved = append(r.Unresolved, o.Unresolved...)
}

// place maps offsets of a text to places of the file that it begins in at start.
func place(start rules.Location, lines pgast.Lines, off int) rules.Location {
	line, col := lines.LineCol(off)
	if line == 1 {
		col += max(start.Column, 1) - 1
	}
	return rules.Location{Path: start.Path, Line: start.Line + line - 1, Column: col}
}
