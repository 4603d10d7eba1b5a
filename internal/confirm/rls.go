package confirm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// leakproof proves that a role cannot use an index that the owner can, by the shape
// of plans, and that it matters, by a measurement:
//
//  1. all other indexes of the table are hidden and sequential scans are off, so
//     that the planner takes the index where it can;
//  2. as the owner, whom no policy filters, it has a condition on the columns;
//  3. as the role it has none;
//  4. with every index in its place the owner needs at most half of the blocks.
func (a *asker) leakproof(p *rules.Probe, name string) rules.Verdict {
	q, reason := a.question(p)
	if reason != "" {
		return inconclusive("%s", reason)
	}
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Structural}
	v.Rows, v.RowsSource = a.size(q.all[0])
	// The role gets its rights before the mark, or they would go with it.
	if _, err := a.explain(q.request(typical)); err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	if err := a.o.Server.Mark(a.ctx); err != nil {
		return a.doubtful(v, message(err))
	}
	if err := a.hideOthers(q.all, name); err != nil {
		return a.doubtful(v, "hiding the other indexes: "+message(err))
	}
	r := q.request(typical)
	r.Off = noSeqScan
	asRole, err := a.explain(r)
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	r.Role = ""
	asOwner, err := a.explain(r)
	if err != nil {
		return a.doubtful(v, "planning the statement as the owner: "+message(err))
	}
	switch {
	case conditionOn(asRole, name, p.Columns):
		v.Status, v.Reason = rules.Refuted, fmt.Sprintf("as %s the planner has a condition on %s", q.role, name)
	case !conditionOn(asOwner, name, p.Columns):
		return a.doubtful(v, fmt.Sprintf("as the owner the planner has no condition on %s either", name))
	default:
		if err := a.o.Server.Undo(a.ctx); err != nil {
			return a.doubtful(v, message(err))
		}
		v.Facts = []string{fmt.Sprintf("with no other index to take, the owner gets %s and %s gets %s",
			access(asOwner, q.rel), q.role, access(asRole, q.rel))}
		v = a.compareOwner(q, v)
	}
	return v
}

// compareOwner runs the statement as the role and as the owner, who stands for the
// role with an index that lives: confirmed when he needs at most half of the
// blocks. No fix changes what an operator leaks, so there is no other after.
func (a *asker) compareOwner(q *question, v rules.Verdict) rules.Verdict {
	asOwner := *q
	asOwner.role = ""
	v.Level = rules.Measured
	best := 2.0
	for _, k := range q.distinctSets() {
		var e [2]rules.Evidence
		for i, one := range []*question{q, &asOwner} {
			var times []float64
			for range rounds {
				p, reason := a.before(one, k)
				if reason != "" {
					return a.doubtful(v, reason)
				}
				times = append(times, p.ExecutionMS)
				e[i] = rules.Evidence{Cost: p.Root.TotalCost, SharedBlocks: p.Blocks(), Access: access(p, one.rel)}
			}
			e[i].MS = median(times)
		}
		if ratio := float64(e[1].SharedBlocks) / float64(max(e[0].SharedBlocks, 1)); ratio < best {
			best = ratio
			v.Before, v.After, v.Settings = &e[0], &e[1], q.sets[k].settings
		}
	}
	v.Facts = append(v.Facts, "after is the same statement as the owner, whom no policy binds")
	if best > 0.5 {
		return a.doubtful(v, "the index is dead for "+q.role+", but the owner needs more than half of the blocks too: how selective the condition is in real data decides")
	}
	v.Status = rules.Confirmed
	return v
}

// hideOthers leaves the planner one index of some relations, and those on
// partitions that belong to it.
func (a *asker) hideOthers(rels []catalog.Name, name string) error {
	var others []Index
	for _, rel := range rels {
		rows, err := a.o.Server.Query(a.ctx, `select x.indexrelid::text, i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
			where x.indrelid = to_regclass($1) and i.relname <> $2 and not exists (
				select 1 from pg_inherits h join pg_class p on p.oid = h.inhparent where h.inhrelid = i.oid and p.relname = $2)`,
			ptr(ident(rel)), ptr(name))
		if err != nil {
			return err
		}
		for _, r := range rows {
			others = append(others, Index{OID: *r[0], Name: *r[1]})
		}
	}
	if len(others) == 0 {
		return nil
	}
	return a.show(others, false)
}

// conditionOn reports whether a plan looks for one of the columns in an index.
func conditionOn(p *plan.Plan, index string, columns []string) bool {
	found := false
	p.Walk(func(n *plan.Node) {
		if n.Index != index || n.IndexCond == "" {
			return
		}
		found = found || slices.ContainsFunc(columns, func(c string) bool {
			return regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(c) + `($|\W)`).MatchString(n.IndexCond)
		})
	})
	return found
}

// rowFunction shows what a policy's function costs. The set form that would end it
// is a function that somebody has to write, so that there is no after to measure
// and no verdict but inconclusive; an access path by another condition does not
// refute the finding, which is about the rows that are left.
func (a *asker) rowFunction(p *rules.Probe) rules.Verdict {
	const settle = "no set form can be derived; write it by hand and compare"
	r := a.cat.Relation(p.Schema, p.Table)
	roles := a.roles(p)
	if r == nil || p.Command != "" && p.Command != "select" && p.Command != "all" {
		return inconclusive("%s", settle)
	}
	if err := a.searchPath(); err != nil {
		return inconclusive("setting the search_path: %s", message(err))
	}
	settings, doubt := a.session(roles[0], []*catalog.Relation{r}, "select")
	rel, all := a.relation(p.Schema, p.Table, "")
	q := &question{sql: "select * from " + ident(r.Name), role: roles[0], rel: rel, all: all}
	q.sets[typical].settings = settings[typical]
	v := rules.Verdict{Role: q.role, Settings: settings[typical], Level: rules.Structural}
	v.Rows, v.RowsSource = a.size(all[0])
	if doubt != "" {
		return a.doubtful(v, doubt)
	}
	done, reason := a.before(q, typical)
	if reason != "" {
		return a.doubtful(v, reason)
	}
	var judged float64
	for _, s := range done.Accesses(rel.Schema, rel.Table, "") {
		if strings.Contains(s.Node.Filter, "(") {
			judged += (s.Node.Rows + s.Node.Removed) * max(s.Node.Loops, 1)
		}
	}
	v.Level = rules.Measured
	v.Before = &rules.Evidence{Cost: done.Root.TotalCost, MS: done.ExecutionMS, SharedBlocks: done.Blocks(), Access: access(done, rel)}
	return a.doubtful(v, fmt.Sprintf("the condition is evaluated for each of %.0f rows; %s", judged, settle))
}
