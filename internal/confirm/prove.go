package confirm

import (
	"fmt"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// question is one statement, asked with up to three sets of values.
type question struct {
	sql string
	// alone reads the flagged relation by its own conditions; "" where sql does.
	alone string
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
	var all []plan.Request
	for _, k := range q.distinctSets() {
		all = append(all, q.request(k))
	}
	return a.judged(q, all, defs)
}

// judged asks the structural question for every request.
func (a *asker) judged(q *question, all []plan.Request, defs plan.Indexes) (out structural, err error) {
	for _, r := range all {
		r.Off = noSeqScan
		p, err := a.explain(r)
		if err != nil {
			return out, err
		}
		j := plan.Structural(p, q.rel, defs, q.ordered)
		if j.Path && q.alone != "" {
			j = a.alone(q, r, defs, j)
		}
		out.add(j, q.rel.Table)
	}
	return out, nil
}

// alone judges the relation read by its own conditions: without sequential scans the
// planner may walk another relation whole and probe this one from there, which is no
// access path. Where that cannot be asked the judgement of the statement stays.
func (a *asker) alone(q *question, r plan.Request, defs plan.Indexes, j plan.Judgement) plan.Judgement {
	r.SQL = q.alone
	p, err := a.explain(r)
	if err != nil {
		return j
	}
	if own := plan.Structural(p, q.rel, defs, q.ordered); own.Found && !own.Unknown {
		return own
	}
	return j
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
//  2. on the plan tier estimated before and after the fix, see estimate;
//  3. on rows measured before and after the fix, interleaved;
//  4. confirmed when for the typical or the rare value the fix is used and at most
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
	if a.tier != nil {
		return a.estimate(q, apply, v)
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
