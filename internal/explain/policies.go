package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/predicate"
)

var policyCallPerRow = heuristic{
	Name:     "policy-call-per-row",
	Fires:    fmt.Sprintf("a function that a policy calls is evaluated for each row, %d times or more: its text, or what it was put in line to, stands in a filter and not in an InitPlan", policyCalls),
	Source:   "ours; the forms are those of PostgreSQL 15 and 18",
	Severity: "warning, critical from half of the query",
	Advice:   "write (select f()) in the policy: it is computed once",
	Needs:    "the policies that bind the role",
	find: func(d *diagnosis) {
		for _, rel := range d.guarded() {
			var seen []*catalog.Policy
			for _, q := range predicate.PolicyQuals(d.facts.Catalog, rel, "select", d.facts.Role) {
				for _, p := range q.Policies {
					if !slices.Contains(seen, p) {
						seen = append(seen, p)
						d.policyCalls(rel, p)
					}
				}
			}
		}
	},
}

// guarded are the tables of the plan that have row security, a partition's by its
// topmost table.
func (d *diagnosis) guarded() []*catalog.Relation {
	var out []*catalog.Relation
	if d.facts.Catalog == nil {
		return nil
	}
	for _, n := range d.nodes {
		r := d.facts.relation(n)
		if t := d.facts.table(n); t != nil && t.Root != "" {
			schema, table, _ := strings.Cut(t.Root, ".")
			r = d.facts.Catalog.Relation(schema, table)
		}
		if r != nil && r.RLSEnabled && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

func (d *diagnosis) policyCalls(rel *catalog.Relation, p *catalog.Policy) {
	var functions []string
	calls, ofRow := 0.0, false
	for _, c := range policyCost(d.facts.Catalog, applied{rel, p}, d.plan).Functions {
		if c.Evaluated == PerRow && c.Calls >= policyCalls {
			functions, calls = append(functions, c.Function), max(calls, c.Calls)
			ofRow = ofRow || takesColumn(c.Function)
		}
	}
	n := d.heaviest(rel)
	if len(functions) == 0 || n == nil {
		return
	}
	f := finding{severity: Warning, share: d.steps[n].Share,
		message: fmt.Sprintf("policy %q of %s calls %s for each of %s rows", p.Name, rel.Name.Short(), list(functions), num(calls))}
	f.advice = fmt.Sprintf("write (select %s) in the policy: it is computed once; and name the roles it is for by TO", functions[0])
	if ofRow {
		f.advice = "turn the policy round, so that the function gives all that the caller may see, once: column in (select allowed()); and name the roles it is for by TO"
	}
	if f.share >= 0.5 {
		f.severity = Critical
	}
	d.report(n, f)
}

// takesColumn reports whether a call depends on the row.
func takesColumn(call string) bool {
	e, err := pgast.ParseExpr(call)
	if err != nil {
		return false
	}
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		_, column := n.(*pgast.ColumnRef)
		found = found || column
		return true
	})
	return found
}

// heaviest is the scan of a table, or of its partitions, that checks a filter and
// takes most.
func (d *diagnosis) heaviest(rel *catalog.Relation) *plan.Node {
	var out *plan.Node
	for _, n := range d.nodes {
		t := d.facts.table(n)
		ours := n.Relation == rel.Name.Name && n.Schema == rel.Schema || t != nil && t.Root == rel.Name.String()
		if ours && n.Filter != "" && strings.HasSuffix(n.Type, "Scan") && (out == nil || d.steps[n].Share > d.steps[out].Share) {
			out = n
		}
	}
	return out
}

var leakproofDemotion = heuristic{
	Name:     "leakproof-demotion",
	Fires:    fmt.Sprintf("a condition of the statement that an index would serve is checked after the policies, %d rows or more thrown away, because its operator is not leakproof", residueRows),
	Source:   "joe's rows",
	Severity: "warning, critical from half of the query",
	Advice:   "search in a security definer function that checks the caller itself",
	Needs:    "the policies that bind the role, and the indexes",
	find: func(d *diagnosis) {
		if d.facts.Catalog == nil || d.facts.SQL == "" {
			return
		}
		for _, dem := range Demotions(d.facts.Catalog, d.facts.SQL, d.facts.Role, d.plan) {
			schema, table, ok := strings.Cut(dem.Table, ".")
			if !ok {
				schema, table = "public", dem.Table
			}
			rel := d.facts.Catalog.Relation(schema, table)
			if rel == nil {
				continue
			}
			n := d.heaviest(rel)
			if n == nil || d.plan.Analyzed() && n.AllRemoved() < residueRows {
				continue
			}
			f := finding{severity: Warning, share: d.below(n), advice: dem.Advice, message: fmt.Sprintf(
				"%s cannot use %s for %s: %s is not leakproof, so that the policies of %s come first", dem.Condition, dem.Index, d.facts.Role, dem.Operator, dem.Table)}
			if f.share >= 0.5 {
				f.severity = Critical
			}
			d.report(n, f)
		}
	},
}
