package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

const (
	// leastCostSaved is the cost under which no index is worth keeping.
	leastCostSaved = 100
	// half is the share of the cost that a recommendation must leave at most.
	half = 0.5
	// alike is how far costs may be apart for the smaller set to win, and slack the
	// share of the cost without any that matters to nobody.
	alike = 1.1
	slack = 0.01
)

// indexes proposes indexes:
//
//  1. all candidates are built on a twin of the server, and hidden;
//  2. each option is shown alone, as the calling role; the cheapest that the planner
//     uses is taken, or one with fewer keys that is as good; then the next beside it,
//     while the cost falls;
//  3. what does not halve the cost where the others are there goes; all together must
//     halve it;
//  4. the rest is measured where the server is planvet's own, asked of HypoPG where
//     the server has it, and estimated else.
//
// Where there is no twin, or it plans otherwise than the server, only what the
// statement has no access path without is proposed, unverified.
func (p *prover) indexes() ([]Recommendation, error) {
	now, err := p.s.session.Explain(p.ctx, p.s.requests[0])
	if err != nil || now.Root.TotalCost < leastCostSaved {
		return nil, err
	}
	if err := p.look(); err != nil {
		return nil, err
	}
	p.knowOwners()
	options := p.candidates()
	if len(options) == 0 {
		return nil, nil
	}
	var ddl []string
	at := map[*proposal]int{}
	for _, o := range options {
		for _, x := range o {
			at[x] = len(ddl)
			ddl = append(ddl, p.buildable(x))
		}
	}
	err = p.with(ddl)
	if err != nil && p.ctx.Err() != nil {
		return nil, err
	}
	if err != nil || p.doubt != "" {
		why := p.doubt
		if err != nil {
			why = "no twin of the server could be made: " + p.text(err)
		}
		return p.unproven(options, why)
	}
	for _, x := range p.twin.Candidates {
		if x.Problem != "" {
			p.note("an index that may help could not be tried: %s: %s", x.SQL, x.Problem)
		}
	}
	c := &choice{p: p, at: at}
	chosen, err := c.choose(options)
	if err != nil || len(chosen) == 0 {
		return nil, err
	}
	return p.prove(c, chosen)
}

// knowOwners notes in the catalog for which tables the role's own rights keep row
// security away.
func (p *prover) knowOwners() {
	role := p.role()
	rows, err := p.s.session.Query(p.ctx, `select n.nspname::text, c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relrowsecurity and not c.relforcerowsecurity and pg_catalog.pg_has_role($1::name, c.relowner, 'usage')`, &role)
	if err != nil {
		return
	}
	for _, r := range rows {
		if rel := p.s.cat.Relation(*r[0], *r[1]); rel != nil {
			rel.Owner = role
		}
	}
}

// choice is the search for the smallest set that is good.
type choice struct {
	p  *prover
	at map[*proposal]int
	// before and after are the plans without the set and with it.
	before, after *plan.Plan
}

// cost plans the statement with some candidates; used tells whether it reads each.
func (c *choice) cost(set []*proposal) (p *plan.Plan, used bool, err error) {
	var numbers []int
	for _, x := range set {
		numbers = append(numbers, c.at[x])
	}
	if err := c.p.twin.Show(c.p.ctx, numbers...); err != nil {
		return nil, false, err
	}
	p, err = c.p.twin.Explain(c.p.ctx, c.p.s.requests[0])
	if err != nil {
		return nil, false, err
	}
	used = true
	for _, n := range numbers {
		used = used && slices.ContainsFunc(c.p.twin.Candidates[n].Names, p.Uses)
	}
	return p, used, nil
}

func (c *choice) choose(options []option) (chosen []*proposal, err error) {
	if c.before, _, err = c.cost(nil); err != nil {
		return nil, err
	}
	best := c.before.Root.TotalCost
	start := best
	if start < leastCostSaved {
		return nil, nil
	}
	const most = 4
	for len(chosen) < most {
		found, cost, err := c.next(options, chosen, best)
		if err != nil {
			return nil, err
		}
		if found == nil || best-cost < slack*start || best-cost < start/10 && cost > best*half {
			break
		}
		chosen, best = append(slices.Clone(chosen), found...), cost
	}
	if chosen, err = c.prune(chosen); err != nil || len(chosen) == 0 {
		return nil, err
	}
	var used bool
	if c.after, used, err = c.cost(chosen); err != nil || !used || c.after.Root.TotalCost > half*start {
		return nil, err
	}
	return chosen, nil
}

