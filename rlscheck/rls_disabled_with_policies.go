package rlscheck

import (
	"fmt"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

var disabledWithPolicies = &rules.Rule{
	Name:     "rls-disabled-with-policies",
	Summary:  "a table has policies, and row level security is off",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Error, Certainty: rules.Certain,
	Page: page("rls_disabled_with_policies"),
}

// disabledWithPolicies reports tables whose policies protect nothing.
func (c *checker) disabledWithPolicies() {
	for _, r := range c.cat.Relations() {
		if r.Stub || r.Platform || r.RLSEnabled || !r.IsTable() {
			continue
		}
		var first *catalog.Policy
		n := 0
		for _, p := range r.Policies {
			if !p.Platform {
				n++
				if first == nil {
					first = p
				}
			}
		}
		if n == 0 {
			continue
		}
		f := start(disabledWithPolicies, r, first, nil)
		f.Object.Policy = ""
		f.Location = location(first.Location)
		if r.RLSLocation.Path != "" {
			f.Location = location(r.RLSLocation)
			f.Related = append(f.Related, rules.Related{Location: location(first.Location), Message: fmt.Sprintf("policy %q is defined here", first.Name)})
		}
		policies := "1 policy"
		if n > 1 {
			policies = fmt.Sprintf("%d policies", n)
		}
		f.Message = fmt.Sprintf("%s has %s and row level security is off; every role with a grant reads all rows", r.Name.Short(), policies)
		f.Fix = &rules.Fix{SQL: []string{"alter table " + quoted(r.Schema, r.Name.Name) + " enable row level security"}}
		f.Probe = fact(r, "the server has row level security off and policies on "+r.Name.Short(),
			"not c.relrowsecurity and exists (select 1 from pg_policy p where p.polrelid = c.oid)")
		c.findings = append(c.findings, f)
	}
}

// fact asks a server for a condition on the table's row c of pg_class.
func fact(r *catalog.Relation, says, condition string) *rules.Probe {
	return &rules.Probe{
		Kind: rules.ProbeFact, Schema: r.Schema, Table: r.Name.Name,
		Facts: []rules.FactQuery{{
			Says: says,
			SQL: "select " + condition + " from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = " +
				literal(r.Schema) + " and c.relname = " + literal(r.Name.Name),
		}},
	}
}
