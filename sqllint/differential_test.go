package sqllint_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestDifferential compares the analysis with a real planner on random schemas and
// statements, at the structural level: a path that is credited is one, for every
// value or for those at hand; a relation that is said to have none has none.
//
// PLANVET_DIFFERENTIAL=N runs N schemas, of 25 statements each; the default is a
// few seconds' worth. PLANVET_DIFFERENTIAL_FROM=N starts at seed N.
func TestDifferential(t *testing.T) {
	ctx := context.Background()
	s, err := live.Connect(ctx, shadowtest.URL(t), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	number := func(name string, n int) int {
		if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return v
		}
		return n
	}
	from := number("PLANVET_DIFFERENTIAL_FROM", 1)
	d := &differ{t: t, s: s}
	for seed := from; seed < from+number("PLANVET_DIFFERENTIAL", 12); seed++ {
		d.run(seed)
	}
	t.Logf("%d statements, %d relations compared with plans, %d with a path and %d without; %d statements that the server refused",
		d.statements, d.paths+d.gaps, d.paths, d.gaps, d.refused)
}

type differ struct {
	t                                *testing.T
	s                                *live.Session
	statements, paths, gaps, refused int
}

func (d *differ) run(seed int) {
	ctx := context.Background()
	g := newGenerator(uint64(seed))
	ddl := g.schema()
	if _, err := d.s.Conn().PgConn().Exec(ctx, "drop schema public cascade; create schema public").ReadAll(); err != nil {
		d.t.Fatal(err)
	}
	// An index that the server refuses is left out.
	var taken []string
	for _, stmt := range strings.Split(strings.TrimSpace(ddl), ";\n") {
		if _, err := d.s.Conn().PgConn().Exec(ctx, stmt).ReadAll(); err == nil {
			taken = append(taken, strings.TrimSuffix(stmt, ";"))
		} else if !strings.HasPrefix(stmt, "create index") && !strings.HasPrefix(stmt, "create view") {
			d.t.Fatalf("seed %d: %v in %s", seed, err, stmt)
		}
	}
	ddl = strings.Join(taken, ";\n") + ";\n"
	cat := schema(d.t, ddl)
	o := &oracle{t: d.t, s: d.s}
	for range 25 {
		sql, sets := g.statement()
		d.compare(o, cat, sql, sets, func(format string, a ...any) {
			d.t.Errorf("seed %d: %s\n%s%s", seed, fmt.Sprintf(format, a...), named(taken, sql), sql)
		})
	}
}

// compare asks about every relation of one statement.
func (d *differ) compare(o *oracle, cat *catalog.Catalog, sql string, sets [][]*string, fail func(string, ...any)) {
	stmt, err := pgast.Parse(sql)
	if err != nil {
		fail("%v", err)
		return
	}
	if _, err := o.plan(plan.Request{SQL: sql, Args: sets[0]}); err != nil {
		d.refused++
		return
	}
	d.statements++
	for _, b := range predicate.Analyze(cat, stmt, predicate.Options{}).Blocks {
		for _, rel := range b.Rels {
			// A silence is a claim too where the relation stands alone.
			alone := len(b.Rels) == 1 && len(rel.Conjuncts) > 0 && b.Parent == nil && b.OrderGap == nil
			orderGap := b.OrderGap != nil && b.OrderGap.Rel == rel && len(b.Rels) == 1
			if rel.Relation == nil || rel.Path == nil && rel.Gap == nil && !orderGap && !alone || incomparable(b, rel) {
				continue
			}
			ordered := b.MinMax || b.Limit && len(b.OrderBy) > 0
			text := sql
			if a := rel.Alone(); a != "" {
				text = a
			}
			path, none, why := d.ask(o, cat, text, sets, rel, ordered)
			if rel.Path != nil && rel.Gap == nil && none && !path {
				path = d.alone(o, rel.Path, func() bool {
					p, _, w := d.ask(o, cat, sql, sets, rel, ordered)
					if rel.Path.Kind == predicate.Bitmap && !strings.HasPrefix(w, "Seq Scan") {
						return true // one of the indexes, walked, is less than the union
					}
					if probe := probe(rel); !p && probe != "" {
						p, _, _ = d.ask(o, cat, probe, nil, rel, ordered)
					}
					return p
				})
			}
			switch {
			case rel.Path != nil && rel.Gap == nil && none && !path:
				fail("credited: %s has a path (%s), the planner has none: %s", rel.Alias, describe(rel.Path), why)
			case rel.Gap != nil && path:
				fail("false alarm: %s is said to have no path, the planner has one: %s", rel.Alias, why)
			case rel.Path == nil && path && (orderGap || alone):
				fail("unseen: %s has a path by the planner: %s", rel.Alias, why)
			case path:
				d.paths++
			case none:
				d.gaps++
			}
		}
	}
}

