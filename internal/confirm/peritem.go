package confirm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// few and most are how many times the loop goes round.
const few, most = 2, 64

// perItem compares a statement that runs once an item with its set form: for 2 and
// for 64 items both must return, or write, the same rows. The evidence is the round
// trips and the time for 64.
func (a *asker) perItem(p *rules.Probe) rules.Verdict {
	if p.SetSQL == "" {
		return inconclusive("no set form of the statement could be derived; rewrite it by hand and compare")
	}
	q, reason := a.question(p)
	if reason != "" {
		return inconclusive("%s", reason)
	}
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Measured}
	if q.all[0].Name != "" {
		v.Rows, v.RowsSource = a.size(q.all[0])
	}
	if len(p.ItemParams) == 0 || slices.Min(p.ItemParams) < 1 || slices.Max(p.ItemParams) > len(q.types) {
		return a.doubtful(v, "which parameter the loop varies is not known")
	}
	setTypes, err := a.o.Server.ParamTypes(a.ctx, p.SetSQL)
	if err != nil {
		return a.doubtful(v, "the server does not take the set form: "+message(err))
	}
	if len(setTypes) != len(q.types) {
		return a.doubtful(v, "the set form has other parameters than the statement")
	}
	for i := range setTypes {
		if setTypes[i] != q.types[i] && !slices.Contains(p.ItemParams, i+1) {
			return a.doubtful(v, fmt.Sprintf("$%d is %s in the statement and %s in the set form", i+1, q.types[i], setTypes[i]))
		}
	}
	w, reason := a.comparedRows(p)
	if reason != "" {
		return a.doubtful(v, reason)
	}
	values, args, err := a.items(p, q)
	if err != nil {
		return a.doubtful(v, message(err))
	}
	if len(values) < most {
		return a.doubtful(v, fmt.Sprintf("only %d different items could be made, %d are needed", len(values), most))
	}
	for _, n := range []int{few, most} {
		one, set, reason := a.compareItems(p, q, w, args, values[:n])
		if reason != "" {
			return a.doubtful(v, reason)
		}
		v.Before = &rules.Evidence{MS: median([]float64{one.MS}), RoundTrips: one.RoundTrips}
		v.After = &rules.Evidence{MS: median([]float64{set.MS}), RoundTrips: set.RoundTrips}
	}
	// On a socket a round trip costs next to nothing. A set form that is slower even so
	// reads more than the loop does.
	if v.After.MS > v.Before.MS {
		return a.doubtful(v, fmt.Sprintf("the set form gives the same rows and takes longer for %d items on made rows; what a round trip to the server costs decides", most))
	}
	v.Status = rules.Confirmed
	fact := fmt.Sprintf("the set form gives the same rows for %d and for %d items", few, most)
	if len(w.drawn) > 0 {
		fact += ", apart from what is drawn anew for each row: " + strings.Join(w.drawn, ", ")
	}
	v.Facts = append(v.Facts, fact)
	return v
}

// compareItems runs both forms for some items.
func (a *asker) compareItems(p *rules.Probe, q *question, w written, args []*string, items [][]*string) (one, set plan.Outcome, reason string) {
	var each [][]*string
	all := slices.Clone(args)
	for i, n := range p.ItemParams {
		var column []*string
		for _, item := range items {
			column = append(column, item[i])
		}
		all[n-1] = ptr(arrayOfAny(column))
	}
	for _, item := range items {
		args := slices.Clone(args)
		for i, n := range p.ItemParams {
			args[n-1] = item[i]
		}
		each = append(each, args)
	}
	oneRun, setRun := q.request(typical), q.request(typical)
	oneRun.SQL = w.one
	setRun.SQL, setRun.Types = w.set, nil
	for round := range 3 { // the first run warms, and of the others the faster counts
		oneTook, setTook := one.MS, set.MS
		var err error
		if one, err = a.run(oneRun, each); err != nil {
			return one, set, "running the statement: " + message(err)
		}
		if set, err = a.run(setRun, [][]*string{all}); err != nil {
			return one, set, "running the set form: " + message(err)
		}
		if round == 2 {
			one.MS, set.MS = min(one.MS, oneTook), min(set.MS, setTook)
		}
	}
	switch {
	case one.Rows == 0:
		return one, set, "no made row answers the statement, so equal answers would prove nothing"
	case one.Rows != set.Rows:
		return one, set, fmt.Sprintf("for %d items the statement gives %d rows and the set form %d", len(items), one.Rows, set.Rows)
	case one.Hash != set.Hash:
		return one, set, fmt.Sprintf("for %d items the set form gives other rows", len(items))
	}
	return one, set, ""
}

// visible asks for rows as the statement's role sees them, so that row level
// security leaves some of the items; where it leaves too few, as the owner does.
func (a *asker) visible(q *question, sql string, args []*string, enough int) ([][]*string, error) {
	if q.role != "" {
		// Planning gives the role what it lacks.
		if _, err := a.explain(q.request(typical)); err != nil {
			return nil, err
		}
		rows, err := a.queryAs(q, sql, args)
		if err != nil || len(rows) >= enough {
			return rows, err
		}
	}
	return a.o.Server.Query(a.ctx, sql, args...)
}

func (a *asker) queryAs(q *question, sql string, args []*string) (rows [][]*string, err error) {
	if err := a.o.Server.Mark(a.ctx); err != nil {
		return nil, err
	}
	set := "set local role " + quote(q.role)
	for _, name := range slices.Sorted(maps.Keys(q.sets[typical].settings)) {
		set += fmt.Sprintf("; select set_config(%s, %s, true)", literal(name), literal(q.sets[typical].settings[name]))
	}
	err = a.o.Server.Exec(a.ctx, set)
	if err == nil {
		rows, err = a.o.Server.Query(a.ctx, sql, args...)
	}
	if e := a.o.Server.Undo(a.ctx); err == nil {
		err = e
	}
	return rows, err
}
