package confirm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
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
	if p.ItemParam < 1 || p.ItemParam > len(q.types) {
		return a.doubtful(v, "which parameter the loop varies is not known")
	}
	setTypes, err := a.o.Server.ParamTypes(a.ctx, p.SetSQL)
	if err != nil {
		return a.doubtful(v, "the server does not take the set form: "+message(err))
	}
	if len(setTypes) != len(q.types) {
		return a.doubtful(v, "the set form has other parameters than the statement")
	}
	values, args, err := a.itemValues(p, q)
	if err != nil {
		return a.doubtful(v, message(err))
	}
	if len(values) < most {
		return a.doubtful(v, fmt.Sprintf("only %d different items could be made, %d are needed", len(values), most))
	}
	for _, n := range []int{few, most} {
		one, set, reason := a.compareItems(p, q, args, values[:n])
		if reason != "" {
			return a.doubtful(v, reason)
		}
		v.Before = &rules.Evidence{MS: median([]float64{one.MS}), RoundTrips: one.RoundTrips}
		v.After = &rules.Evidence{MS: median([]float64{set.MS}), RoundTrips: set.RoundTrips}
	}
	v.Status = rules.Confirmed
	v.Facts = append(v.Facts, fmt.Sprintf("the set form gives the same rows for %d and for %d items", few, most))
	return v
}

// compareItems runs both forms for some items.
func (a *asker) compareItems(p *rules.Probe, q *question, args []*string, values []string) (one, set plan.Outcome, reason string) {
	var each [][]*string
	for _, v := range values {
		args := slices.Clone(args)
		args[p.ItemParam-1] = ptr(v)
		each = append(each, args)
	}
	all := slices.Clone(args)
	all[p.ItemParam-1] = ptr(arrayOf(values...))
	oneRun, setRun := q.request(typical), q.request(typical)
	oneRun.SQL = returning(p.SQL)
	setRun.SQL, setRun.Types = returning(p.SetSQL), nil
	for range 2 { // the first run warms
		var err error
		if one, err = a.run(oneRun, each); err != nil {
			return one, set, "running the statement: " + message(err)
		}
		if set, err = a.run(setRun, [][]*string{all}); err != nil {
			return one, set, "running the set form: " + message(err)
		}
	}
	switch {
	case one.Rows == 0:
		return one, set, "no made row answers the statement, so equal answers would prove nothing"
	case one.Rows != set.Rows:
		return one, set, fmt.Sprintf("for %d items the statement gives %d rows and the set form %d", len(values), one.Rows, set.Rows)
	case one.Hash != set.Hash:
		return one, set, fmt.Sprintf("for %d items the set form gives other rows", len(values))
	}
	return one, set, ""
}

// returning makes a statement that writes return what it wrote: a count alone does
// not tell set n = (select max(n) + 1 …) apart, which is another number each time
// round the loop.
func returning(sql string) string {
	stmt, err := pgast.Parse(sql)
	if err != nil {
		return sql
	}
	var have []pgast.Target
	switch s := stmt.(type) {
	case *pgast.Update:
		have = s.Returning
	case *pgast.Delete:
		have = s.Returning
	default:
		return sql
	}
	if len(have) > 0 {
		return sql
	}
	return strings.TrimRight(strings.TrimSpace(sql), "; \t\n") + "\nreturning *"
}

// itemValues are different values for the parameter that the loop varies, and the
// values of all parameters. The others get those that most items have, and items
// that answer with them come first, so that answers are compared and not silence.
func (a *asker) itemValues(p *rules.Probe, q *question) (items []string, args []*string, err error) {
	stmt, err := pgast.Parse(p.SQL)
	if err != nil {
		return nil, nil, err
	}
	s := newScope(a.cat, stmt, p)
	found := comparisons(stmt, s)
	item, ok := found[p.ItemParam]
	if !ok || item.alias == "" {
		return nil, nil, fmt.Errorf("which column the item is compared with is not known")
	}
	args = slices.Clone(q.sets[typical].args)
	from := ident(s.byAlias[item.alias].Name) + " as " + quote(item.alias)
	hit := "true"
	var others []string
	var params []int
	for _, n := range slices.Sorted(maps.Keys(found)) {
		if c := found[n]; n != p.ItemParam && c.alias == item.alias && c.op == "=" && !c.derived && !slices.Contains(others, "("+c.expr+")::text") {
			params, others = append(params, n), append(others, "("+c.expr+")::text")
		}
	}
	if len(others) > 0 {
		list := strings.Join(others, ", ")
		rows, err := a.visible(q, fmt.Sprintf("select %[1]s from %[2]s where (%[3]s) is not null group by %[1]s order by count(distinct (%[3]s)::text) desc, %[1]s limit 1",
			list, from, item.expr), nil, 1)
		if err != nil {
			return nil, nil, err
		}
		for i, n := range params {
			if len(rows) == 1 && rows[0][i] != nil {
				args[n-1] = rows[0][i]
			}
		}
	}
	var given []*string
	for i, n := range params {
		given = append(given, args[n-1])
		hit += fmt.Sprintf(" and %s = $%d", others[i], i+1)
	}
	sql := fmt.Sprintf("select k from (select (%[1]s)::text as k, bool_or(%[2]s) as hit from %[3]s where (%[1]s) is not null group by 1) q order by hit desc nulls last, md5(k), k limit %[4]d",
		item.expr, hit, from, most)
	rows, err := a.visible(q, sql, given, most)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		items = append(items, *r[0])
	}
	return items, args, nil
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
