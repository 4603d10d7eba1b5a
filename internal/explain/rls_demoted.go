package explain

import (
	"regexp"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/predicate"
)

// Demotions are the conditions of a statement that an index would serve, were they
// not kept behind the policies of a role: their operator is not leakproof, so that
// it might tell of rows that the role must not see, and the policies are asked
// first. p is the plan as the role; a condition that it has in the index after all
// is not listed. Making an operator leakproof by hand is no advice: it opens the
// rows that the policies guard to whoever can provoke its errors.
func Demotions(cat *catalog.Catalog, sql, role string, p *plan.Plan) []Demotion {
	stmt, err := pgast.Parse(sql)
	if err != nil || role == "" {
		return nil
	}
	an := predicate.Analyze(cat, stmt, predicate.Options{Role: role, RoleKnown: true, Policies: true, Sizes: cat.Stats})
	out := []Demotion{}
	for _, b := range an.Blocks {
		for _, rel := range b.Rels {
			if rel.Relation == nil {
				continue
			}
			for _, l := range rel.Leaks {
				if !filtered(p, rel, l) {
					continue
				}
				d := Demotion{
					Table: rel.Relation.Name.Short(), Condition: conditionText(l.Conjunct.Expr), Operator: l.Function,
					Index: l.Index.Name, Advice: demotionAdvice(rel, l),
				}
				if !slices.Contains(out, d) {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// conditionText is a condition as the statement has it: the analysis has columns of its
// own in it.
func conditionText(e pgast.Expr) string {
	return pgast.Format(pgast.ReplaceExpr(e, func(e pgast.Expr) (pgast.Expr, bool) {
		v, ok := e.(*predicate.Var)
		if !ok {
			return nil, false
		}
		return &pgast.ColumnRef{At: -1, Names: []string{v.Column}}, true
	}))
}

// filtered reports whether a plan checks a condition row by row, and has it in no
// index.
func filtered(p *plan.Plan, rel *predicate.Rel, l predicate.Leak) bool {
	asFilter, asIndex := false, false
	mentions := func(text string) bool {
		return text != "" && slices.ContainsFunc(l.Conjunct.Columns, func(c string) bool {
			return regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(c) + `($|\W)`).MatchString(text)
		})
	}
	p.Walk(func(n *plan.Node) {
		if n.Relation == rel.Relation.Name.Name && (n.Schema == "" || n.Schema == rel.Relation.Schema) || rel.Relation.Kind == catalog.PartitionedTable {
			asFilter = asFilter || mentions(n.Filter)
		}
		asIndex = asIndex || n.Index == l.Index.Name && mentions(n.IndexCond)
	})
	return asFilter && !asIndex
}

// demotionAdvice names what lets the role search by index again, by the kind of the
// search.
func demotionAdvice(rel *predicate.Rel, l predicate.Leak) string {
	table := rel.Relation.Name.Short()
	guard := ""
	for _, c := range rel.Conjuncts {
		if c.FromPolicy && c.Op == "=" && c.Column != "" {
			guard = c.Column
			break
		}
	}
	search := "search in a security definer function that checks the caller itself and returns rows of " + table
	switch l.Conjunct.Op {
	case "~~", "~~*", "!~~", "~", "~*", "%", "@@":
		if guard != "" {
			return search + "; or let the policy's column narrow first: an index that leads with " + guard + ", with the text as a tsvector beside it where tenants are large"
		}
		return search
	case "=", "<", ">", "<=", ">=":
		return "store what is compared in a column of a leakproof type (text, uuid, integers, timestamps) and compare that; or " + search
	}
	if guard != "" {
		return "put what is asked for into a column of its own and compare it by =, with an index on (" + guard + ", that column); or " + search
	}
	return "put what is asked for into a column of its own and compare it by =; or " + search
}
