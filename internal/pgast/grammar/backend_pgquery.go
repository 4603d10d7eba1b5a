//go:build cgo && !purego

package grammar

import (
	"errors"

	pg "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
)

// What is linked.
const (
	Major          = 16
	Library        = "pg_query_go"
	LibraryVersion = "5.1.0"
	// Retries is set for a parser that tries alternatives one after the other: its time
	// can grow exponentially, and its faults name the last alternative's.
	Retries = false
)

// Parse parses a text.
func Parse(text string) (*ParseResult, *Fault) {
	tree, err := pg.Parse(text)
	if err != nil {
		return nil, fault(err)
	}
	return tree, nil
}

// Fingerprint is libpg_query's fingerprint of a text, 16 hex digits.
func Fingerprint(text string) (string, *Fault) {
	fp, err := pg.Fingerprint(text)
	if err != nil {
		return "", fault(err)
	}
	return fp, nil
}

// Deparse writes a tree as SQL.
func Deparse(tree *ParseResult) (string, error) { return pg.Deparse(tree) }

func fault(err error) *Fault {
	var e *parser.Error
	if errors.As(err, &e) {
		return &Fault{Msg: e.Message, Cursor: e.Cursorpos}
	}
	return &Fault{Msg: "statement not parsed: " + err.Error()}
}

// Returning is the RETURNING of an INSERT, UPDATE, DELETE or MERGE.
func Returning(stmt any) Returned {
	if s, ok := stmt.(interface{ GetReturningList() []*Node }); ok {
		return Returned{Exprs: s.GetReturningList()}
	}
	return Returned{}
}

// When says which rows a WHEN of MERGE is for.
func When(w *MergeWhenClause) Matching { return Matching{Matched: w.Matched} }

// NewerOf is what a constraint has that PostgreSQL 16 does not know: nothing here.
func NewerOf(*Constraint) Newer { return Newer{} }

// JSONTable reports whether n is JSON_TABLE; here it never is.
func JSONTable(*Node) (FromTable, bool) { return FromTable{}, false }

// Enforcement is ALTER CONSTRAINT … [NOT] ENFORCED; changes is false without it.
func Enforcement(*Node) (constraint string, enforced, changes bool) { return "", false, false }
