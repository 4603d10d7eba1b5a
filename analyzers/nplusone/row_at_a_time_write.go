package nplusone

import (
	_ "embed"
	"strings"

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
