package rlscheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// table is a relation's name as messages show it.
func table(n catalog.Name) string {
	if n.Schema == "" || n.Schema == "public" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// columns names columns of a table: orders.customer_id, orders (status, created).
func columns(n catalog.Name, cs []string) string {
	if len(cs) == 1 {
		return table(n) + "." + cs[0]
	}
	return table(n) + " (" + strings.Join(cs, ", ") + ")"
}

// quoted is a name as SQL has it.
func quoted(parts ...string) string {
	return pgast.Format(&pgast.ColumnRef{Names: parts})
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// list joins names for a sentence: a, b and c.
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// calls names the functions of calls, each once, in order.
func calls(cs []*call) []string {
	var out []string
	for _, c := range cs {
		if !slices.Contains(out, c.name+"()") {
			out = append(out, c.name+"()")
		}
	}
	return out
}

// size says how many rows a relation has, and how we know.
func size(rows int64, source string) string {
	s := fmt.Sprint(rows)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if source == "default" || source == "" {
		return s + " assumed rows"
	}
	return s + " rows by " + source
}

// who names the roles of a policy.
func who(roles []string) string {
	if len(roles) == 0 || slices.Contains(roles, "public") {
		return "any role"
	}
	return strings.Join(roles, ", ")
}

// verb is what a use of a policy is called.
func verb(uses []use) string {
	if len(uses) == 0 || uses[0].command == "select" {
		return "query"
	}
	return uses[0].command
}
