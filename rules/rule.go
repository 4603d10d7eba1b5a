package rules

import "fmt"

// Severity says how bad a finding is where it is right.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Rank orders severities: 3 for error, 2 for warning, 1 for info, 0 otherwise.
func (s Severity) Rank() int {
	switch s {
	case Error:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// ParseSeverity reads a severity as users write it in flags and config.
func ParseSeverity(s string) (Severity, error) {
	if v := Severity(s); v.Rank() > 0 {
		return v, nil
	}
	return "", fmt.Errorf("unknown severity %q: use error, warning or info", s)
}

// Certainty says how sure the static half is. Only certain findings fail a run.
type Certainty string

// The two certainties.
const (
	Certain  Certainty = "certain"
	Possible Certainty = "possible"
)

// Rule is the metadata of one rule. Its page has the same stem as its code.
type Rule struct {
	// Name is the kebab-case identifier, used in output, config and suppressions.
	Name string
	// Summary is one line, lower case, without a full stop.
	Summary string
	// Package is the checker that owns the rule, e.g. "sqllint".
	Package string
	// Group is the name of the rules that are switched together, e.g. "indexes".
	Group string
	// Severity is what a finding has unless the rule decides otherwise.
	Severity Severity
	// Certainty is what a finding has unless the rule decides otherwise.
	Certainty Certainty
	// Off is set for rules that run only when config asks for them.
	Off bool
	// Page is the rule's Markdown page, embedded by the owning package.
	Page string
}
