package explain

import (
	"errors"
	"fmt"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// Usage is an error of what was asked: a text that is no statement, a value that is
// none of its type, a flag that does not fit.
type Usage struct{ Err error }

func (u *Usage) Error() string { return u.Err.Error() }

// Unwrap returns the error itself.
func (u *Usage) Unwrap() error { return u.Err }

func usagef(format string, args ...any) error { return &Usage{fmt.Errorf(format, args...)} }

// Statement is one statement as it was given.
type Statement struct {
	// SQL is valid for the server, with $n.
	SQL  string
	Tree pgast.Stmt
	// Cleaned are what was changed.
	Cleaned []string
	// Params counts $n.
	Params int
}

// Read takes a text that holds one statement, a query, and makes it valid where it is
// normalised (pgast.Denormalise). Only a text that needs it is written anew. The error
// is a *Usage.
func Read(sql string) (*Statement, error) {
	tree, err := pgast.Parse(sql)
	if err != nil {
		return nil, usagef("the statement: %s", faultIn(sql, err))
	}
	if s, ok := tree.(*pgast.Select); ok && s.Into != nil {
		return nil, usagef("the statement makes a table: give its query alone")
	}
	switch tree.(type) {
	case *pgast.Select, *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
	case *pgast.Explain:
		return nil, usagef("the statement is an EXPLAIN already: give what it explains alone")
	default:
		return nil, usagef("the statement has no plan: give a SELECT, INSERT, UPDATE, DELETE or MERGE")
	}
	st := &Statement{SQL: trimmed(sql), Tree: tree}
	pgast.Walk(tree, func(n pgast.Node) bool {
		if p, ok := n.(*pgast.Param); ok {
			st.Params = max(st.Params, p.Number)
		}
		return true
	})
	if st.Cleaned = pgast.Denormalise(tree, sql); len(st.Cleaned) > 0 {
		st.SQL = pgast.Format(tree)
		if st.Tree, err = pgast.Parse(st.SQL); err != nil {
			return nil, usagef("the statement, written as %s: %v", st.SQL, err)
		}
	}
	return st, nil
}

// faultIn is a parser's error with its place.
func faultIn(sql string, err error) string {
	var e *pgast.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	if e.Msg == "more than one statement" {
		return "more than one statement; give one"
	}
	if e.Offset <= 0 || e.Offset > len(sql) {
		return e.Msg
	}
	before := sql[:e.Offset]
	return fmt.Sprintf("%d:%d: %s", strings.Count(before, "\n")+1, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1, e.Msg)
}

// trimmed is the statement's own text.
func trimmed(sql string) string {
	for _, p := range pgast.Split(sql) {
		if !p.Meta {
			return sql[p.Start:p.End]
		}
	}
	return sql
}

// writes reports whether a statement changes rows or locks them, itself or in a WITH
// query.
func writes(tree pgast.Stmt) bool {
	found := false
	pgast.Walk(tree, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
			found = true
		case *pgast.Select:
			found = found || len(n.Locking) > 0
		}
		return !found
	})
	return found
}
