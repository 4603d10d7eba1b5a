package sqllint_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestOracle asks a real planner about every case of testdata, at the structural
// level: where the analysis credits a relation with a path, the plan without
// sequential scans, hash joins and merge joins goes through one; where it reports
// a gap, the plan does not, and once the fix is applied it does.
//
// A case whose prose says "oracle: " and why is left out.
func TestOracle(t *testing.T) {
	ctx := context.Background()
	asked := 0
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	for _, c := range casetest.Glob(t, cases) {
		if strings.Contains(string(c.Comment), "oracle: ") {
			continue
		}
		t.Run(c.Rule+"/"+c.Name, func(t *testing.T) {
			ddl := fresh + c.Section("schema.sql")
			if _, err := s.Conn().PgConn().Exec(ctx, ddl).ReadAll(); err != nil {
				t.Fatalf("schema: %v", err)
			}
			o := &oracle{t: t, s: s, ddl: c.Section("schema.sql"), sql: c.Section("query.sql")}
			o.before()
			o.foreignKeys(false)
			o.after()
			o.foreignKeys(true)
			asked += o.asked
		})
	}
	t.Logf("%d relations of statements compared with plans", asked)
}

// fresh empties a database; app_reader is the role that cases with policies name.
const fresh = `
	drop schema public cascade; create schema public; grant usage on schema public to public;
	do $$ begin create role app_reader; exception when duplicate_object then null; end $$;
	alter default privileges in schema public grant all on tables to public;
`

type oracle struct {
	t        *testing.T
	s        *live.Session
	ddl, sql string
	asked    int
	// off are planner settings that are off beside the usual ones.
	off []string
}

// before compares every claim of the analysis with the plan.
func (o *oracle) before() {
	cat := schema(o.t, o.ddl)
	for _, st := range statements(o.t, o.sql) {
		an := predicate.Analyze(cat, st.Stmt, predicate.Options{Role: st.Role, RoleKnown: st.RoleKnown, Policies: true})
		for _, b := range an.Blocks {
			for _, rel := range b.Rels {
				if rel.Relation == nil || rel.Path == nil && rel.Gap == nil && b.OrderGap == nil || rel.Relation.Stub {
					continue
				}
				ordered := rel.Path != nil && rel.Path.Kind == predicate.InOrder || b.OrderGap != nil && b.OrderGap.Rel == rel
				text := st.Text
				if alone := rel.Alone(); alone != "" {
					text = alone
				}
				j := o.judge(cat, text, st.Role, rel.Relation, rel.Alias, ordered)
				gap := rel.Gap != nil || rel.Path == nil && b.OrderGap != nil && b.OrderGap.Rel == rel
				switch {
				case !j.Found || j.Unknown:
					continue
				case rel.Gap == nil && rel.Path != nil && !j.Path:
					o.t.Errorf("%s: a path (%s) was credited to %s and the planner has none: %s", st.Text, describe(rel.Path), rel.Alias, j.Why)
				case gap && rel.Path == nil && j.Path:
					o.t.Errorf("%s: a gap of %s was reported and the planner has a path: %s", st.Text, rel.Alias, j.Why)
				}
				o.asked++
			}
		}
	}
}

// foreignKeys compares what is said of every foreign key with the plan of the
// statement that the server runs when a referenced row goes. Once the fixes are
// applied each key that was reported has a path.
func (o *oracle) foreignKeys(fixed bool) {
	cat := schema(o.t, o.ddl)
	found := check(o.t, o.ddl, o.sql)
	for _, t := range cat.Relations() {
		for _, c := range t.Constraints {
			rel := predicate.ForeignKey(cat, t, c.Columns, nil)
			if c.Kind != catalog.ForeignKey || t.PartitionOf != (catalog.Name{}) || rel == nil || rel.Path == nil && rel.Gap == nil {
				continue
			}
			var conds []string
			for i, column := range c.Columns {
				conds = append(conds, fmt.Sprintf("%s = $%d", column, i+1))
			}
			j := o.judge(cat, "select 1 from "+t.Name.String()+" x where "+strings.Join(conds, " and "), "", t, "x", false)
			reported := slices.ContainsFunc(found, func(f finding) bool {
				return f.Object.Constraint == c.Name && f.Object.Table == t.Name.Name && f.Fix != nil
			})
			switch o.asked++; {
			case !fixed && j.Path != (rel.Path != nil):
				o.t.Errorf("foreign key %s of %s: a path is %v by the analysis, by the planner %v: %s", c.Name, t.Name.Name, rel.Path != nil, j.Path, j.Why)
			case fixed && reported && !j.Path:
				o.t.Errorf("foreign key %s of %s: the fix gives no path: %s", c.Name, t.Name.Name, j.Why)
			}
		}
	}
}

