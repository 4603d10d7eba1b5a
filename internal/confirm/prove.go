package confirm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// question is one statement, asked with up to three sets of values.
type question struct {
	sql   string
	types []string
	role  string
	sets  [nsets]set
	// rel is the flagged relation, all it with its partitions.
	rel     plan.Relation
	all     []catalog.Name
	ordered bool
	// state names what the transaction changed of the schema or its rows before the
	// statement is asked; "" where it changed nothing.
	state string
	// doubt keeps a verdict from being confirmed.
	doubt string
}

type set struct {
	args     []*string
	settings map[string]string
}

func (q *question) request(k int) plan.Request {
	return plan.Request{SQL: q.sql, Role: q.role, Settings: q.sets[k].settings, Args: q.sets[k].args, Types: q.types}
}

// distinctSets are the numbers of the sets that differ: a statement without
// parameters is asked once.
func (q *question) distinctSets() []int {
	var out []int
	seen := map[string]bool{}
	for k := range q.sets {
		key := fmt.Sprint(q.sets[k].settings)
		for _, v := range q.sets[k].args {
			if v == nil {
				key += "\x00null"
			} else {
				key += "\x00" + *v
			}
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, k)
		}
	}
	return out
}

// noSeqScan leaves the planner only index paths, where there are any.
var noSeqScan = []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"}

// structural is the structural answer over all sets.
type structural struct {
	// path and none count the sets with an access path and without.
	path, none int
	// unknown is why some set could not be judged; why is the path's reason.
	unknown, why string
}

// structure asks the structural question for every set.
func (a *asker) structure(q *question) (out structural, err error) {
	defs, err := a.indexes(q.all)
	if err != nil {
		return out, err
	}
	for _, k := range q.distinctSets() {
		r := q.request(k)
		r.Off = noSeqScan
		p, err := a.explain(r)
		if err != nil {
			return out, err
		}
		out.add(plan.Structural(p, q.rel, defs, q.ordered), q.rel.Table)
	}
	return out, nil
}

// add counts the judgement of one plan.
func (s *structural) add(j plan.Judgement, table string) {
	switch {
	case !j.Found:
		s.unknown = "the plan does not read " + table + " at all"
	case j.Path:
		s.path++
		s.why = j.Why
	case j.Unknown:
		s.unknown = j.Why
	default:
		s.none++
	}
}

// settle gives the verdict where the structural answer ends the matter: there is a
// path, or it cannot be told.
func (a *asker) settle(v rules.Verdict, s structural, err error) (_ rules.Verdict, ends bool) {
	switch {
	case err != nil:
		return a.doubtful(v, "planning the statement: "+message(err)), true
	case s.unknown != "":
		return a.doubtful(v, s.unknown), true
	case s.path > 0 && s.none > 0:
		return a.doubtful(v, "for some values there is an access path ("+s.why+"), for others there is none"), true
	case s.path > 0:
		v.Status, v.Reason = rules.Refuted, "there is an access path: "+s.why
		return v, true
	}
	return v, false
}

// prove gives the verdict on an access path, DESIGN.md's table:
//
//  1. structural: a path before means refuted, on some sets only means
//     inconclusive;
//  2. measured before and after the fix, interleaved;
//  3. confirmed when for the typical or the rare value the fix is used and at most
//     half of the blocks are left, and for no value it costs more than before.
func (a *asker) prove(q *question, apply []string) rules.Verdict {
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Structural}
	v.Rows, v.RowsSource = a.size(q.all[0])
	st, err := a.structure(q)
	if v, ends := a.settle(v, st, err); ends {
		return v
	}
	if len(apply) == 0 {
		return a.doubtful(v, "there is no access path, but the finding has no fix that could be measured")
	}
	if problem := a.problems[q.all[0]]; problem != "" {
		return a.doubtful(v, "there is no access path; "+q.rel.Table+" is empty because "+problem)
	}
	m, reason := a.measure(q, apply)
	if reason != "" {
		return a.doubtful(v, reason)
	}
	v.Level = rules.Measured
	return m.verdict(q, v)
}

func (a *asker) doubtful(v rules.Verdict, reason string) rules.Verdict {
	v.Status, v.Reason = rules.Inconclusive, reason
	return v
}

// size is a relation's row count and where it comes from.
func (a *asker) size(name catalog.Name) (int64, string) {
	rows, ok := a.rows[name]
	source := "default"
	if r := a.cat.Relation(name.Schema, name.Name); r != nil && a.cat.Stats != nil {
		n, s := a.cat.Stats.Rows(r)
		source = s
		if !ok {
			rows = n
		}
	}
	return rows, source
}

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
}

// rounds is how often before and after are run; the time is their median. Blocks
// need one run beside the first, which warms caches and hint bits.
const rounds = 3

// fewRows is the row count below which reading all of a table is as good as an
// index, so that a measurement tells nothing of a larger one.
const fewRows = 1000

// slow is the time in milliseconds above which one run has to do.
const slow = 2000

// measure runs the statement before and after the fix in turn. The fix is made
// once; pg_index.indisvalid hides its indexes for the runs before.
func (a *asker) measure(q *question, apply []string) (*measurement, string) {
	first, isSlow := map[int]*plan.Plan{}, false
	for _, k := range q.distinctSets() {
		p, reason := a.before(q, k) // it must run, and caches get warm
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
	m := &measurement{bySet: map[int]*measured{}, order: q.distinctSets()}
	if isSlow {
		return a.measureSlow(q, m, first)
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
				used := slices.ContainsFunc(made, func(x index) bool { return p.Uses(x.name) })
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

// measureSlow takes the first runs as those before the fix, and runs after it only
// what is then planned otherwise.
func (a *asker) measureSlow(q *question, m *measurement, first map[int]*plan.Plan) (*measurement, string) {
	if err := a.show(a.made, true); err != nil {
		return nil, "hiding the new index: " + message(err)
	}
	for _, k := range m.order {
		p, err := a.explain(q.request(k))
		if err != nil {
			return nil, "planning the statement: " + message(err)
		}
		used := slices.ContainsFunc(a.made, func(x index) bool { return p.Uses(x.name) })
		after := first[k]
		if used {
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
	gain, most := 0.0, 0.0
	for _, k := range m.order {
		x := m.bySet[k]
		before, after := float64(max(x.before.SharedBlocks, 1)), float64(x.after.SharedBlocks)
		worse = worse || after > before*1.1+8
		ran = ran || x.ran || len(q.rel.Parts) > 0
		if !x.used {
			continue
		}
		used = true
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
