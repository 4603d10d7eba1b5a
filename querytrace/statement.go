package querytrace

import (
	"fmt"
	"strings"
	"testing"
)

// Statement is one statement that was sent.
type Statement struct {
	// SQL is what was sent, of a COPY by protocol what says the same. Text is on one line,
	// without comments and with $n for literals.
	SQL, Text string
	// Fingerprint is equal for statements that differ in literals, parameters, comments,
	// white space and lengths of lists alone.
	Fingerprint string
	// Stack is who sent it: the frames outside drivers, the standard library and this
	// package, the nearest first.
	Stack []Frame
	// Rows is how many rows it returned or wrote, -1 where its result was not read to the
	// end.
	Rows int64
	// Batch counts the batches from 1; 0 for a statement that was sent by itself.
	Batch int
	Err   error
}

// Caller is the nearest frame of Stack.
func (s Statement) Caller() Frame {
	if len(s.Stack) == 0 {
		return Frame{}
	}
	return s.Stack[0]
}

// Statements returns what was recorded, in the order in which it was sent.
func (r *Recorder) Statements() []Statement {
	var out []Statement
	batches := map[*call]int{}
	for _, c := range r.snapshot() {
		if c.size > 0 {
			batches[c] = len(batches) + 1
			continue
		}
		shape := shapeOf(c.sql, c.named)
		s := Statement{SQL: c.sql, Text: shape.text, Fingerprint: shape.fingerprint, Stack: callers(c.stack, c.skip), Batch: batches[c.batch]}
		s.Rows, s.Err = c.outcome()
		out = append(out, s)
	}
	return out
}

// RoundTrips is how often something was sent and waited for: a batch counts once.
// Commands that begin and end transactions count; preparing a statement does not.
func (r *Recorder) RoundTrips() int {
	n := 0
	for _, c := range r.snapshot() {
		if c.batch == nil {
			n++
		}
	}
	return n
}

// Max fails the test where more than limit round trips were recorded, and lists them.
// Where rec.Items is set and no more than limit, it fails too: n items that cause n
// statements would pass.
func Max(t testing.TB, rec *Recorder, limit int) {
	t.Helper()
	if rec.Items > 0 && rec.Items <= limit {
		t.Errorf("querytrace: a bound of %d says nothing of %d items: one statement an item would pass; the fixture needs more than %d", limit, rec.Items, limit)
	}
	if n := rec.RoundTrips(); n > limit {
		t.Errorf("querytrace: %d round trips, at most %d are allowed\n%s", n, limit, rec.Report())
	}
}

// Report is a text on what was recorded: a line for each statement and caller, in the
// order of their first calls, with calls and rows.
func (r *Recorder) Report() string {
	groups := group([]*Recorder{r}, false)
	var b strings.Builder
	statements := len(r.Statements())
	fmt.Fprintf(&b, "%s in %s\n", count(statements, "statement"), count(r.RoundTrips(), "round trip"))
	for _, g := range groups {
		for _, s := range g.sites {
			fmt.Fprintf(&b, "%6s  %s\n        at %s", times(s.calls[0]), clip(g.shown), s.frame())
			if rows := s.rows[0]; g.returns && rows >= 0 {
				fmt.Fprintf(&b, ", %s", count(int(rows), "row"))
			}
			if s.errors[0] > 0 {
				fmt.Fprintf(&b, ", %s", count(int(s.errors[0]), "error"))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func times(n float64) string { return fmt.Sprintf("%d ×", int(n)) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clip keeps a text of many columns readable.
func clip(s string) string {
	const most = 200
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
