// Package all is the composition root of rules: every checker's hand-written
// slice, in one list, validated. internal/suppress stands beside the four checkers,
// since its rules on ignore comments are listed, configured and documented alike.
package all

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rlscheck"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// checkers are the slices of the checkers. migrationscan and analyzers/sqlindex have
// none: what they find is sqllint's to name.
var checkers = [][]*rules.Rule{nplusone.Rules, rlscheck.Rules, sqllint.Rules, suppress.Rules}

// All returns every rule, sorted by name.
func All() []*rules.Rule {
	out := slices.Concat(checkers...)
	slices.SortFunc(out, func(a, b *rules.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Lookup returns the rule of that name, nil when there is none.
func Lookup(name string) *rules.Rule {
	for _, list := range checkers {
		for _, r := range list {
			if r.Name == name {
				return r
			}
		}
	}
	return nil
}

// Names returns the rules' names, sorted.
func Names() []string {
	var out []string
	for _, r := range All() {
		out = append(out, r.Name)
	}
	return out
}