// incomparable is set for paths that are there, and that a planner need not take.
//
//  1. An order that an index gives is one way among others where quals filter too.
//  2. Pruning by a range or an array may leave all partitions, and by a join or a
//     subquery it is done when the statement runs: no plan shows it.
//  3. What is joined from a relation without a path has one once that gap is closed,
//     and without sequential scans the planner walks that one and probes this.
func incomparable(b *predicate.Block, rel *predicate.Rel) bool {
	unreached := slices.ContainsFunc(b.Rels, func(r *predicate.Rel) bool {
		return r != rel && (r.Relation == nil && !r.Reached || r.Relation != nil && (r.Path == nil || slices.ContainsFunc(r.Path.Used, func(c predicate.Conjunct) bool { return c.FromJoin })))
	})
	if rel.Gap != nil {
		// A partition is not asked for by what it is not.
		pruned := slices.ContainsFunc(rel.Conjuncts, func(c predicate.Conjunct) bool {
			return c.Op == "<>" && slices.Contains(rel.Relation.PartitionKeys, c.Column)
		})
		return unreached && (rel.Gap.Kind == predicate.GapJoin || rel.Alone() == "") || pruned
	}
	if rel.Path == nil {
		return false
	}
	joined := slices.ContainsFunc(rel.Path.Used, func(c predicate.Conjunct) bool { return c.FromJoin })
	if joined && slices.ContainsFunc(b.Rels, func(r *predicate.Rel) bool { return r.Gap != nil }) {
		return true
	}
	switch rel.Path.Kind {
	case predicate.InOrder:
		return b.MinMax || len(rel.Conjuncts) > 0 || len(b.Rels) > 1
	case predicate.AnyKey: // with an array its bitmap is built once for each element
		return slices.ContainsFunc(rel.Path.Used, func(c predicate.Conjunct) bool { return c.Array })
	case predicate.Pruning:
		return slices.ContainsFunc(rel.Path.Used, func(c predicate.Conjunct) bool {
			return c.Op != "=" || c.Outer || c.FromJoin || c.Array || c.Kind == predicate.Subquery
		})
	}
	return false
}

func has(p *plan.Plan, node string) bool {
	found := false
	p.Walk(func(n *plan.Node) { found = found || n.Type == node })
	return found
}

// alone asks while the indexes of a path are the only ones: with others at hand the
// planner may walk one of those for less, which says nothing of the path.
func (d *differ) alone(o *oracle, p *predicate.Path, ask func() bool) bool {
	if p.Kind == predicate.Bitmap {
		o.off = []string{"enable_indexscan", "enable_indexonlyscan"}
		defer func() { o.off = nil }()
	}
	ctx := context.Background()
	if err := d.s.Begin(ctx); err != nil {
		d.t.Fatal(err)
	}
	defer d.s.Rollback(ctx)
	var names []string
	if p.Index != nil {
		names = append(names, p.Index.Name)
	}
	for _, x := range p.Indexes {
		names = append(names, x.Name)
	}
	list := strings.Join(names, ",")
	err := d.s.Exec(ctx, `update pg_index set indisvalid = false where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
		and not exists (select 1 from pg_partition_ancestors(indexrelid) a join pg_class c on c.oid = a.relid where c.relname = any ('{`+list+`}'))
		and not exists (select 1 from pg_class c where c.oid = indexrelid and c.relname = any ('{`+list+`}'))`)
	if err != nil {
		d.t.Fatal(err)
	}
	return ask()
}

// probe reads a relation by the join clauses of its path, each with a value of the
// other side; "" where the path has none. Which side of a join drives the other is
// the planner's choice.
func probe(rel *predicate.Rel) string {
	var quals []string
	for _, c := range rel.Path.Used {
		if c.FromJoin && c.Op == "=" && c.Column != "" && c.Other != nil && c.Other.Relation != nil && c.OtherColumn != "" {
			quals = append(quals, rel.Alias+"."+c.Column+" = (select "+c.OtherColumn+" from "+c.Other.Relation.Name.String()+" limit 1)")
		}
	}
	if len(quals) == 0 {
		return ""
	}
	return "select 1 from " + rel.Relation.Name.String() + " " + rel.Alias + " where " + strings.Join(quals, " and ")
}

// named are the statements of a schema that matter for one query.
func named(ddl []string, sql string) string {
	var out strings.Builder
	for _, s := range ddl {
		for _, name := range []string{"t0", "t1", "t2", "t3", "t4", "v0", "v1"} {
			view := strings.Contains(sql, "v0 ") || strings.Contains(sql, "v1 ")
			if (view || strings.Contains(sql, name+" ")) && strings.Contains(strings.TrimPrefix(s, "create table ")+" ", name) {
				out.WriteString(s + ";\n")
				break
			}
		}
	}
	return out.String()
}

// ask plans for every value and for those at hand.
func (d *differ) ask(o *oracle, cat *catalog.Catalog, sql string, sets [][]*string, rel *predicate.Rel, ordered bool) (path, none bool, why string) {
	requests := []plan.Request{{SQL: sql, Generic: true}}
	for _, set := range sets {
		if len(set) == 0 {
			break
		}
		requests = append(requests, plan.Request{SQL: sql, Args: set})
	}
	for _, r := range requests {
		p, err := o.plan(r)
		if err != nil {
			continue // Alone leaves parameters out
		}
		j := o.structural(p, cat, rel.Relation, rel.Alias, ordered)
		if !j.Found || j.Unknown || ordered && has(p, "Incremental Sort") {
			continue // sorting within a prefix is as good as the prefix
		}
		if j.Path || !path {
			why = j.Why
		}
		path, none = path || j.Path, none || !j.Path
	}
	return path, none, why
}
