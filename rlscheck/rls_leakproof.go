package rlscheck

import (
	"fmt"

	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var leakproof = &rules.Rule{
	Name:     "rls-leakproof",
	Summary:  "under row level security, an operator that is not leakproof cannot use its index",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Warning, Certainty: rules.Certain,
	Page: page("rls_leakproof"),
}

// leakproof reports quals of statements that have an index which their role cannot
// use. It is certain when nothing else leads to the rows.
func (c *checker) leakproof() {
	for _, w := range c.workload {
		if w.Stmt == nil || w.Role == "" {
			continue
		}
		a := predicate.Analyze(c.cat, w.Stmt, predicate.Options{
			Role: w.Role, RoleKnown: true, Policies: true, SearchPath: w.SearchPath, Variables: w.Variables, Sizes: c.sizes,
		})
		for _, b := range a.Blocks {
			for _, rel := range b.Rels {
				if rel.Relation == nil || rel.Small {
					continue
				}
				seen := map[string]bool{}
				for _, l := range rel.Leaks {
					key := fmt.Sprint(l.Index.Name, l.Conjunct.Pos)
					if !seen[key] && !narrowed(rel) {
						c.leak(w, rel, l)
					}
					seen[key] = true
				}
			}
		}
	}
}

// narrowed reports whether a qual of the statement's own leads to few rows.
func narrowed(rel *predicate.Rel) bool {
	if rel.Path == nil {
		return false
	}
	for _, u := range rel.Path.Used {
		if !u.FromPolicy && u.Selects > predicate.No {
			return true
		}
	}
	return false
}

func (c *checker) leak(w Workload, rel *predicate.Rel, l predicate.Leak) {
	t := rel.Relation
	pos := l.Conjunct.Pos
	if pos < 0 {
		pos = rel.Pos
	}
	query := w.Query
	query.Role = w.Role
	f := rules.Finding{
		Rule: leakproof.Name, Severity: leakproof.Severity, Certainty: leakproof.Certainty,
		Location: w.Locate(pos), Query: &query,
		Object:  rules.Object{Schema: t.Schema, Table: t.Name.Name, Columns: l.Conjunct.Columns, Index: l.Index.Name, Role: w.Role},
		Verdict: rules.Verdict{Status: rules.NotRun},
		Related: []rules.Related{{Location: location(l.Index.Location), Message: "index " + l.Index.Name + " is defined here"}},
		Message: fmt.Sprintf("%s cannot use %s: %s is not leakproof, and the policies of %s come first; all rows that they let through are read",
			w.Role, l.Index.Name, l.Function, t.Name.Short()),
		Fix: &rules.Fix{Note: "search in a security definer function that checks the caller itself, or add a column that = or < on a " +
			"leakproof type (text, uuid, integers, timestamps) can narrow by, with the policy's column leading its index"},
		Probe: &rules.Probe{
			Kind: rules.ProbeStatement, SQL: w.Query.Text, Role: w.Role, Schema: t.Schema, Table: t.Name.Name, Alias: rel.Alias,
			Columns: l.Conjunct.Columns,
		},
	}
	if l.Index.Location.Path == "" {
		f.Related = nil
	}
	if w.Dynamic {
		f.Certainty, f.Severity = rules.Possible, rules.Info
	}
	c.findings = append(c.findings, f)
}
