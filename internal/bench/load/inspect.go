package load

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/plan"
)

// Inspect runs a statement until its prepared plan is settled, and once more under EXPLAIN
// ANALYZE without timing: what it does that is the same in each run. As when it is
// measured, each execution is rolled back.
func Inspect(ctx context.Context, d *suite.DB, c *suite.Statement, id string) (*results.Work, error) {
	open, err := Statements(d, c, id)
	if err != nil {
		return nil, err
	}
	client, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for range dbSettled {
		if o := work(ctx, client, c.Load.Timeout); o.Class != "" {
			return nil, fmt.Errorf("case %s: fails with %s", c.Name, o.Class)
		}
	}
	return client.(*sqlClient).inspect(ctx)
}

// dbSettled is after how many executions a prepared statement has the plan that it keeps.
const dbSettled = 6

func (k *sqlClient) inspect(ctx context.Context) (*results.Work, error) {
	ctx, cancel := context.WithTimeout(ctx, k.c.Load.Timeout)
	defer cancel()
	if _, err := k.conn.PgConn().Exec(ctx, cmp.Or(k.begin, "begin")).ReadAll(); err != nil {
		return nil, fmt.Errorf("case %s: %s", k.c.Name, reason(err))
	}
	defer k.rollback(ctx)
	sql := k.c.SQL
	params := k.args[0]
	if k.c.Protocol != "simple" {
		values := make([]string, len(params))
		for i, p := range params {
			if values[i] = "null"; p != nil {
				values[i] = literal(string(p))
			}
		}
		if sql, params = "execute "+prepared, nil; len(values) > 0 {
			sql += "(" + strings.Join(values, ", ") + ")"
		}
	}
	r := k.conn.PgConn().ExecParams(ctx, "explain (analyze, timing off, summary off, verbose, settings, buffers, wal, format json) "+sql, params, nil, nil, nil).Read()
	if r.Err != nil {
		return nil, fmt.Errorf("case %s: explaining: %s", k.c.Name, reason(r.Err))
	}
	var text []byte
	for _, row := range r.Rows {
		text = append(append(text, row[0]...), '\n')
	}
	p, err := plan.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", k.c.Name, err)
	}
	w := workOf(p)
	return w, k.sizes(ctx, w)
}

// workOf is what a plan that ran has done.
func workOf(p *plan.Plan) *results.Work {
	w := &results.Work{Fingerprint: p.Fingerprint(), Plan: p.Skeleton(), Settings: p.Settings}
	blocks, rows, wal := p.Blocks(), int64(p.Root.AllRows()), p.Root.WALRecords
	if p.Root.Type == "ModifyTable" && len(p.Root.Children) > 0 && rows == 0 { // no RETURNING
		for _, c := range p.Root.Children {
			if c.Relationship != "InitPlan" && c.Relationship != "SubPlan" {
				rows += int64(c.AllRows())
			}
		}
	}
	one := 1.0
	w.Blocks, w.Rows, w.WALRecords, w.Statements, w.RoundTrips = &blocks, &rows, &wal, &one, &one
	p.Walk(func(n *plan.Node) {
		index := n.Index
		if index != "" && n.Schema != "" {
			index = n.Schema + "." + index
		}
		// The index of a bitmap has no table by its name; its heap scan stands above.
		if n.Type == "Bitmap Index Scan" {
			for up := n.Parent; up != nil; up = up.Parent {
				if up.Relation != "" {
					w.Scans = append(w.Scans, results.Scan{Relation: up.Full(), Alias: up.Alias, Index: schemaOf(up) + n.Index, How: n.Title(), Pages: -1, Rows: -1})
					return
				}
			}
			return
		}
		if n.Relation != "" && n.Type != "ModifyTable" && n.Type != "Bitmap Heap Scan" {
			w.Scans = append(w.Scans, results.Scan{Relation: n.Full(), Alias: n.Alias, Index: index, How: n.Title(), Pages: -1, Rows: -1})
		}
	})
	return w
}

func schemaOf(n *plan.Node) string {
	if n.Schema == "" {
		return ""
	}
	return n.Schema + "."
}

// sizes are looked up by a table's name; who may not read the catalog by it has none.
func (k *sqlClient) sizes(ctx context.Context, w *results.Work) error {
	const sql = `select pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint, greatest(c.reltuples, -1)::bigint,
array(select n.nspname || '.' || i.relname from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid and x.indisvalid order by 1)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname || '.' || c.relname = $1`
	for i := range w.Scans {
		r := &w.Scans[i]
		rows, err := k.conn.Query(ctx, sql, r.Relation)
		if err != nil {
			return fmt.Errorf("case %s: sizes: %s", k.c.Name, reason(err))
		}
		for rows.Next() {
			if err := rows.Scan(&r.Pages, &r.Rows, &r.Indexes); err != nil {
				rows.Close()
				return fmt.Errorf("case %s: sizes: %s", k.c.Name, reason(err))
			}
		}
		if rows.Close(); rows.Err() != nil {
			return fmt.Errorf("case %s: sizes: %s", k.c.Name, reason(rows.Err()))
		}
	}
	return nil
}
