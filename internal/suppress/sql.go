package suppress

import (
	"sort"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// sqlScan reads the directives of one SQL text, which may be a part of a file.
type sqlScan struct {
	path string
	// at maps an offset in the text to a line and column of the file.
	at  func(off int) (line, col int)
	out []Directive
}

func collectSQL(path, src string) []Directive {
	lines := pgast.NewLines(src)
	s := &sqlScan{path: path, at: lines.LineCol}
	s.scan(src, 0, 0)
	sort.SliceStable(s.out, func(i, j int) bool {
		a, b := s.out[i].Location, s.out[j].Location
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return s.out
}

// maxNesting bounds functions in functions.
const maxNesting = 4

// scan reads a text that begins at offset base of the file.
func (s *sqlScan) scan(src string, base, depth int) {
	pieces := pgast.Split(src)
	for _, c := range pgast.Comments(src) {
		d, whole, ok := parse(c.Text)
		if !ok {
			continue
		}
		line, col := s.at(base + c.Start)
		d.Location = rules.Location{Path: s.path, Line: line, Column: col}
		if d.From, d.To = 1, 0; !whole {
			d.From, d.To = s.covers(src, base, c, pieces)
		}
		s.out = append(s.out, d)
	}
	if depth == maxNesting {
		return
	}
	for _, p := range pieces {
		if p.Meta || !strings.Contains(src[p.Start:p.End], mark) {
			continue
		}
		for _, f := range pgast.ParseFile(src[p.Start:p.End]) {
			if body, pos := bodyOf(f.Stmt); pos >= 0 && strings.Contains(body, mark) {
				s.scan(body, base+p.Start+f.Start+pos, depth+1)
			}
		}
	}
}

// bodyOf is the quoted body of a function or a DO block; pos is -1 for others.
func bodyOf(st pgast.Stmt) (body string, pos int) {
	switch f := st.(type) {
	case *pgast.CreateFunction:
		if len(f.Stmts) == 0 {
			return f.Body, f.BodyPos
		}
	case *pgast.Do:
		return f.Body, f.BodyPos
	}
	return "", -1
}

// covers returns the lines that a comment holds for:
//
//  1. inside a query, the whole query; inside DDL, the comment's line when code
//     stands before it, else the next line of code; on a statement's first line,
//     the whole statement;
//  2. behind a statement on its last line, that statement;
//  3. else the next statement.
func (s *sqlScan) covers(src string, base int, c pgast.Comment, pieces []pgast.Piece) (from, to int) {
	line, _ := s.at(base + c.Start)
	// The pieces are sorted: i is the first that ends behind the comment.
	i := sort.Search(len(pieces), func(i int) bool { return pieces[i].End > c.Start })
	lineOf := func(off int) int { l, _ := s.at(base + off); return l }
	trails := codeBefore(src, c.Start)
	if i < len(pieces) && pieces[i].Start < c.Start {
		p := pieces[i]
		first, last := lineOf(p.Start), lineOf(p.End-1)
		switch {
		case isQuery(src[p.Start:p.End]) || line == first:
			return first, last
		case trails:
			return line, line
		}
		next := nextCode(src, c.End)
		return line, lineOf(next)
	}
	if trails && i > 0 {
		return lineOf(pieces[i-1].Start), line
	}
	if i < len(pieces) {
		return line, lineOf(pieces[i].End - 1)
	}
	return line, line
}

// codeBefore reports whether anything stands before an offset on its line.
func codeBefore(src string, off int) bool {
	start := strings.LastIndexByte(src[:off], '\n') + 1
	return strings.TrimSpace(src[start:off]) != ""
}

// nextCode is the offset of the first byte of code behind an offset; comments that
// stand alone are passed over.
func nextCode(src string, off int) int {
	for off < len(src) {
		switch {
		case strings.IndexByte(" \t\r\n", src[off]) >= 0:
			off++
		case strings.HasPrefix(src[off:], "--"):
			n := strings.IndexByte(src[off:], '\n')
			if n < 0 {
				return len(src) - 1
			}
			off += n
		default:
			return off
		}
	}
	return max(0, len(src)-1)
}

// isQuery tells queries from DDL by the first word.
func isQuery(stmt string) bool {
	stmt = strings.TrimLeft(stmt, "( \t\r\n")
	end := strings.IndexFunc(stmt, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' })
	if end < 0 {
		end = len(stmt)
	}
	switch strings.ToLower(stmt[:end]) {
	case "create", "alter", "drop", "comment", "grant", "revoke", "do", "copy":
		return false
	}
	return true
}
