package explain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

const (
	// hotCalls and hotPart are from when on a statement is hot: calls since the
	// counters began, and its share of the time of all statements.
	hotCalls = 1000
	hotPart  = 0.05
	// seldom is how many rows may be written for a call, for a table to be stable.
	seldom = 0.01
)

// caching recommends to keep a statement's result, which takes evidence of all of:
//
//  1. hot: pg_stat_statements has it with many calls and much of the total time;
//  2. the same parameters: it has none there, constants included;
//  3. the same for everybody: no policy binds the role, and nothing of the session or
//     the clock is in it;
//  4. stable: its tables were hardly written, by their counters, since the counters
//     of the statement began.
//
// Where any of it cannot be seen, there is no recommendation.
func (p *prover) caching() ([]Recommendation, error) {
	if !oneForAll(p.s.tree) {
		return nil, nil
	}
	all, err := p.s.session.Statements(p.ctx)
	if errors.Is(err, live.ErrNoStatements) || live.Code(err) != "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st, share := hot(all, p.s.tree)
	if st == nil || strings.Contains(st.Query, "$") {
		return nil, nil
	}
	if err := p.look(); err != nil { // who the session is
		return nil, err
	}
	p.knowOwners()
	tables, secured := p.tablesOf()
	if len(tables) == 0 || secured {
		return nil, nil
	}
	written, ok := p.written(tables)
	if !ok || written > seldom*float64(st.Calls) {
		return nil, nil
	}
	each := st.ExecMS / float64(st.Calls)
	return []Recommendation{{
		Kind:  Caching,
		Title: "keep the result in the application, or in a materialized view, for as long as it may be old",
		Cost:  "readers see what was true when it was kept; it must be made anew when a table is written",
		Why: fmt.Sprintf("not verified: what a reader may miss cannot be measured; %d calls of %.2f ms with no parameter are %.0f %% of all time in pg_stat_statements, and %.0f rows of its tables were written since the server began to count",
			st.Calls, each, 100*share, written),
	}}, nil
}

// oneForAll reports whether a statement asks the same whoever asks and whenever: it
// only reads, has no parameter, and calls nothing but aggregates.
func oneForAll(tree pgast.Stmt) bool {
	if _, ok := tree.(*pgast.Select); !ok || writes(tree) {
		return false
	}
	ok := true
	pgast.Walk(tree, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Param, *pgast.ValueFunc:
			ok = false
		case *pgast.FuncCall:
			name := n.Name[len(n.Name)-1]
			ok = ok && (n.Star || strings.Contains(" count sum min max avg array_agg string_agg json_agg jsonb_agg coalesce lower upper length round ", " "+name+" "))
		}
		return ok
	})
	return ok
}

// hot is the statement's row of pg_stat_statements where it is hot, and its share of
// the time of all rows, those of other roles added.
func hot(all *live.Statements, tree pgast.Stmt) (*live.Statement, float64) {
	want, total := pgast.Fingerprint(tree), 0.0
	var found *live.Statement
	for i := range all.All {
		st := &all.All[i]
		total += st.ExecMS
		if t, err := pgast.Parse(st.Query); err != nil || pgast.Fingerprint(t) != want {
			continue
		}
		if found == nil {
			copied := *st
			found = &copied
			continue
		}
		if found.Query != st.Query {
			return nil, 0 // with other constants it is another question
		}
		found.Calls, found.ExecMS = found.Calls+st.Calls, found.ExecMS+st.ExecMS
	}
	if found == nil || total <= 0 || found.Calls < hotCalls || found.ExecMS < hotPart*total {
		return nil, 0
	}
	return found, found.ExecMS / total
}

// tablesOf are the tables that the statement reads; secured is set where policies bind
// its role, or something else than a table is read.
func (p *prover) tablesOf() (out []catalog.Name, secured bool) {
	an := predicate.Analyze(p.s.cat, p.s.tree, predicate.Options{Role: p.role(), RoleKnown: true, Policies: true, SearchPath: p.s.cat.SearchPath})
	if len(an.Unresolved) > 0 {
		return nil, true
	}
	for _, b := range an.Blocks {
		for _, r := range b.Rels {
			switch {
			case r.Relation == nil:
			case !r.Relation.IsTable() && r.Relation.Kind != catalog.MaterializedView:
				return nil, true
			default:
				secured = secured || r.Security
				out = append(out, r.Relation.Name)
			}
		}
	}
	return out, secured
}

// written counts the rows written to tables; ok is false where a counter is missing,
// or all are 0, which a reset looks like.
func (p *prover) written(tables []catalog.Name) (sum float64, ok bool) {
	for _, t := range tables {
		name := quoted(t.Schema) + "." + quoted(t.Name)
		rows, err := p.s.session.Query(p.ctx, `select sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::text, sum(s.seq_scan + coalesce(s.idx_scan, 0))::text
			from pg_catalog.pg_stat_all_tables s where s.relid in (select t.relid from pg_catalog.pg_partition_tree(to_regclass($1)) t union select to_regclass($1))`, &name)
		if err != nil || len(rows) != 1 || rows[0][0] == nil || rows[0][1] == nil || *rows[0][1] == "0" {
			return 0, false
		}
		n, err := strconv.ParseFloat(*rows[0][0], 64)
		if err != nil {
			return 0, false
		}
		sum += n
	}
	return sum, true
}
