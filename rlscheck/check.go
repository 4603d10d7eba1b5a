package rlscheck

import (
	"embed"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

// Options switch rules.
type Options struct {
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Sizes overrides the catalog's statistics; nil means those, and the default
	// profile where there are none.
	Sizes catalog.Sizes
}

// Workload is one statement whose role is known.
type Workload struct {
	Stmt pgast.Stmt
	// Role is the role that it runs as; "" is the owner.
	Role string
	// Query is the statement as findings show it.
	Query rules.Query
	// Locate returns the place of an offset in Query.Text.
	Locate func(int) rules.Location
	// SearchPath resolves unqualified names; nil means the catalog's.
	SearchPath []string
	// Variables are names that are parameters though they look like columns.
	Variables map[string]bool
	// Dynamic is set when a part of the text is guessed: findings are possible.
	Dynamic bool
}

//go:embed *.md
var pages embed.FS

func page(stem string) string {
	text, err := pages.ReadFile(stem + ".md")
	if err != nil {
		panic(err) // the page is compiled in
	}
	return string(text)
}

// Rules are this package's rules, sorted by name.
var Rules = []*rules.Rule{
	disabledWithPolicies, enabledNoPolicy, initplan, leakproof, rowFunction, unindexedPredicate,
}

// checker is one run over a catalog.
type checker struct {
	cat      *catalog.Catalog
	sizes    catalog.Sizes
	fns      *functions
	workload []Workload
	// states, wanted, numbers and lacking remember what was worked out.
	states  map[string]*state
	wanted  map[*catalog.Policy][]predicate.Key
	numbers map[*catalog.Policy]int
	lacking map[place]bool
	// sets are the policies whose fix turns x IN (SELECT …) into = ANY (ARRAY(…)).
	sets     map[*catalog.Policy]bool
	findings []rules.Finding
}

// Check judges the policies of a catalog, and the statements of a workload under
// them. Findings are sorted; their IDs and verdicts are left to the caller.
func Check(cat *catalog.Catalog, workload []Workload, o Options) []rules.Finding {
	c := newChecker(cat, workload, o)
	on := func(r *rules.Rule) bool { return o.Enabled == nil || o.Enabled(r.Name) }
	// Unindexed predicates come first: they settle which policies are rewritten, and
	// a policy's findings must not undo each other's fixes.
	for _, run := range []struct {
		rule  *rules.Rule
		check func(*checker)
	}{
		{unindexedPredicate, (*checker).unindexedPredicate},
		{initplan, (*checker).initplan},
		{rowFunction, (*checker).rowFunction},
		{leakproof, (*checker).leakproof},
		{disabledWithPolicies, (*checker).disabledWithPolicies},
		{enabledNoPolicy, (*checker).enabledNoPolicy},
	} {
		if on(run.rule) {
			run.check(c)
		}
	}
	rules.Sort(c.findings)
	return c.findings
}

func newChecker(cat *catalog.Catalog, workload []Workload, o Options) *checker {
	c := &checker{
		cat: cat, sizes: o.Sizes, fns: newFunctions(cat), workload: workload, states: map[string]*state{},
		wanted: map[*catalog.Policy][]predicate.Key{}, numbers: map[*catalog.Policy]int{}, lacking: map[place]bool{},
		sets: map[*catalog.Policy]bool{},
	}
	if c.sizes == nil {
		c.sizes = cat.Stats
	}
	if c.sizes == nil {
		var stmts []pgast.Stmt
		for _, w := range workload {
			if w.Stmt != nil {
				stmts = append(stmts, w.Stmt)
			}
		}
		c.sizes = predicate.DefaultSizes(cat, stmts)
	}
	return c
}

// policies hands on each policy that filters scans of a table whose row level
// security is on.
func (c *checker) policies(visit func(*catalog.Relation, *catalog.Policy)) {
	for _, r := range c.cat.Relations() {
		if r.Stub || !r.RLSEnabled || !r.IsTable() {
			continue
		}
		for _, p := range r.Policies {
			if !p.Platform && p.HasUsing && len(c.uses(r, p)) > 0 {
				visit(r, p)
			}
		}
	}
}

// start begins a finding at a policy's last definition.
func start(rule *rules.Rule, r *catalog.Relation, p *catalog.Policy, uses []use) rules.Finding {
	at := p.Location
	if p.UsingLocation.Path != "" {
		at = p.UsingLocation
	}
	f := rules.Finding{
		Rule: rule.Name, Severity: rule.Severity, Certainty: rule.Certainty,
		Location: location(at), Object: rules.Object{Schema: r.Schema, Table: r.Name.Name, Policy: p.Name},
		Verdict: rules.Verdict{Status: rules.NotRun},
		Probe: &rules.Probe{Kind: rules.ProbePolicy, Schema: r.Schema, Table: r.Name.Name, Policy: p.Name,
			Roles: p.Roles, Command: "select"},
	}
	if len(uses) > 0 {
		f.Probe.Command = uses[0].command
	}
	if r.Location.Path != "" {
		f.Related = []rules.Related{{Location: location(r.Location), Message: r.Name.Name + " is defined here"}}
	}
	return f
}

func location(l catalog.Location) rules.Location {
	return rules.Location{Path: l.Path, Line: l.Line, Column: l.Column}
}
