package confirm

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// statement asks about one statement of the project.
func (a *asker) statement(p *rules.Probe) rules.Verdict {
	q, reason := a.question(p)
	if reason != "" {
		return inconclusive("%s", reason)
	}
	return a.prove(q, p.Apply)
}

// question prepares a statement: types and values of its parameters, the
// session's settings, the relation. It returns why it cannot be asked.
func (a *asker) question(p *rules.Probe) (*question, string) {
	stmt, err := pgast.Parse(p.SQL)
	if err != nil {
		return nil, "the statement does not parse: " + err.Error()
	}
	if err := a.searchPath(); err != nil {
		return nil, "setting the search_path: " + message(err)
	}
	q := &question{sql: p.SQL, alone: p.Alone, role: p.Role, ordered: p.NeedsOrder || ordered(stmt)}
	if q.role == "" {
		q.role = a.o.Role
	}
	if q.types, err = a.o.Server.ParamTypes(a.ctx, p.SQL); err != nil {
		return nil, "the server does not take the statement: " + message(err)
	}
	s := params.NewScope(a.cat, stmt, focus(p))
	alias := p.Alias
	if alias == "" {
		alias = s.Flagged
	}
	q.rel, q.all = a.relation(p.Schema, p.Table, alias)
	values, err := a.fillValues(s, params.Comparisons(stmt, s), q.types)
	if err != nil {
		return nil, message(err)
	}
	settings, doubt := a.statementSession(q.role, stmt, s)
	for k := range q.sets {
		q.sets[k] = set{args: values[k], settings: settings[k]}
	}
	q.doubt = doubt
	if q.doubt == "" {
		q.doubt = a.onlyConstants(s, stmt, p.Columns)
	}
	return q, ""
}

// statementSession are the settings for a statement: what the policies of its
// tables read when it runs as a role, and what it reads itself.
func (a *asker) statementSession(role string, stmt pgast.Stmt, s *params.Scope) ([nsets]map[string]string, string) {
	var rels []*catalog.Relation
	for _, alias := range s.Order {
		rels = append(rels, s.ByAlias[alias])
	}
	if role != "" {
		return a.session(role, rels, "select", "update", "delete")
	}
	id := &identity{a: a, seen: map[string]bool{}}
	id.walk(stmt, s)
	return id.settle(role)
}

// searchPath makes names resolve as the catalog resolves them.
func (a *asker) searchPath() error {
	path := a.cat.SearchPath
	if a.cat.HasSchema("extensions") {
		path = append(append([]string(nil), path...), "extensions")
	}
	quoted := make([]string, len(path))
	for i, s := range path {
		quoted[i] = quote(s)
	}
	if len(quoted) == 0 {
		return nil
	}
	return a.o.Server.Exec(a.ctx, "set local search_path = "+strings.Join(quoted, ", "))
}

// foreignKey asks the statement by which PostgreSQL looks for the children of a
// row that goes, as the owner, and deletes a parent to see the trigger's time.
func (a *asker) foreignKey(p *rules.Probe) rules.Verdict {
	if len(p.Columns) == 0 || len(p.Columns) != len(p.RefColumns) {
		return inconclusive("the finding does not say which columns refer to which")
	}
	rel, all := a.relation(p.Schema, p.Table, "x")
	child := catalog.Name{Schema: p.Schema, Name: p.Table}
	q := &question{sql: a.integrityStatement(p), rel: rel, all: all}
	var err error
	if q.types, err = a.o.Server.ParamTypes(a.ctx, q.sql); err != nil {
		return inconclusive("the server does not take the referential-integrity statement: %s", message(err))
	}
	found := map[int]params.Compared{}
	for i, c := range p.Columns {
		found[i+1] = params.Compared{Alias: "x", Expr: "x." + quote(c), Columns: []string{c}, Op: "=", Param: i + 1}
	}
	s := &params.Scope{ByAlias: map[string]*catalog.Relation{"x": a.cat.Relation(p.Schema, p.Table)}, Order: []string{"x"}, Flagged: "x"}
	if s.ByAlias["x"] == nil {
		return inconclusive("%s is not in the catalog", child)
	}
	values, err := a.fillValues(s, found, q.types)
	if err != nil {
		return inconclusive("%s", message(err))
	}
	for k := range q.sets {
		q.sets[k].args = values[k]
	}
	v := a.prove(q, p.Apply)
	if v.Status == rules.Confirmed && a.tier == nil {
		a.deleteParent(p, &v)
	}
	return v
}

