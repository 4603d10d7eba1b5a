package rlscheck

import (
	"fmt"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

var enabledNoPolicy = &rules.Rule{
	Name:     "rls-enabled-no-policy",
	Summary:  "row level security is on, and no policy lets anyone in",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Info, Certainty: rules.Certain,
	Page: page("rls_enabled_no_policy"),
}

// enabledNoPolicy reports tables that only their owner and roles that bypass row
// level security can read. A partition is read by way of its parent.
func (c *checker) enabledNoPolicy() {
	for _, r := range c.cat.Relations() {
		if r.Stub || r.Platform || !r.RLSEnabled || !r.IsTable() || len(r.Policies) > 0 || r.PartitionOf != (catalog.Name{}) {
			continue
		}
		f := start(enabledNoPolicy, r, &catalog.Policy{Location: r.RLSLocation}, nil)
		if r.RLSLocation.Path == "" {
			f.Location = location(r.Location)
		}
		f.Message = fmt.Sprintf("%s has row level security on and no policy; no role but its owner sees a row", r.Name.Short())
		f.Fix = &rules.Fix{Note: "add a policy for the roles that are to see rows; if none is, say so with an ignore comment"}
		f.Probe = fact(r, "the server has row level security on and no policy on "+r.Name.Short(),
			"c.relrowsecurity and not exists (select 1 from pg_policy p where p.polrelid = c.oid)")
		c.findings = append(c.findings, f)
	}
}
