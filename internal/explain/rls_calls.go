package explain

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// How often a policy's call is evaluated.
const (
	Once    = "once"
	PerRow  = "per row"
	InIndex = "index"
)

// policyCost tells of one policy where an enforced plan evaluates its calls.
func policyCost(cat *catalog.Catalog, ap applied, p *plan.Plan) PolicyCost {
	c := PolicyCost{
		Table: ap.rel.Name.Short(), Policy: ap.policy.Name, Using: ap.policy.Using,
		ForEverybody: slices.Contains(ap.policy.Roles, "public") || len(ap.policy.Roles) == 0,
	}
	e, err := pgast.ParseExpr(ap.policy.Using)
	if err != nil || !ap.policy.HasUsing {
		return c
	}
	found := places(p, ap.rel)
	for _, call := range calls(cat, e) {
		if slices.ContainsFunc(c.Functions, func(f PolicyCall) bool { return f.Function == call.text }) {
			continue
		}
		if how, n := found.evaluated(call); how != "" {
			c.Functions = append(c.Functions, PolicyCall{Function: call.text, Evaluated: how, Calls: n})
		}
	}
	return c
}

// call is a call in a policy that may cost something.
type call struct {
	text string
	// patterns find it in a plan: by its own name, and by what the planner puts in the
	// place of a function in SQL.
	patterns []*regexp.Regexp
	// wrapped is set for a call in a subselect without FROM.
	wrapped bool
}

// calls lists the calls of the schema's and the platform's functions in a policy,
// and those of current_setting. PostgreSQL's other functions cost next to nothing.
func calls(cat *catalog.Catalog, e pgast.Expr) []call {
	var out []call
	var visit func(n pgast.Node, wrapped bool)
	visit = func(n pgast.Node, wrapped bool) {
		pgast.Walk(n, func(n pgast.Node) bool {
			switch n := n.(type) {
			case *pgast.SubLink:
				if q, ok := n.Query.(*pgast.Select); ok && len(q.From) == 0 && n.Kind != pgast.SubExists {
					visit(q, sessionOnly(q))
					if n.Test != nil {
						visit(n.Test, wrapped)
					}
					return false
				}
			case *pgast.FuncCall:
				if ps := patterns(cat, n, 0); len(ps) > 0 {
					out = append(out, call{text: strings.TrimPrefix(pgast.Format(n), "public."), patterns: ps, wrapped: wrapped})
				}
			}
			return true
		})
	}
	visit(e, false)
	return out
}

// patterns are what a call looks like in a plan, none for a call that is not worth
// a word.
func patterns(cat *catalog.Catalog, n *pgast.FuncCall, depth int) []*regexp.Regexp {
	name, schema := n.Name[len(n.Name)-1], ""
	if len(n.Name) > 1 {
		schema = n.Name[len(n.Name)-2]
	}
	if name == "current_setting" {
		return []*regexp.Regexp{settingPattern(n)}
	}
	fs := cat.ResolveFunctions(schema, name, nil)
	if len(fs) == 0 && schema != "auth" || depth > maxInline {
		return nil
	}
	out := []*regexp.Regexp{regexp.MustCompile(`(^|[^\w$"])("?[\w$]+"?\.)?"?` + regexp.QuoteMeta(name) + `"?\(`)}
	for _, f := range fs {
		if !strings.EqualFold(f.Language, "sql") || f.SecurityDefiner || f.HasSearchPath {
			continue // it is never put in line
		}
		for _, st := range pgast.ParseFile(f.Body) {
			if q, ok := st.Stmt.(*pgast.Select); ok && len(q.From) == 0 {
				pgast.Walk(q, func(n pgast.Node) bool {
					if inner, ok := n.(*pgast.FuncCall); ok {
						out = append(out, patterns(cat, inner, depth+1)...)
					}
					return true
				})
			}
		}
	}
	if len(fs) == 0 {
		out = append(out, regexp.MustCompile(`current_setting\('request\.jwt\.`))
	}
	return out
}

