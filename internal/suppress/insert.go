package suppress

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// Placeholder stands where a person has still to write the reason. It is none: a
// comment that has it is not in force.
const Placeholder = "<reason>"

// Insertion is a line to put into a file. Text has no line end.
type Insertion struct {
	// Line is the line, from 1, that Text goes before.
	Line int
	Text string
}

// reach is how many lines above a finding its comment may stand.
const reach = 400

// Insert is the comment that silences a rule at a line of a file, with Placeholder for
// a reason. It is the nearest place above the line, for a query above its first line,
// at which Collect reads the comment and has it cover the line; ok is false where there
// is none, as in a file that does not parse.
func Insert(text []byte, isGo bool, rule string, line int) (in Insertion, ok bool) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return in, false
	}
	starts := []int{}
	for l := line; l >= 1 && l > line-reach; l-- {
		starts = append(starts, l)
	}
	marker := "//"
	if !isGo {
		marker = "-- "
		if first := firstOfQuery(string(text), line); first > 0 {
			starts = slices.Insert(starts, 0, first)
		}
	}
	comment := marker + mark + " " + rule + ": " + Placeholder
	for _, l := range starts {
		under := lines[l-1]
		in = Insertion{l, string(under[:len(under)-len(bytes.TrimLeft(under, " \t"))]) + comment}
		if in.holds(lines, isGo, rule, line) {
			return in, true
		}
	}
	return Insertion{}, false
}

// holds reports whether the comment, put into the file, covers what was on the line.
func (in Insertion) holds(lines [][]byte, isGo bool, rule string, line int) bool {
	changed := slices.Insert(slices.Clone(lines), in.Line-1, []byte(in.Text+"\n"))
	return slices.ContainsFunc(Collect("", bytes.Join(changed, nil), isGo), func(d Directive) bool {
		return d.Location.Line == in.Line && d.To != 0 && slices.Equal(d.Rules, []string{rule}) && d.covers(line+1)
	})
}

// firstOfQuery is the first line of the query that a line of SQL is in, 0 where it is in
// none.
func firstOfQuery(text string, line int) int {
	lines := pgast.NewLines(text)
	for _, p := range pgast.Split(text) {
		first, _ := lines.LineCol(p.Start)
		last, _ := lines.LineCol(max(p.Start, p.End-1))
		if first <= line && line <= last && isQuery(text[p.Start:p.End]) {
			return first
		}
	}
	return 0
}

// written matches what programs write above SQL that they made.
var written = regexp.MustCompile(`(?im)^\s*(?:--|/\*).*(?:PostgreSQL database (?:cluster )?dump|Dumped by pg_dump|DO NOT (?:EDIT|MODIFY)|@generated|auto-?generated)`)

// Generated reports whether a program writes the file: a comment in it would be gone
// with the next run.
func Generated(text []byte, isGo bool) bool {
	if isGo {
		f, _ := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly|parser.ParseComments)
		return f != nil && ast.IsGenerated(f)
	}
	return written.Match(text[:min(len(text), 2048)])
}
