package suppress

import (
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// goScan reads the directives of one Go file.
type goScan struct {
	path string
	fset *token.FileSet
	// lastOf is the last line of the longest statement or spec that starts on a
	// line; firstOf the first line of the shortest that ends on one.
	lastOf, firstOf map[int]int
	// docOf maps the comments of a function's doc to the function's last line.
	docOf map[*ast.Comment]int
	out   []Directive
}

// span is the lines of a node that a directive can cover; the zero value is none.
type span struct{ from, to int }

func collectGo(path string, text []byte) []Directive {
	s := &goScan{
		path: path, fset: token.NewFileSet(),
		lastOf: map[int]int{}, firstOf: map[int]int{}, docOf: map[*ast.Comment]int{},
	}
	// A file with errors still has the part of its tree that could be read.
	f, _ := parser.ParseFile(s.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	s.walk(f)
	src := string(text)
	for _, g := range f.Comments {
		for _, c := range g.List {
			s.comment(src, g, c)
		}
	}
	sort.SliceStable(s.out, func(i, j int) bool { return s.out[i].Location.Line < s.out[j].Location.Line })
	return s.out
}

func (s *goScan) line(p token.Pos) int { return s.fset.PositionFor(p, false).Line }

// walk records the lines of statements, and reads the directives in literals.
func (s *goScan) walk(f *ast.File) {
	var stack []span // of the nodes above, zero where a node has none of its own
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		var own span
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Doc != nil {
				for _, c := range n.Doc.List {
					s.docOf[c] = s.line(n.End() - 1)
				}
			}
		case *ast.BlockStmt, *ast.LabeledStmt, *ast.SelectStmt, *ast.CaseClause, *ast.CommClause:
		case *ast.IfStmt:
			own = s.span(n.Pos(), n.Body.Lbrace)
		case *ast.SwitchStmt:
			own = s.span(n.Pos(), n.Body.Lbrace)
		case *ast.TypeSwitchStmt:
			own = s.span(n.Pos(), n.Body.Lbrace)
		case *ast.BasicLit:
			s.literal(n, stack)
		case ast.Stmt, ast.Spec, *ast.GenDecl, *ast.KeyValueExpr:
			own = s.span(n.Pos(), n.End())
		}
		stack = append(stack, own)
		return true
	})
}

// span records a node's lines. Broken code gives nodes without an end.
func (s *goScan) span(pos, end token.Pos) span {
	if !pos.IsValid() || end <= pos {
		return span{}
	}
	p := span{s.line(pos), s.line(end - 1)}
	s.lastOf[p.from] = max(s.lastOf[p.from], p.to)
	s.firstOf[p.to] = max(s.firstOf[p.to], p.from)
	return p
}

func (s *goScan) comment(src string, g *ast.CommentGroup, c *ast.Comment) {
	if !strings.Contains(c.Text, "planvet") {
		return
	}
	d, whole, ok := parse(c.Text)
	if !ok {
		if !parseNoLint(c.Text) {
			return
		}
		d.NoLint = true
	}
	at := s.fset.PositionFor(c.Pos(), false)
	d.Location = rules.Location{Path: s.path, Line: at.Line, Column: at.Column}
	last, isDoc := s.docOf[c]
	switch {
	case whole:
		d.From, d.To = 1, 0
	case isDoc:
		d.From, d.To = at.Line, last
	case codeBefore(src, at.Offset):
		d.From, d.To = s.trailing(at.Line)
	default:
		next := s.line(g.End()-1) + 1
		d.From, d.To = at.Line, max(next, s.lastOf[next])
	}
	s.out = append(s.out, d)
}

// trailing is what a comment behind code covers: the shortest statement that
// ends on its line, else the longest that starts on it, else the line.
func (s *goScan) trailing(line int) (from, to int) {
	if from := s.firstOf[line]; from != 0 {
		return from, line
	}
	return line, max(line, s.lastOf[line])
}

// literal reads SQL comments in a string. Lines are exact in a raw string; in a
// quoted one everything stands on the literal's line. A directive in it holds for
// the statement around the literal too, since findings on the call stand there.
func (s *goScan) literal(lit *ast.BasicLit, above []span) {
	if lit.Kind != token.STRING || !strings.Contains(lit.Value, mark) {
		return
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return
	}
	start := s.fset.PositionFor(lit.Pos(), false)
	raw := lit.Value[0] == '`' && !strings.Contains(lit.Value, "\r")
	lines := pgast.NewLines(text)
	sq := &sqlScan{path: s.path, at: func(off int) (int, int) {
		line, col := lines.LineCol(off)
		switch {
		case !raw:
			return start.Line, start.Column
		case line == 1:
			return start.Line, start.Column + col
		}
		return start.Line + line - 1, col
	}}
	sq.scan(text, 0, 0)
	around := span{}
	for _, p := range above {
		if p.to != 0 {
			around = p
		}
	}
	for _, d := range sq.out {
		if d.To != 0 && around.to != 0 {
			d.From, d.To = min(d.From, around.from), max(d.To, around.to)
		}
		s.out = append(s.out, d)
	}
}
