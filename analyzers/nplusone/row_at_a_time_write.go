package nplusone

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

//go:embed row_at_a_time_write.md
var writePage string

// RowAtATimeWrite is the metadata of row-at-a-time-write: what nplusone is for reads.
var RowAtATimeWrite = &rules.Rule{
	Name:      "row-at-a-time-write",
	Summary:   "a loop writes a row for each element, where one statement could write them all",
	Package:   "analyzers/nplusone",
	Group:     "loops",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      writePage,
}

// claim is what names of functions that take one thing at a time have: a lock, a lease, a
// place in a queue.
var claim = regexp.MustCompile(`(?i)lock|lease|claim|acquire|reserv`)

// claims reports whether a write takes its element, so that nobody else has it: whoever
// takes all at once holds what it does not work on yet.
func (e *event) claims() bool {
	return claim.MatchString(e.chain[len(e.chain)-1])
}

// sameRow reports whether an update or a delete looks for the same rows in each turn, as
// no key comes from the element: it adds to them.
func (e *event) sameRow() bool {
	if e.stmt == nil || e.rest&item != 0 {
		return false
	}
	var where pgast.Expr
	switch s := e.stmt.Stmt.(type) {
	case *pgast.Update:
		if len(s.From) > 0 || s.With != nil {
			return false
		}
		where = s.Where
	case *pgast.Delete:
		if len(s.Using) > 0 || s.With != nil {
			return false
		}
		where = s.Where
	default:
		return false
	}
	keys := false
	for i, o := range e.params {
		keys = keys || o&item != 0 && where != nil && uses(where, []int{i + 1})
	}
	return !keys
}

// records reports whether a turn of a loop also waits for something outside: another
// service, a mail server. What it writes tells then how far it came, element by element.
func (c *checker) records(f *program.Func, l *loop) bool {
	return slices.ContainsFunc(c.sites(f), func(s site) bool {
		inside := slices.ContainsFunc(s.loops, func(a around) bool { return a.loop == l })
		return inside && c.prog.Outside(program.Site{In: s.in, Call: s.call}, c.o.Outside) != ""
	})
}

// built is what a library that builds its texts does at a call, by the names of its type
// and method: insert, update or delete; "" for what reads, or for no such library.
func (e *event) built() string {
	if e.builder == "" {
		return ""
	}
	dot := strings.LastIndexByte(e.call, '.')
	of, method := e.call[:max(dot, 0)], e.call[dot+1:]
	switch {
	case strings.Contains(of, "Insert"), strings.HasPrefix(method, "Create"), method == "Save":
		return "insert"
	case strings.Contains(of, "Update"), strings.HasPrefix(method, "Update"):
		return "update"
	case strings.Contains(of, "Delete"), method == "Delete":
		return "delete"
	}
	return ""
}

// writes reports whether a query changes rows, itself or in a common table expression;
// what a function that it calls does is not known.
func (e *event) writes() bool {
	if e.stmt == nil {
		return e.built() != ""
	}
	found := false
	pgast.Walk(e.stmt.Stmt, func(n pgast.Node) bool {
		switch n.(type) {
		case *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
			found = true
		}
		return !found
	})
	return found
}