// after applies the fixes and asks again about what was reported.
func (o *oracle) after() {
	ctx := context.Background()
	cat := schema(o.t, o.ddl)
	findings := check(o.t, o.ddl, o.sql)
	for _, f := range findings {
		if f.Fix == nil {
			continue
		}
		for _, sql := range f.Fix.SQL {
			if _, err := o.s.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
				o.t.Fatalf("the fix %s: %v", sql, err)
			}
		}
	}
	for _, f := range findings {
		p := f.Probe
		if p.SQL == "" || f.Fix == nil || len(f.Fix.SQL) == 0 {
			continue
		}
		rel := cat.Relation(p.Schema, p.Table)
		j := o.judge(cat, p.SQL, p.Role, rel, p.Alias, p.NeedsOrder)
		if j.Found && !j.Unknown && !j.Path && !strings.Contains(f.Fix.SQL[0], "pg_trgm") {
			o.t.Errorf("%s: the fix %s gives no path: %s", p.SQL, f.Fix.SQL, j.Why)
		}
		o.asked++
	}
	// After the fixes the checker itself has nothing left to say of these tables.
	left := check(o.t, o.ddl+"\n"+strings.Join(fixes(findings), ";\n")+";", o.sql)
	for _, f := range left {
		if slices.ContainsFunc(findings, func(g finding) bool { return g.Message == f.Message }) && f.Fix != nil && len(f.Fix.SQL) > 0 {
			o.t.Errorf("the fix does not clear its own finding: %s", f.Message)
		}
	}
}

func (o *oracle) judge(cat *catalog.Catalog, sql, role string, rel *catalog.Relation, alias string, ordered bool) plan.Judgement {
	o.t.Helper()
	req := plan.Request{SQL: sql, Role: role, Generic: true}
	if len(cat.Partitions(rel.Name)) > 0 { // pruning needs values
		req.Generic, req.Args = false, o.values(sql)
	}
	p, err := o.plan(req)
	if err != nil {
		o.t.Fatalf("%s: %v", sql, err)
	}
	return o.structural(p, cat, rel, alias, ordered)
}

// plan plans a statement so that its plan can be judged.
func (o *oracle) plan(r plan.Request) (*plan.Plan, error) {
	r.Off = []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material"}
	r.Off = append(r.Off, o.off...)
	return o.s.Explain(context.Background(), r)
}

func (o *oracle) structural(p *plan.Plan, cat *catalog.Catalog, rel *catalog.Relation, alias string, ordered bool) plan.Judgement {
	r := plan.Relation{Schema: rel.Schema, Table: rel.Name.Name, Alias: alias}
	tables := []string{rel.Name.String()}
	for _, part := range cat.Partitions(rel.Name) {
		if r.Parts == nil {
			r.Parts = map[string]bool{}
		}
		r.Parts[part.Name.String()] = true
		r.Leaves++
		tables = append(tables, part.Name.String())
	}
	return plan.Structural(p, r, o.indexes(tables), ordered)
}

// values are some for the parameters of a statement.
func (o *oracle) values(sql string) []*string {
	o.t.Helper()
	types, err := o.s.ParamTypes(context.Background(), sql)
	if err != nil {
		o.t.Fatalf("%s: %v", sql, err)
	}
	out := make([]*string, len(types))
	for i, typ := range types {
		v := "1"
		if strings.HasPrefix(typ, "timestamp") || typ == "date" {
			v = "2024-01-01"
		}
		out[i] = &v
	}
	return out
}

func (o *oracle) indexes(tables []string) plan.Indexes {
	out := plan.Indexes{}
	for _, t := range tables {
		rows, err := o.s.Query(context.Background(), `select n.nspname::text, i.relname::text, am.amname::text, (x.indpred is not null)::text,
			pg_get_indexdef(x.indexrelid, k, false)
			from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
			join pg_am am on am.oid = i.relam, generate_series(1, x.indnkeyatts) k
			where x.indrelid = to_regclass($1) order by 1, 2, k`, &t)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, r := range rows {
			def := out[*r[0]+"."+*r[1]]
			def.Name, def.Method, def.Partial = *r[1], *r[2], *r[3] == "true"
			def.Keys = append(def.Keys, *r[4])
			out[*r[0]+"."+*r[1]] = def
		}
	}
	return out
}

func describe(p *predicate.Path) string {
	if p.Index == nil {
		return string(p.Kind)
	}
	return fmt.Sprintf("%s of %s", p.Kind, p.Index.Name)
}
