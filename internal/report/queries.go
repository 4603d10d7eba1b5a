package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Queries is what planvet queries prints.
type Queries struct {
	Queries              []Query
	Unresolved, Unparsed []Problem
}

// Query is one statement, and how it was found.
type Query struct {
	Location rules.Location `json:"location"`
	// Source is go, sql, function, view or statements.
	Source string `json:"source"`
	Symbol string `json:"symbol,omitempty"`
	Call   string `json:"call,omitempty"`
	// ResolvedBy is one of queries.schema.json's words.
	ResolvedBy  string `json:"resolved_by,omitempty"`
	Text        string `json:"text"`
	Fingerprint string `json:"fingerprint"`
	Role        string `json:"role,omitempty"`
	InLoop      bool   `json:"in_loop"`
}

type jsonQueries struct {
	SchemaVersion string       `json:"schema_version"`
	Queries       []Query      `json:"queries"`
	Unresolved    []jsonReason `json:"unresolved"`
	Unparsed      []jsonError  `json:"unparsed"`
}

func (q *Queries) sorted() []Query {
	out := make([]Query, len(q.Queries))
	copy(out, q.Queries)
	for i := range out {
		out[i].Location = valid(out[i].Location)
	}
	slices.SortStableFunc(out, func(a, b Query) int {
		return compareLocations(a.Location, b.Location, a.Text, b.Text)
	})
	return out
}

// QueriesJSON writes statements by queries.schema.json, sorted by place.
func QueriesJSON(w io.Writer, q *Queries) error {
	return WriteJSON(w, jsonQueries{schemaVersion, q.sorted(), jsonReasons(q.Unresolved), jsonErrors(q.Unparsed)})
}

// QueriesText writes statements for people: the place and how it was found, then
// the text, indented.
func QueriesText(w io.Writer, q *Queries, o TextOptions) error {
	t := NewPrinter(w, o)
	for _, e := range q.sorted() {
		how := []string{e.Source}
		if e.ResolvedBy != "" && e.ResolvedBy != "constant" {
			how = append(how, e.ResolvedBy)
		}
		if e.Role != "" {
			how = append(how, "as "+e.Role)
		}
		if e.InLoop {
			how = append(how, "in a loop")
		}
		t.Paint(Bold, placeOf(e.Location)+":")
		t.Printf(" %s (%s)\n", Printable(orDash(e.Symbol)), Printable(strings.Join(how, ", ")))
		for line := range strings.SplitSeq(dedent(e.Text), "\n") {
			t.Printf("    %s\n", cut(Printable(line)))
		}
	}
	t.problems("unresolved", q.Unresolved)
	t.problems("unparsed", q.Unparsed)
	t.Printf("%s, %s, %s\n", Plural(len(q.Queries), "statement"), Plural(len(q.Unresolved), "unresolved call"),
		Plural(len(q.Unparsed), "unparsed piece"))
	return t.err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// dedent takes blank edges and the common indentation off a text.
func dedent(s string) string {
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(s), "\r", ""), "\n")
	indent := -1
	for _, l := range lines[1:] {
		if n := len(l) - len(strings.TrimLeft(l, " \t")); strings.TrimSpace(l) != "" && (indent < 0 || n < indent) {
			indent = n
		}
	}
	for i, l := range lines {
		if i > 0 {
			lines[i] = strings.TrimRight(l[min(max(indent, 0), len(l)):], " \t")
		}
	}
	return strings.Join(lines, "\n")
}

func placeOf(l rules.Location) string {
	if l.Column > 0 {
		return fmt.Sprintf("%s:%d:%d", l.Path, l.Line, l.Column)
	}
	return fmt.Sprintf("%s:%d", l.Path, l.Line)
}
