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
	if !certain || s.Dynamic || len(t.ChangedBy) > 0 {
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

// subject says what has no index.
func subject(n catalog.Name, g *predicate.Gap) string {
	c := g.Conjuncts[0]
	switch {
	case g.Advice != "":
		return "no index serves " + n.Of(g.Columns) + " as it is compared"
	case g.Arm > 0:
		return fmt.Sprintf("%s has no index for arm %d of the or", n.Of(g.Columns), g.Arm)
	case c.KeyExpr != "" && len(g.Conjuncts) == 1:
		return fmt.Sprintf("%s has no index on %s", n.Short(), c.KeyExpr)
	case c.Pattern == predicate.InfixPattern || c.Pattern == predicate.UnknownPattern:
		return n.Of(g.Columns) + " has no trigram index"
	case len(g.Columns) > 1:
		return n.Short() + " has no index on " + strings.Join(g.Columns, ", ")
	}
	return n.Of(g.Columns) + " has no index"
}
