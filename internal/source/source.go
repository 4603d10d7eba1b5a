// Package source turns files, and the functions and views of a catalog, into
// statements.
package source

import (
	"io/fs"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Result is what a source gave.
type Result struct {
	Statements []*sqllint.Statement
	// Unparsed are the pieces that the grammar refused, with their places.
	Unparsed []Problem
}

// Problem is a piece of SQL that is no statement to planvet.
type Problem struct {
	Location rules.Location
	Error    string
}

// Add appends another result.
func (r *Result) Add(o Result) {
	r.Statements = append(r.Statements, o.Statements...)
	r.Unparsed = append(r.Unparsed, o.Unparsed...)
}

// File reads a query file: sqlc's and goyesql's `-- name:` headers give symbols,
// a plain file gives one statement after another. path is relative to the root.
func File(path string, text []byte) Result { return Result{} }

// IsQueryFile reports whether `-- name:` headers mark a text as sqlc's or
// goyesql's.
func IsQueryFile(text []byte) bool { return false }

// FindQueryFiles returns the .sql files that headers mark as query files, sorted;
// skip drops files and folders (migrations, excluded paths).
func FindQueryFiles(fsys fs.FS, skip func(path string) bool) ([]string, error) { return nil, nil }

// BodyOptions say how function bodies are run.
type BodyOptions struct {
	// RPCRole is the role of functions that an API exposes, "authenticated" in a
	// Supabase project; "" leaves the caller unknown.
	RPCRole string
	// Exposed are the schemas that the API serves; nil means public.
	Exposed []string
}

// Bodies returns the statements in the bodies of a catalog's functions, and its
// views' queries.
func Bodies(cat *catalog.Catalog, o BodyOptions) Result { return Result{} }
