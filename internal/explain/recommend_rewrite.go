package explain

import (
	"errors"
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// rewriting is a form of a statement that gives the same rows. change alters a tree in
// place and reports whether there was something to alter; what holds only under a
// condition does not belong here.
type rewriting struct {
	title string
	// why says what makes it the same.
	why string
	// findings are the heuristics whose findings it answers.
	findings []string
	// generic is set where only the plan for every value gains.
	generic bool
	change  func(w *rewriter, tree pgast.Stmt) bool
}

// rewritings are in the order in which they are tried.
var rewritings = []rewriting{
	{"exists in the place of a count", "a count that is compared with 0 asks whether there is a row", []string{"subplan-per-row"}, false, (*rewriter).countToExists},
	{"not exists in the place of not in", "neither side can be NULL", []string{"subplan-per-row"}, false, (*rewriter).notInToNotExists},
	{"no distinct over a key", "the rows have a key among their columns and are distinct already", []string{"sort-spill", "aggregate-spill"}, false, (*rewriter).distinctOverKey},
	{"the column bare, the value cast", "the condition is the same for every finite value of the column", []string{"wrapped-column", "selective-seq-scan"}, false, (*rewriter).bareColumn},
	{"union all in the place of or", "each arm leaves out the rows of those before it", []string{"or-across-columns", "selective-seq-scan"}, false, (*rewriter).orToUnion},
	{"a statement for the filters that are given", "a parameter that is not NULL leaves only the comparison", []string{"or-across-columns", "selective-seq-scan"}, true, (*rewriter).givenFilters},
}

const (
	// leastGain is the share of the cost that a rewrite must leave at most, to be worth
	// the change.
	leastGain = 0.8
)

// rewrites tries each rewriting: the planner must find it cheaper as the same role.
// Where the statement may be run, both forms are, and one that returns other rows is
// not recommended; where not, it stays unverified.
func (p *prover) rewrites() ([]Recommendation, error) {
	var out []Recommendation
	for _, rw := range rewritings {
		tree, err := pgast.Parse(p.s.sql)
		if err != nil {
			return out, nil
		}
		w := newRewriter(p.s.cat, tree, p.s.requests[0].Args)
		if !rw.change(w, tree) {
			continue
		}
		rec, err := p.checkRewrite(rw, pgast.Format(tree))
		if err != nil {
			return out, err
		}
		if rec != nil {
			out = append(out, *rec)
		}
	}
	if rec := p.keyset(); rec != nil {
		out = append(out, *rec)
	}
	return out, nil
}

// checkRewrite compares a statement with another form of it; nil where that is no
// better, or not the same.
func (p *prover) checkRewrite(rw rewriting, sql string) (*Recommendation, error) {
	r := p.s.requests[0]
	r.Generic = r.Generic || rw.generic && len(r.Args) > 0
	before, err := p.s.session.Explain(p.ctx, r)
	if err != nil {
		return nil, err
	}
	s := r
	s.SQL = sql
	after, err := p.s.session.Explain(p.ctx, s)
	if err != nil {
		p.note("%s: the server does not take it: %s", rw.title, p.text(err))
		return nil, nil
	}
	if before.Root.TotalCost < leastCostSaved || after.Root.TotalCost > leastGain*before.Root.TotalCost {
		return nil, nil
	}
	rec := &Recommendation{Kind: Rewrite, Title: rw.title, Query: sql, Findings: p.s.findingsOf(rw.findings...), Cost: "the statement changes, nothing else"}
	costs := fmt.Sprintf("the planner has it at cost %.0f, now %.0f", after.Root.TotalCost, before.Root.TotalCost)
	if rw.generic {
		costs += " (the plan for every value)"
	}
	switch reason, same, err := p.sameRows(sql); {
	case err != nil:
		return nil, err
	case reason != "":
		rec.Why = fmt.Sprintf("not verified: the rows were not compared, since %s; %s: %s", reason, rw.why, costs)
	case !same:
		p.note("%s: it returned other rows and is not recommended", rw.title)
		return nil, nil
	case rw.generic:
		rec.Verified, rec.Why = Estimated, rw.why+"; both returned the same rows; "+costs
		rec.Before, rec.After = &Effect{Cost: before.Root.TotalCost, Access: allScans(before)}, &Effect{Cost: after.Root.TotalCost, Access: allScans(after)}
	default:
		return p.measureRewrite(rec, rw, sql)
	}
	return rec, nil
}

// asker runs statements as the subject's role.
func (p *prover) asker() (*asker, Identity) {
	r := p.s.requests[0]
	a := &asker{ctx: p.ctx, s: p.s.session, args: r.Args, timeout: r.Timeout}
	if !p.s.throwaway {
		a.vet = &live.VetOptions{Allow: p.s.allow}
	}
	return a, Identity{Role: r.Role, Settings: r.Settings}
}

// sameRows runs both forms and compares their rows as sets; reason says why they were
// not run.
func (p *prover) sameRows(sql string) (reason string, same bool, err error) {
	switch _, query := p.s.tree.(*pgast.Select); {
	case !p.s.runs:
		return "the statement is not run", false, nil
	case !query:
		return "it writes", false, nil
	case p.s.requests[0].Generic:
		return "there are no values to run it with", false, nil
	}
	a, id := p.asker()
	err = p.inTransaction(func() error {
		var sets [2]rowSet
		for i, text := range []string{p.s.sql, sql} {
			if err := a.permit(text, id); err != nil {
				return err
			}
			var err error
			if sets[i], err = a.rowsOf(text, id); err != nil {
				return err
			}
		}
		same = sets[0] == sets[1]
		return nil
	})
	var refused *live.Refusal
	switch {
	case errors.As(err, &refused):
		return refused.Reason, false, nil
	case err != nil && live.Code(err) != "":
		return p.text(err), false, nil
	}
	return "", same, err
}

func (p *prover) inTransaction(f func() error) error {
	if err := p.s.session.Begin(p.ctx); err != nil {
		return err
	}
	err := f()
	if p.s.session.Conn().IsClosed() {
		return err
	}
	return errors.Join(err, p.s.session.Rollback(p.ctx))
}

// measureRewrite runs both forms in turn and keeps the other one where it touches
// fewer blocks, or takes less time for no more.
func (p *prover) measureRewrite(rec *Recommendation, rw rewriting, sql string) (*Recommendation, error) {
	a, id := p.asker()
	arms := []*arm{{sql: p.s.sql, id: id}, {sql: sql, id: id}}
	err := p.inTransaction(func() error {
		_, _, err := a.interleave(arms)
		return err
	})
	if err != nil {
		if live.Code(err) == "" {
			return nil, err
		}
		rec.Why = "not verified: the rows are the same, and running it failed: " + p.text(err)
		return rec, nil
	}
	var sides [2]Effect
	for i, m := range arms {
		res := m.result(0)
		sides[i] = Effect{Cost: res.Cost, MS: res.MS, Blocks: res.Blocks, Access: allScans(m.last)}
	}
	before, after := sides[0], sides[1]
	fewer := float64(after.Blocks) <= leastGain*float64(before.Blocks) && after.MS <= before.MS
	quicker := after.MS <= half*before.MS && after.Blocks <= before.Blocks
	if !fewer && !quicker {
		p.note("%s: the planner thinks it cheaper, running it shows no gain", rw.title)
		return nil, nil
	}
	rec.Verified, rec.Before, rec.After = Measured, &before, &after
	rec.Why = rw.why + "; both were run and returned the same rows"
	return rec, nil
}

// allScans describes every scan of a plan, each once.
func allScans(p *plan.Plan) string {
	var out []string
	seen := map[string]bool{}
	p.Walk(func(n *plan.Node) {
		if d := n.Describe(); n.Relation != "" && n.Type != "ModifyTable" && !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	})
	if len(out) == 0 {
		return "nothing is read"
	}
	return strings.Join(out, "; ")
}

// findingsOf are the IDs of findings of some heuristics.
func (s *subject) findingsOf(heuristics ...string) []int {
	var out []int
	if s.report == nil {
		return nil
	}
	for _, f := range s.report.Findings {
		for _, h := range heuristics {
			if f.Heuristic == h {
				out = append(out, f.ID)
			}
		}
	}
	return out
}

// farOffset is how many rows may be skipped before another way is worth it.
const farOffset = 1000

// keyset advises to go on after the last row in the place of counting rows: the
// caller changes with it, and so nothing can be verified.
func (p *prover) keyset() *Recommendation {
	s, ok := p.s.tree.(*pgast.Select)
	if !ok || s.Offset == nil || s.Limit == nil || len(s.OrderBy) == 0 || s.SetOp != "" {
		return nil
	}
	w := newRewriter(p.s.cat, p.s.tree, p.s.requests[0].Args)
	if n, ok := w.number(s.Offset); !ok || n < farOffset {
		return nil
	}
	var cols []string
	desc := s.OrderBy[0].Desc
	for _, o := range s.OrderBy {
		c, ok := o.Expr.(*pgast.ColumnRef)
		if !ok || o.Desc != desc {
			return nil
		}
		cols = append(cols, pgast.Format(c))
	}
	if key := w.keyOf(s); len(key) > 0 {
		for _, k := range key {
			if !containsColumn(cols, k) {
				cols = append(cols, k)
			}
		}
	}
	op := map[bool]string{false: ">", true: "<"}[desc]
	var last []string
	for _, c := range cols {
		last = append(last, "<last "+c[strings.LastIndexByte(c, '.')+1:]+">")
	}
	rec := &Recommendation{
		Kind: Rewrite, Title: "go on after the last row of the page before (keyset), in the place of OFFSET",
		Query:    fmt.Sprintf("… where (%s) %s (%s) order by %s limit …", strings.Join(cols, ", "), op, strings.Join(last, ", "), orderText(cols, desc)),
		Findings: p.s.findingsOf("large-offset"),
		Cost:     "the caller keeps the last row's values; pages can no longer be jumped to by number",
		Why:      "not verified: a sketch, since the caller changes with it; every row that OFFSET skips is read",
	}
	return rec
}

func orderText(cols []string, desc bool) string {
	var out []string
	for _, c := range cols {
		if desc {
			c += " desc"
		}
		out = append(out, c)
	}
	return strings.Join(out, ", ")
}

func containsColumn(cols []string, name string) bool {
	for _, c := range cols {
		if c == name || strings.HasSuffix(c, "."+name) {
			return true
		}
	}
	return false
}

// keyOf is the primary key of the only table of a select.
func (w *rewriter) keyOf(s *pgast.Select) []string {
	rel, _ := w.onlyTable(s)
	if rel == nil {
		return nil
	}
	for _, k := range rel.Constraints {
		if k.Kind == catalog.PrimaryKey {
			return k.Columns
		}
	}
	return nil
}
