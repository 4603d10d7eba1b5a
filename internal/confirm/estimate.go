package confirm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// estimated is what the planner thinks of one request before the fix and after it.
type estimated struct {
	before, after rules.Evidence
	used          bool
}

// gain is the share of the cost that the fix saves.
func (e *estimated) gain() float64 { return 1 - e.after.Cost/max(e.before.Cost, 0.01) }

// helps is DESIGN's bound for confirmed: the fix is used and at most half of the cost
// is left.
func (e *estimated) helps() bool { return e.used && e.gain() >= 0.5 }

// estimate compares costs on the plan tier, as the request's role with its settings:
//
//  1. the statement is planned for every value (what a prepared statement comes to
//     after some runs) and for each set of values, without the fix;
//  2. the fix's indexes, built while the tables were empty, are shown to the planner,
//     and what else the fix does is done;
//  3. it is planned again.
//
// Confirmed needs the typical or the rare value and the plan for every value to agree:
// a plan for every value alone misleads (ILIKE $1 looks selective and '%a%' is not),
// and so does one value.
func (a *asker) estimate(q *question, apply []string, v rules.Verdict) rules.Verdict {
	made, others, reason := a.tier.fixes(apply)
	if reason != "" {
		return a.doubtful(v, reason)
	}
	if len(made) == 0 {
		return a.doubtful(v, "the fix makes no index, so there is nothing to compare")
	}
	requests, order := map[int]plan.Request{}, q.distinctSets()
	for _, k := range order {
		requests[k] = q.request(k)
	}
	if len(q.types) > 0 {
		order = append(order, every)
		requests[every] = everyValue(q)
	}
	all := map[int]*estimated{}
	for _, k := range order {
		p, err := a.explain(requests[k])
		if err != nil {
			return a.doubtful(v, "planning the statement: "+message(err))
		}
		all[k] = &estimated{before: costOf(p, q.rel)}
	}
	for _, sql := range others {
		if err := a.o.Server.Exec(a.ctx, sql); err != nil {
			return a.doubtful(v, "applying the fix: "+message(err))
		}
	}
	if err := a.show(made, true); err != nil {
		return a.doubtful(v, "showing the new index: "+message(err))
	}
	for _, k := range order {
		p, err := a.explain(requests[k])
		if err != nil {
			return a.doubtful(v, "planning the statement after the fix: "+message(err))
		}
		all[k].after, all[k].used = costOf(p, q.rel), slices.ContainsFunc(made, func(x Index) bool { return p.Uses(x.Name) })
	}
	v.Level = rules.Estimated
	if q.doubt == "" {
		q.doubt = a.unknownSpread(made)
	}
	return a.weigh(q, v, all, order)
}

// unknownSpread is a doubt where an index has an expression that no statistics are of:
// the planner takes half a percent of the rows then, whatever they are.
func (a *asker) unknownSpread(made []Index) string {
	oids := make([]string, len(made))
	for i, x := range made {
		oids[i] = x.OID
	}
	rows, err := a.o.Server.Query(a.ctx, `select pg_get_indexdef(x.indexrelid, k, true) from pg_index x, generate_series(1, x.indnkeyatts) k
		where x.indexrelid in (`+strings.Join(oids, ", ")+`) and x.indkey[k - 1] = 0
		and not exists (select 1 from pg_statistic s where s.starelid = x.indexrelid and s.staattnum = k) limit 1`)
	switch {
	case err != nil:
		return "reading statistics: " + message(err)
	case len(rows) > 0:
		return "no statistics are of " + *rows[0][0] + ": how its values are spread decides, --measure tells on made rows"
	}
	return ""
}

// every numbers the plan for every value among the sets.
const every = nsets

// everyValue is the request for a plan that knows no value, but how many rows are
// fetched: an application always asks for a page.
func everyValue(q *question) plan.Request {
	r := q.request(typical)
	r.Generic, r.Types, r.Args = true, nil, nil
	if stmt, err := pgast.Parse(q.sql); err == nil {
		if sql, ok := pagesKnown(stmt, len(q.types)); ok {
			r.SQL = sql
		}
	}
	return r
}

