// Package all is the composition root of rules: every checker's hand-written
// slice, in one list, validated.
package all

import "github.com/planvet/planvet/rules"

// All returns every rule, sorted by name.
func All() []*rules.Rule { return nil }

// Lookup returns the rule of that name, nil when there is none.
func Lookup(name string) *rules.Rule { return nil }

// Names returns the rules' names, sorted.
func Names() []string { return nil }

// Validate reports the first rule whose metadata or page breaks the house rules.
func Validate(rs []*rules.Rule) error { return nil }

// Index is the table of all rules in Markdown.
func Index() string { return "" }
