package explain

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// read measures a select on the whole table, and counts the foreign rows in it.
func (t *trial) read() error {
	m := &arm{sql: "select * from " + identOf(t.rel.Name), id: t.id}
	if _, _, err := t.interleave([]*arm{m}); err != nil {
		return err
	}
	r := m.result(int64(m.last.Root.Rows))
	t.cell.MS, t.cell.Blocks, t.cell.Rows = r.MS, r.Blocks, r.Rows
	if t.tenant.known() {
		err := t.as(t.id, func() error {
			n, err := t.count("select count(*)::text from " + identOf(t.rel.Name) + " where " + t.tenant.foreign())
			t.cell.Foreign = &n
			return err
		})
		if err != nil {
			return fmt.Errorf("counting foreign rows: %w", err)
		}
	}
	return t.withTo(m)
}

func (t *trial) count(sql string) (n int64, err error) {
	rows, err := t.s.Query(t.ctx, sql)
	if err == nil {
		_, err = fmt.Sscan(*rows[0][0], &n)
	}
	return n, err
}

// withTo measures the read where policies for every role name a role, for an identity
// that they show nothing: only where policies can be altered.
func (t *trial) withTo(m *arm) error {
	if t.cell.Rows > 0 || t.id.Role != anonymous || !t.own {
		return nil
	}
	var policies []applied
	for _, p := range t.rel.Policies {
		policies = append(policies, applied{t.rel, p})
	}
	r := toRemedy(policies, "authenticated")
	if _, ok := t.cat.Roles["authenticated"]; !ok || len(r.sql) == 0 {
		return nil
	}
	return t.as(Identity{}, func() error {
		for _, sql := range r.sql {
			if err := t.s.Exec(t.ctx, sql); err != nil {
				return err
			}
		}
		after := &arm{sql: m.sql, id: m.id}
		if _, _, err := t.interleave([]*arm{after}); err != nil {
			return err
		}
		res := after.result(int64(after.last.Root.Rows))
		res.SQL = ""
		t.cell.WithTo = &res
		return nil
	})
}

// change updates or deletes all rows that the identity may, and counts the foreign
// ones among them. An update sets a column to itself, so that no check but the
// policies' decides.
func (t *trial) change() error {
	if len(t.rel.Columns) == 0 {
		return errors.New("the table has no columns")
	}
	sql := "delete from " + identOf(t.rel.Name)
	if t.cell.Verb == "update" {
		column := t.settable()
		if column == "" {
			return errors.New("every column of the table is generated")
		}
		sql = "update " + identOf(t.rel.Name) + " set " + quoted(column) + " = " + quoted(column)
	}
	id := t.id
	if t.own {
		// Keys that refer to the rows would stop a delete; policies bind all the same.
		id.Settings = maps.Clone(id.Settings)
		id.Settings["session_replication_role"] = "replica"
	}
	if err := t.permit(sql, t.id); err != nil {
		return err
	}
	foreign := "select count(*)::text from " + identOf(t.rel.Name) + " where " + t.tenant.foreign()
	var before int64
	xid := ""
	if t.tenant.known() {
		n, err := t.count(foreign)
		if err != nil {
			return err
		}
		rows, err := t.s.Query(t.ctx, "select pg_catalog.pg_current_xact_id()::text")
		if err != nil {
			return err
		}
		before, xid = n, *rows[0][0]
	}
	return t.as(id, func() error {
		p, err := t.analyze(sql)
		if err != nil {
			return err
		}
		t.cell.MS, t.cell.Blocks = p.ExecutionMS, p.Blocks()
		if t.cell.Rows, err = changed(p), t.s.Exec(t.ctx, "reset role"); err != nil || !t.tenant.known() {
			return err
		}
		n, err := t.count(foreign + ours(t.cell.Verb, xid))
		if t.cell.Verb == "delete" {
			n = before - n
		}
		t.cell.Foreign = &n
		return err
	})
}

// ours restricts to row versions that this transaction made: their xmin is not older
// than the transaction and still in progress. What a delete leaves is counted instead.
func ours(verb, xid string) string {
	if verb == "delete" {
		return ""
	}
	return fmt.Sprintf(` and case when xmin::text::bigint >= %[1]s::bigint %% (1::bigint << 32)
		then pg_catalog.pg_xact_status((%[1]s::bigint - %[1]s::bigint %% (1::bigint << 32) + xmin::text::bigint)::text::xid8) = 'in progress' end`, xid)
}

// settable is a column that an update may set to itself.
func (t *trial) settable() string {
	for _, c := range t.rel.Columns {
		if !c.Generated && c.Identity != "always" {
			return c.Name
		}
	}
	return ""
}