// pagesKnown writes LIMIT $n and OFFSET $n as numbers where these are the last of a
// statement's parameters.
func pagesKnown(stmt pgast.Stmt, n int) (string, bool) {
	used, pages := map[int]bool{}, map[int]bool{}
	pgast.Walk(stmt, func(x pgast.Node) bool {
		s, ok := x.(*pgast.Select)
		if !ok {
			return true
		}
		for _, e := range []*pgast.Expr{&s.Limit, &s.Offset} {
			if p, ok := pgast.Uncast(*e).(*pgast.Param); ok {
				pages[p.Number] = true
				value := "20"
				if e == &s.Offset {
					value = "0"
				}
				*e = &pgast.Const{Kind: pgast.ConstInt, Text: value}
			}
		}
		return true
	})
	if len(pages) == 0 {
		return "", false
	}
	pgast.Walk(stmt, func(x pgast.Node) bool {
		if p, ok := x.(*pgast.Param); ok {
			used[p.Number] = true
		}
		return true
	})
	for k := 1; k <= n-len(pages); k++ {
		if !used[k] {
			return "", false
		}
	}
	return pgast.Format(stmt), true
}

func costOf(p *plan.Plan, rel plan.Relation) rules.Evidence {
	return rules.Evidence{Cost: p.Root.TotalCost, Access: access(p, rel)}
}

// weigh gives the verdict on estimates.
func (a *asker) weigh(q *question, v rules.Verdict, all map[int]*estimated, order []int) rules.Verdict {
	best, used, most := -1, false, 0.0
	for _, k := range order {
		e := all[k]
		used = used || e.used
		if e.used {
			most = max(most, e.gain())
		}
		// The frequent value alone proves nothing: others are what is asked for.
		if k != every && (k != frequent || len(order) == 1) && (best < 0 || e.helps() && !all[best].helps() || e.helps() == all[best].helps() && e.gain() > all[best].gain()) {
			best = k
		}
	}
	if best < 0 {
		best = order[0]
	}
	e := all[best]
	v.Before, v.After, v.Settings = &e.before, &e.after, q.sets[best].settings
	differs := a.differs(v, all, best)
	if f := all[frequent]; f != nil && best != frequent && e.helps() && !f.helps() {
		v.Facts = append(v.Facts, fmt.Sprintf("for the most frequent value the cost goes from %s to %s", cost(f.before.Cost), cost(f.after.Cost)))
	}
	guess := a.tier.Guessed(q.all[0])
	switch {
	case v.Rows < fewRows && most < 0.5:
		v.Status, v.Reason = rules.Inconclusive, fmt.Sprintf("%d rows are too few to tell a scan from an index: tell planvet.yaml how many there are", v.Rows)
	case !used && guess:
		v.Status, v.Reason = rules.Inconclusive, "with statistics that are made up the planner does not use the proposed index; those of planvet stats dump would tell, or --measure"
	case most < 0.1 && guess:
		v.Status, v.Reason = rules.Inconclusive, "with statistics that are made up the proposed index saves less than a tenth of the cost; those of planvet stats dump would tell, or --measure"
	case !used:
		v.Status, v.Reason = rules.Refuted, "the planner does not use the proposed index"
	case most < 0.1:
		v.Status, v.Reason = rules.Refuted, "the proposed index saves less than a tenth of the cost"
	case differs != "":
		v.Status, v.Reason = rules.Inconclusive, differs
	case !e.helps():
		v.Status, v.Reason = rules.Inconclusive, fmt.Sprintf("the proposed index saves %.0f %% of the cost, less than half; --measure tells on rows", max(e.gain(), 0)*100)
	case q.doubt != "":
		v.Status, v.Reason = rules.Inconclusive, q.doubt
	default:
		v.Status = rules.Confirmed
	}
	return v
}

// differs says how the plan for every value and that for a value disagree on whether
// the fix helps; "" where they do not.
func (a *asker) differs(v rules.Verdict, all map[int]*estimated, best int) string {
	g := all[every]
	if g == nil || g.helps() == all[best].helps() {
		return ""
	}
	side := func(e *estimated) string {
		return fmt.Sprintf("%s → %s", cost(e.before.Cost), cost(e.after.Cost))
	}
	return fmt.Sprintf("the plan for every value and those for single values disagree: cost %s and %s; how production's values are spread decides, or --measure", side(g), side(all[best]))
}

func cost(c float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", c), ".0") }
