package confirm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// measured is what the runs of one set gave.
type measured struct {
	before, after           rules.Evidence
	beforeTimes, afterTimes []float64
	used                    bool
	// ran is set when the relation was scanned at all: what stands before it in the
	// statement may leave it nothing to do.
	ran bool
}

type measurement struct {
	bySet map[int]*measured
	order []int
	// rewritten is set where the fix does more than make an index.
	rewritten bool
}

// rounds is how often before and after are run; the time is their median. Blocks
// need one run beside the first, which warms caches and hint bits.
const rounds = 3

// fewRows is the row count below which reading all of a table is as good as an
// index, so that a measurement tells nothing of a larger one.
const fewRows = 1000

// slow is the time in milliseconds above which one run has to do.
const slow = 2000

// noise is a time in milliseconds by which two runs may differ for no reason.
const noise = 50

// measure runs the statement before and after the fix in turn. The fix is made
// once; pg_index.indisvalid hides its indexes for the runs before. That does not
// bring back a policy that the fix rewrites as well: its runs before come first.
func (a *asker) measure(q *question, apply []string) (*measurement, string) {
	first, isSlow, rewritten := map[int]*plan.Plan{}, false, slices.ContainsFunc(apply, rewritesPolicy)
	for _, k := range q.distinctSets() {
		p, reason := a.before(q, k) // it must run, and caches get warm
		if reason == "" && rewritten {
			p, reason = a.before(q, k)
		}
		if reason != "" {
			return nil, reason
		}
		first[k], isSlow = p, isSlow || p.ExecutionMS > slow
	}
	made, reason := a.apply(apply)
	if reason != "" {
		return nil, reason
	}
	a.made = made
	if len(made) == 0 {
		return nil, "the fix makes no index, so there is nothing to compare"
	}
	m := &measurement{bySet: map[int]*measured{}, order: q.distinctSets(), rewritten: rewritten}
	if isSlow || rewritten {
		return a.measureAfter(q, m, first)
	}
	for range rounds {
		for _, on := range []bool{false, true} {
			if err := a.show(made, on); err != nil {
				return nil, "hiding the new index: " + message(err)
			}
			for _, k := range m.order {
				p, err := a.explain(analyzed(q, k))
				if err != nil {
					return nil, a.runReason("running the statement", q, err)
				}
				used := slices.ContainsFunc(made, func(x Index) bool { return p.Uses(x.Name) })
				if used && !on {
					return nil, "the new index could not be hidden for the comparison"
				}
				m.add(q, k, on, used, p)
			}
		}
	}
	m.finish()
	return m, ""
}

// measureAfter takes the first runs as those before the fix, and runs after it only
// what is then planned otherwise.
func (a *asker) measureAfter(q *question, m *measurement, first map[int]*plan.Plan) (*measurement, string) {
	if err := a.show(a.made, true); err != nil {
		return nil, "hiding the new index: " + message(err)
	}
	for _, k := range m.order {
		p, err := a.explain(q.request(k))
		if err != nil {
			return nil, "planning the statement: " + message(err)
		}
		used := slices.ContainsFunc(a.made, func(x Index) bool { return p.Uses(x.Name) })
		after := first[k]
		if used || m.rewritten {
			if after, err = a.explain(analyzed(q, k)); err != nil {
				return nil, a.runReason("running the statement after the fix", q, err)
			}
		}
		m.add(q, k, false, false, first[k])
		m.add(q, k, true, used, after)
	}
	m.finish()
	return m, ""
}

func analyzed(q *question, k int) plan.Request {
	r := q.request(k)
	r.Analyze = true
	return r
}

func (m *measurement) add(q *question, k int, on, used bool, p *plan.Plan) {
	x := m.bySet[k]
	if x == nil {
		x = &measured{used: true}
		m.bySet[k] = x
	}
	e, times := &x.before, &x.beforeTimes
	if on {
		e, times = &x.after, &x.afterTimes
		x.used = x.used && used
	}
	x.ran = x.ran || slices.ContainsFunc(p.Accesses(q.rel.Schema, q.rel.Table, q.rel.Alias), func(s plan.Access) bool { return s.Node.Loops > 0 })
	e.Cost, e.SharedBlocks = p.Root.TotalCost, p.Blocks()
	e.Access = access(p, q.rel)
	*times = append(*times, p.ExecutionMS)
}

func (m *measurement) finish() {
	for _, x := range m.bySet {
		x.before.MS, x.after.MS = median(x.beforeTimes), median(x.afterTimes)
	}
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return 0
	}
	return math.Round(s[len(s)/2]*1000) / 1000
}

// access describes the scans of the relation, each kind once.
func access(p *plan.Plan, rel plan.Relation) string {
	var out []string
	for _, s := range p.Accesses(rel.Schema, rel.Table, rel.Alias) {
		if d := s.Node.Describe(); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if len(out) == 0 && len(rel.Parts) > 0 {
		return "scans of its partitions"
	}
	return strings.Join(out, "; ")
}

// verdict decides by the blocks of all sets.
func (m *measurement) verdict(q *question, v rules.Verdict) rules.Verdict {
	best, used, worse, ran := -1, false, false, false
	gain, most, longer := 0.0, 0.0, false
	for _, k := range m.order {
		x := m.bySet[k]
		before, after := float64(max(x.before.SharedBlocks, 1)), float64(x.after.SharedBlocks)
		worse = worse || after > before*1.1+8
		ran = ran || x.ran || len(q.rel.Parts) > 0
		if !x.used {
			continue
		}
		used = true
		longer = longer || m.rewritten && x.after.MS > 2*x.before.MS+noise
		g := 1 - after/before
		most = max(most, g)
		// The frequent value alone proves nothing: it is frequent in made rows.
		if (k != frequent || len(m.order) == 1) && (best < 0 || g > gain) {
			best, gain = k, g
		}
	}
	show := best
	if show < 0 {
		show = m.order[0]
	}
	v.Before, v.After, v.Settings = &m.bySet[show].before, &m.bySet[show].after, q.sets[show].settings
	switch {
	case !ran:
		v.Status, v.Reason = rules.Inconclusive, "with the made rows the statement never comes to its scan of "+q.rel.Table+": ask with --confirm live"
	case (!used || most < 0.1) && v.Rows < fewRows:
		v.Status, v.Reason = rules.Inconclusive, fmt.Sprintf("only %d rows could be made, too few to tell a scan from an index", v.Rows)
	case !used:
		v.Status, v.Reason = rules.Refuted, "the planner does not use the proposed index"
	case most < 0.1:
		v.Status, v.Reason = rules.Refuted, "the proposed index saves less than a tenth of the blocks"
	case longer:
		v.Status, v.Reason = rules.Inconclusive, "for some values the statement takes longer with the fix than without it; compare on real data with --confirm live"
	case worse:
		v.Status, v.Reason = rules.Inconclusive, "for frequent values the proposed index reads more than a scan; how production's values are spread decides"
	case best < 0 || gain < 0.5:
		v.Status, v.Reason = rules.Inconclusive, fmt.Sprintf("the proposed index saves %.0f %% of the blocks, less than half; real data decides: ask with --confirm live", gain*100)
	case q.doubt != "":
		v.Status, v.Reason = rules.Inconclusive, q.doubt
	default:
		v.Status = rules.Confirmed
	}
	return v
}