// next is the option that is best beside those chosen; nil where none is used.
func (c *choice) next(options []option, chosen []*proposal, best float64) (option, float64, error) {
	type tried struct {
		o        option
		cost     float64
		weighted float64
		size     int64
	}
	var all []tried
	for _, o := range options {
		if slices.ContainsFunc(o, func(x *proposal) bool {
			return slices.Contains(chosen, x) || c.p.twin.Candidates[c.at[x]].Problem != ""
		}) {
			continue
		}
		p, used, err := c.cost(append(slices.Clone(chosen), o...))
		if err != nil {
			return nil, 0, err
		}
		if !used || p.Root.TotalCost >= best {
			continue
		}
		t := tried{o: o, cost: p.Root.TotalCost, weighted: p.Root.TotalCost}
		for _, x := range o {
			t.weighted *= x.weight
			t.size += c.p.twin.Candidates[c.at[x]].Pages
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, 0, nil
	}
	least := slices.MinFunc(all, func(a, b tried) int { return compareFloat(a.weighted, b.weighted) }).weighted
	all = slices.DeleteFunc(all, func(t tried) bool { return t.weighted > least*alike+slack*c.before.Root.TotalCost })
	won := slices.MinFunc(all, func(a, b tried) int {
		if ka, kb := keysOf(a.o), keysOf(b.o); ka != kb {
			return ka - kb
		}
		if a.size != b.size {
			return int(a.size - b.size)
		}
		return compareFloat(a.cost, b.cost)
	})
	return won.o, won.cost, nil
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func keysOf(o option) int {
	n := 0
	for _, x := range o {
		n += len(x.need.Policy) + len(x.need.Equality) + len(x.need.Sort) + min(1, len(x.need.Range)) + len(x.need.Include)
	}
	return n
}

// prune takes out what the others do without: without it the cost is not twice that
// with it.
func (c *choice) prune(chosen []*proposal) ([]*proposal, error) {
	for i := 0; i < len(chosen) && len(chosen) > 1; {
		all, _, err := c.cost(chosen)
		if err != nil {
			return nil, err
		}
		rest := slices.Delete(slices.Clone(chosen), i, i+1)
		without, _, err := c.cost(rest)
		if err != nil {
			return nil, err
		}
		if without.Root.TotalCost*half < all.Root.TotalCost {
			chosen = rest
			i = 0
			continue
		}
		i++
	}
	return chosen, nil
}

// prove builds the recommendations of a set that the twin's planner takes, with the
// best proof there is.
func (p *prover) prove(c *choice, chosen []*proposal) ([]Recommendation, error) {
	why := fmt.Sprintf("planned on a throwaway server of version %s with this server's schema and statistics", p.server.Version())
	if role := p.s.requests[0].Role; role != "" {
		why += ", as role " + role
	}
	level := Estimated
	before, after := effect(c.before, chosen), effect(c.after, chosen)
	if p.s.throwaway && p.s.runs {
		b, a, reason, err := p.measure(chosen)
		switch {
		case err != nil:
			return nil, err
		case reason != "":
			why += "; it could not be measured: " + reason
		case b.Blocks > 0 && float64(a.Blocks) > half*float64(b.Blocks):
			p.note("an index on %s halves the cost and not the blocks: it is not recommended", chosen[0].Relation.Name)
			return nil, nil
		default:
			level, before, after = Measured, b, a
			why = "built on this throwaway server, run before and after, and rolled back"
		}
	} else if b, a, ok := p.hypothetical(chosen); ok {
		before, after = b, a
		if a.Cost > half*b.Cost {
			return nil, nil
		}
		why = "planned with HypoPG on this server"
	}
	others, err := p.otherValues(c, chosen)
	if err != nil {
		return nil, err
	}
	why += others
	var out []Recommendation
	for _, x := range chosen {
		x.name = p.freeName(x, chosen)
	}
	for _, x := range chosen {
		r := p.indexRecommendation(x, p.twin.Candidates[c.at[x]])
		b, a := before, after
		r.Verified, r.Before, r.After, r.Why = level, &b, &a, why
		if len(chosen) > 1 {
			r.Why += fmt.Sprintf("; together with %s, without each the gain is less than half", besides(chosen, x))
		}
		out = append(out, r)
	}
	return out, nil
}

// besides names the other indexes of a set.
func besides(chosen []*proposal, x *proposal) string {
	var names []string
	for _, o := range chosen {
		if o != x {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, ", ")
}

// otherValues says what the set does for other values, in words.
func (p *prover) otherValues(c *choice, chosen []*proposal) (string, error) {
	out := ""
	for i := 1; i < len(p.s.requests); i++ {
		var costs [2]float64
		for k, set := range [][]*proposal{nil, chosen} {
			var numbers []int
			for _, x := range set {
				numbers = append(numbers, c.at[x])
			}
			if err := p.twin.Show(p.ctx, numbers...); err != nil {
				return "", err
			}
			got, err := p.twin.Explain(p.ctx, p.s.requests[i])
			if err != nil {
				return out, nil // the values do not fit; the first ones did
			}
			costs[k] = got.Root.TotalCost
		}
		out += fmt.Sprintf("; for %s values the cost is %.0f before and %.0f after", p.s.labels[i], costs[0], costs[1])
	}
	return out, nil
}
