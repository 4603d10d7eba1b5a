package pgast

import (
	"fmt"
	"strings"
	"unicode/utf8"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

// Parse parses exactly one statement; a trailing semicolon may follow. The error
// is an *Error.
func Parse(sql string) (Stmt, error) {
	if err := checkSize(sql); err != nil {
		return nil, err
	}
	var one *Piece
	for _, p := range Split(sql) {
		switch {
		case p.Meta:
			continue
		case one != nil:
			return nil, &Error{Offset: p.Start, Msg: "more than one statement"}
		}
		one = &p
	}
	if one == nil {
		return nil, &Error{Msg: "no statement"}
	}
	stmt, err := parsePiece(sql, *one, one.Start)
	if err != nil {
		return nil, err
	}
	return stmt, nil
}

// ParseExpr parses an expression as it stands in a select list. The error is an
// *Error.
func ParseExpr(sql string) (Expr, error) {
	if err := checkSize(sql); err != nil {
		return nil, err
	}
	const head = "SELECT "
	text := head + sql
	stmt, err := parsePiece(text, Piece{End: len(text)}, -len(head))
	if err != nil {
		err.Offset = max(err.Offset-len(head), 0)
		return nil, err
	}
	s, ok := stmt.(*Select)
	if !ok || len(s.Targets) != 1 || s.Targets[0].Name != "" || !onlyTargets(s) {
		return nil, &Error{Msg: "not a single expression"}
	}
	return s.Targets[0].Expr, nil
}

// onlyTargets reports whether s is SELECT and a list, and no more.
func onlyTargets(s *Select) bool {
	return s.SetOp == "" && s.With == nil && s.From == nil && s.Where == nil && s.GroupBy == nil &&
		s.Having == nil && s.Windows == nil && s.OrderBy == nil && s.Limit == nil && s.Offset == nil &&
		s.Locking == nil && s.Into == nil && !s.Distinct && s.DistinctOn == nil
}

// ParseFile splits src and parses each statement. It never fails as a whole:
// every element has Stmt or Err. Psql meta-commands and COPY data are left out.
func ParseFile(src string) []Parsed {
	if err := checkSize(src); err != nil {
		return []Parsed{{End: len(src), Err: err}}
	}
	pieces := Split(src)
	out := make([]Parsed, 0, len(pieces))
	for _, p := range pieces {
		if p.Meta {
			continue
		}
		q := Parsed{Text: src[p.Start:p.End], Start: p.Start, End: p.End}
		q.Stmt, q.Err = parsePiece(src, p, 0)
		out = append(out, q)
	}
	return out
}

func checkSize(src string) *Error {
	if len(src) > maxFile {
		return &Error{Msg: fmt.Sprintf("the text has %d MiB; more than %d MiB are not parsed", len(src)>>20, maxFile>>20)}
	}
	return nil
}

// parsePiece parses src[p.Start:p.End]. Positions of nodes are relative to the
// piece plus base, an error's offset is in src.
func parsePiece(src string, p Piece, base int) (Stmt, *Error) {
	if p.Err != nil {
		return nil, p.Err
	}
	text := src[p.Start:p.End]
	stmt, err := parseText(text, base)
	if err != nil {
		err.Offset += p.Start
		return nil, err
	}
	return stmt, nil
}

func parseText(text string, base int) (Stmt, *Error) {
	if err := checkBytes(text); err != nil {
		return nil, err
	}
	if err := measureDepth(text); err != nil {
		return nil, err
	}
	if pg.Retries {
		if err := measureRetries(text); err != nil {
			return nil, err
		}
	}
	tree, err := parse(text)
	if err != nil {
		return nil, parserError(text, innermost(text, err))
	}
	if len(tree.Stmts) != 1 {
		return nil, &Error{Msg: fmt.Sprintf("%d statements where one was expected", len(tree.Stmts))}
	}
	c := &conv{src: text, base: base}
	stmt := c.stmt(tree.Stmts[0].Stmt)
	if c.err != nil {
		return nil, c.err
	}
	return stmt, nil
}

// parserError turns the parser's fault, whose position counts characters from 1,
// into ours.
func parserError(text string, f *pg.Fault) *Error {
	e := &Error{Msg: clip(f.Msg, 160)}
	if f.Cursor > 0 {
		e.Offset = byteOffset(text, f.Cursor-1)
	}
	switch {
	case strings.Contains(f.Msg, "memory exhausted"):
		e.Msg = "statement too complex: nested too deeply"
	case strings.HasPrefix(f.Msg, "syntax error"):
		e.Msg += fmt.Sprintf(" (not in the PostgreSQL %d grammar)", pg.Major)
	}
	return e
}

// byteOffset is the offset of the n-th character, from 0, of text.
func byteOffset(text string, n int) int {
	off := 0
	for ; n > 0 && off < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[off:])
		off += size
	}
	return off
}

// Grammar names the grammar that this build parses with and the library it is from:
// "PostgreSQL 16 grammar (pg_query_go 5.1.0)".
func Grammar() string { return pg.Name() }

// GrammarMajor is the major version of PostgreSQL whose grammar this build parses.
func GrammarMajor() int { return pg.Major }

// PGFingerprint is libpg_query's fingerprint of a text, for joining other tools'
// data. It hashes the trees of one major version, so builds of another grammar may
// give another value; Fingerprint does not.
func PGFingerprint(sql string) (string, error) {
	if err := checkSize(sql); err != nil {
		return "", err
	}
	if err := checkBytes(sql); err != nil {
		return "", err
	}
	if err := measureDepth(sql); err != nil {
		return "", err
	}
	if pg.Retries {
		if err := measureRetries(sql); err != nil {
			return "", err
		}
	}
	fp, err := pg.Fingerprint(sql)
	if err != nil {
		return "", parserError(sql, innermost(sql, err))
	}
	return fp, nil
}