// analyze runs a statement in the transaction and leaves what it wrote.
func (t *trial) analyze(sql string, args ...*string) (*plan.Plan, error) {
	rows, err := t.s.Query(t.ctx, "explain (analyze, buffers, timing off, verbose, format json) "+sql, args...)
	if err != nil {
		return nil, err
	}
	return plan.Parse([]byte(*rows[0][0]))
}

// changed are the rows that a plan handed to its ModifyTable.
func changed(p *plan.Plan) int64 {
	var n float64
	p.Walk(func(m *plan.Node) {
		if m.Parent != nil && m.Parent.Type == "ModifyTable" && m.Relationship != "InitPlan" && m.Relationship != "SubPlan" {
			n += m.Rows * max(m.Loops, 1)
		}
	})
	return int64(n)
}

// insert tries a copy of another tenant's row, which a policy must refuse, and then
// one of the identity's own, which is measured. Columns that the table fills itself
// are left to it. A policy is asked before a key is: a row that is refused for its key
// was let through.
func (t *trial) insert(why string) error {
	if !t.tenant.known() {
		return errors.New(why)
	}
	foreign, err := t.try(t.tenant.foreign())
	if err != nil {
		return err
	}
	own, err := t.try(t.tenant.mine())
	if err != nil {
		return err
	}
	n := int64(0)
	if foreign.let {
		n = 1
	}
	switch {
	case foreign.let:
		t.cell.Foreign, t.cell.Rows = &n, 1
	case !foreign.tried:
		return errors.New("there is no row of another tenant to copy")
	default:
		t.cell.Foreign = &n
		if own.let {
			t.cell.Rows, t.cell.MS, t.cell.Blocks = 1, own.ms, own.blocks
		} else if own.tried {
			t.cell.Outcome, t.cell.Reason = Denied, own.refused
		}
	}
	return nil
}

// attempt is what became of an insert.
type attempt struct {
	tried, let bool
	refused    string
	ms         float64
	blocks     int64
}

// try inserts a copy of a row that a condition finds.
func (t *trial) try(where string) (out attempt, err error) {
	var columns, values, key []string
	for _, k := range t.rel.Constraints {
		if k.Kind == catalog.PrimaryKey {
			key = k.Columns
		}
	}
	for _, c := range t.rel.Columns {
		if c.Generated || c.Identity != "" || strings.HasPrefix(c.Default, "nextval(") || c.HasDefault && slices.Contains(key, c.Name) {
			continue
		}
		columns, values = append(columns, quoted(c.Name)), append(values, quoted(c.Name)+"::text")
	}
	if len(columns) == 0 {
		return out, errors.New("the table fills every column itself")
	}
	rows, err := t.s.Query(t.ctx, "select "+strings.Join(values, ", ")+" from "+identOf(t.rel.Name)+" where "+where+" limit 1")
	if err != nil || len(rows) == 0 {
		return out, err
	}
	params := make([]string, len(columns))
	for i := range columns {
		params[i] = fmt.Sprintf("$%d", i+1)
	}
	sql := "insert into " + identOf(t.rel.Name) + " (" + strings.Join(columns, ", ") + ") values (" + strings.Join(params, ", ") + ")"
	if err := t.permit(sql, t.id); err != nil {
		return out, err
	}
	var failed error
	out.tried = true
	err = t.as(t.id, func() error {
		p, err := t.analyze(sql, rows[0]...)
		if failed = err; err == nil {
			out.ms, out.blocks = p.ExecutionMS, p.Blocks()
		}
		return nil
	})
	switch {
	case err != nil:
		return out, err
	case failed == nil, strings.HasPrefix(live.Code(failed), "23"): // a key or a check of the table
		out.let = true
	case live.Code(failed) == insufficientPrivilege:
		out.refused = message(failed)
	default:
		return out, failed
	}
	return out, nil
}

// toRemedy names a role in policies that have none.
func toRemedy(policies []applied, role string) remedy {
	r := remedy{kind: Rewrite, title: "policies name their role: to " + role + "; " + anonymous + " then pays for none of them"}
	for _, p := range policies {
		if len(p.policy.Roles) == 0 || p.policy.Roles[0] == "public" {
			r.sql = append(r.sql, "alter policy "+policyOn(p)+" to "+named(role))
			r.undo = append(r.undo, "alter policy "+policyOn(p)+" to public")
		}
	}
	return r
}

// policyOn names a policy in a statement.
func policyOn(p applied) string { return named(p.policy.Name) + " on " + identOf(p.rel.Name) }

// named is a name in a statement, quoted where it needs it.
func named(name string) string { return pgast.Format(&pgast.ColumnRef{At: -1, Names: []string{name}}) }