func settingPattern(n *pgast.FuncCall) *regexp.Regexp {
	if len(n.Args) > 0 {
		if c, ok := n.Args[0].(*pgast.Const); ok {
			return regexp.MustCompile(`current_setting\(` + regexp.QuoteMeta(literal(c.Text)))
		}
		if c, ok := n.Args[0].(*pgast.Cast); ok {
			if c, ok := c.Arg.(*pgast.Const); ok {
				return regexp.MustCompile(`current_setting\(` + regexp.QuoteMeta(literal(c.Text)))
			}
		}
	}
	return regexp.MustCompile(`current_setting\(`)
}

// place is a text of a plan with how often it is evaluated. least is how often its later
// conjuncts are at least: rows that the first ones remove never come to them.
type place struct {
	text     string
	n, least float64
}

// calls are how often what a pattern finds in the text is evaluated; found tells
// whether it is there.
func (p place) calls(pattern *regexp.Regexp) (n float64, found bool) {
	if p.text == "" || !pattern.MatchString(p.text) {
		return 0, false
	}
	if cs := plan.Conjuncts(p.text); len(cs) > 0 && !pattern.MatchString(cs[0]) {
		return p.least, true
	}
	return p.n, true
}

// planPlaces are where a plan can evaluate what a table's policies call.
type planPlaces struct {
	rows, index, once []place
}

// places reads them from the scans of the table, and from all subplans and initplans.
func places(p *plan.Plan, rel *catalog.Relation) *planPlaces {
	out := &planPlaces{}
	ours := map[*plan.Node]bool{}
	for _, s := range p.Accesses(rel.Schema, rel.Name.Name, "") {
		ours[s.Node] = true
	}
	parted := rel.Kind == catalog.PartitionedTable
	var visit func(n *plan.Node, inInit, inSub, inOurs bool)
	visit = func(n *plan.Node, inInit, inSub, inOurs bool) {
		switch n.Relationship {
		case "InitPlan":
			inInit, inSub = true, false
		case "SubPlan":
			inSub = true
		}
		inOurs = ours[n] || inOurs && n.Relationship == "Outer" || parted && n.Relation != ""
		loops := max(n.Loops, 1)
		read := place{n.Filter, (n.Rows + n.Removed) * loops, n.Rows * loops}
		scan := place{n.IndexCond, loops, loops}
		switch {
		case inOurs || inSub || inInit && n.Relation != "":
			out.rows, out.index = append(out.rows, read), append(out.index, scan)
		case inInit:
			out.once = append(out.once, place{n.Filter, n.Loops, n.Loops})
		}
		if n.OneTime != "" {
			out.once = append(out.once, place{n.OneTime, n.Loops, n.Loops})
		}
		if text := strings.Join(n.Output, ", "); inInit && n.Relation == "" {
			out.once = append(out.once, place{text, n.Loops, n.Loops})
		} else if inSub && n.Relation == "" {
			out.rows = append(out.rows, place{text, n.Rows * n.Loops, n.Rows * n.Loops})
		}
		if n.JoinCond != "" {
			out.rows = append(out.rows, place{n.JoinCond, (n.Rows + n.RemovedJoin) * loops, n.Rows * loops})
		}
		for _, c := range n.Children {
			visit(c, inInit, inSub, inOurs)
		}
	}
	visit(p.Root, false, false, false)
	return out
}

// evaluated tells how a plan evaluates a call: a wrapped one is looked for among
// initplans first, a bare one among filters, so that the same function in two
// policies is not mixed up. "" is nowhere: folded, or never planned.
func (pp *planPlaces) evaluated(c call) (how string, n float64) {
	kinds := []struct {
		how    string
		places []place
	}{{PerRow, pp.rows}, {InIndex, pp.index}, {Once, pp.once}}
	if c.wrapped {
		kinds[0], kinds[2] = kinds[2], kinds[0]
	}
	for _, pattern := range c.patterns {
		for _, k := range kinds {
			n, found := 0.0, false
			for _, p := range k.places {
				if calls, here := p.calls(pattern); here {
					n, found = n+calls, true
				}
			}
			if found {
				return k.how, n
			}
		}
	}
	return "", 0
}
