package rlscheck

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

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