// integrityStatement looks for the children of one parent, as PostgreSQL's own
// trigger does.
func (a *asker) integrityStatement(p *rules.Probe) string {
	only := "only "
	if r := a.cat.Relation(p.Schema, p.Table); r != nil && r.Kind == catalog.PartitionedTable {
		only = ""
	}
	conds := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		conds[i] = fmt.Sprintf("x.%s = $%d", quote(c), i+1)
	}
	return "select 1 from " + only + ident(catalog.Name{Schema: p.Schema, Name: p.Table}) + " x where " + strings.Join(conds, " and ") + forKeyShare
}

// forKeyShare is the lock that the server's own statement takes.
const forKeyShare = " for key share of x"

// deleteParent measures the constraint's trigger on a DELETE of a parent, with
// the new index hidden and in place. It adds times to a verdict that stands
// already; where no parent can be deleted it adds nothing.
func (a *asker) deleteParent(p *rules.Probe, v *rules.Verdict) {
	constraint := ""
	for _, k := range a.cat.Relation(p.Schema, p.Table).Constraints {
		if k.Kind == catalog.ForeignKey && fmt.Sprint(k.Columns) == fmt.Sprint(p.Columns) {
			constraint = k.Name
		}
	}
	sql := a.deleteStatement(p)
	parent := "delete from " + p.RefSchema + "." + p.RefTable
	if a.slow[parent].timeout != "" {
		return // of the other constraints on it one takes too long
	}
	times := map[bool][]float64{}
	spent := 0.0
	for range rounds {
		if spent > slow {
			break
		}
		for _, on := range []bool{false, true} {
			if a.show(a.made, on) != nil {
				return
			}
			done, err := a.explain(plan.Request{SQL: sql, Analyze: true, Timing: true})
			if err != nil {
				if code(err) == queryCanceled {
					a.slow[parent] = slowRun{timeout: message(err)}
				}
				return
			}
			spent += done.ExecutionMS
			for _, t := range done.Triggers {
				if t.Constraint == constraint {
					times[on] = append(times[on], t.MS)
				}
			}
		}
	}
	if len(times[false]) == 0 || len(times[true]) == 0 {
		return
	}
	v.Before.MS, v.After.MS = median(times[false]), median(times[true])
	v.Facts = append(v.Facts, "ms is the time of the constraint's trigger when a row of "+p.RefTable+" is deleted")
}

// deleteStatement deletes one parent: one without children where there is one, so
// that the constraint lets it go.
func (a *asker) deleteStatement(p *rules.Probe) string {
	parent := ident(catalog.Name{Schema: p.RefSchema, Name: p.RefTable})
	child := ident(catalog.Name{Schema: p.Schema, Name: p.Table})
	var same, keys []string
	for i, c := range p.Columns {
		same = append(same, fmt.Sprintf("c.%s = q.%s", quote(c), quote(p.RefColumns[i])))
		keys = append(keys, quote(p.RefColumns[i]))
	}
	// Some hundred of each are looked at: all of them would take minutes.
	return fmt.Sprintf(`delete from %[1]s where ctid = (select q.ctid from (select ctid, %[4]s from %[1]s limit 500) q
		order by exists (select 1 from (select * from %[2]s limit 2000) c where %[3]s), q.ctid limit 1)`, parent, child, strings.Join(same, " and "), strings.Join(keys, ", "))
}

// focus is a finding's relation, which wins where two blocks of its statement name
// tables alike.
func focus(p *rules.Probe) params.Focus {
	return params.Focus{Schema: p.Schema, Table: p.Table, Alias: p.Alias}
}
