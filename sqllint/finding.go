package sqllint

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

// start begins a finding about one relation of one statement.
func (p *pass) start(rule *rules.Rule, s *Statement, rel *predicate.Rel, columns []string, pos int, certain bool) rules.Finding {
	t := rel.Relation
	f := rules.Finding{
		Rule: rule.Name, Severity: rule.Severity, Certainty: rules.Certain,
		Location: s.Locate(pos),
		Object:   rules.Object{Schema: t.Schema, Table: t.Name.Name, Columns: columns},
		Query:    s.Query(),
		Related:  created(t),
		Probe: &rules.Probe{
			Kind: rules.ProbeStatement, SQL: s.Text, Role: s.Role,
			Alone: rel.Alone(), Schema: t.Schema, Table: t.Name.Name, Alias: rel.Alias, Columns: columns,
		},
	}
	if !certain || s.Dynamic {
		f.Certainty, f.Severity = rules.Possible, rules.Info
	}
	return f
}

// created points at the table's definition.
func created(t *catalog.Relation) []rules.Related {
	if t.Location.Path == "" {
		return nil
	}
	return []rules.Related{{Location: location(t.Location), Message: t.Name.Name + " is defined here"}}
}

func location(l catalog.Location) rules.Location {
	return rules.Location{Path: l.Path, Line: l.Line, Column: l.Column}
}

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

// size says how many rows a relation has, and how we know.
func size(rows int64, source string) string {
	n := thousands(rows)
	switch source {
	case "default", "":
		return n + " assumed rows"
	case "profile":
		return n + " rows by the profile"
	}
	return n + " rows by " + source
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// subject says what has no index.
func subject(n catalog.Name, g *predicate.Gap) string {
	c := g.Conjuncts[0]
	switch {
	case g.Advice != "":
		return "no index serves " + columns(n, g.Columns) + " as it is compared"
	case g.Arm > 0:
		return fmt.Sprintf("%s has no index for arm %d of the or", columns(n, g.Columns), g.Arm)
	case c.KeyExpr != "" && len(g.Conjuncts) == 1:
		return fmt.Sprintf("%s has no index on %s", table(n), c.KeyExpr)
	case c.Pattern == predicate.InfixPattern || c.Pattern == predicate.UnknownPattern:
		return columns(n, g.Columns) + " has no trigram index"
	case len(g.Columns) > 1:
		return table(n) + " has no index on " + strings.Join(g.Columns, ", ")
	}
	return columns(n, g.Columns) + " has no index"
}
