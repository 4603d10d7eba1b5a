package all

import (
	"slices"

	"github.com/planvet/planvet/rules"
)

// Group is a set of rules that config and flags switch together.
type Group struct {
	// Name is one kebab-case word, and no rule's.
	Name string
	// Summary is one line, lower case, without a full stop.
	Summary string
}

// Everything stands for all rules where a group may stand.
const Everything = "all"

// groups are sorted by name.
var groups = []Group{
	{"indexes", "statements and foreign keys without an access path"},
	{"loops", "statements that are sent for each element"},
	{"pooling", "what breaks where a pooler shares server connections"},
	{"rls", "what row level security makes slow, or leaves open"},
	{"suppressions", "comments that keep findings from being reported"},
}

// Groups returns the groups, sorted by name.
func Groups() []Group { return slices.Clone(groups) }

// GroupNames returns the groups' names, sorted, with Everything.
func GroupNames() []string {
	out := []string{Everything}
	for _, g := range groups {
		out = append(out, g.Name)
	}
	return out
}

// Expand returns the names of the rules that names of rules and groups stand for, sorted.
// A name that is neither stands for nothing.
func Expand(names []string) []string {
	var out []string
	for _, r := range All() {
		if slices.ContainsFunc(names, func(n string) bool { return Covers(n, r) }) {
			out = append(out, r.Name)
		}
	}
	return out
}

// Covers reports whether a name is the rule's, its group's, or Everything.
func Covers(name string, r *rules.Rule) bool {
	return name == r.Name || name == r.Group || name == Everything
}
