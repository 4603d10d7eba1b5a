package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/results"
)

// statistics are the counters of pg_stat_statements for one database.
type statistics struct {
	conn *pgx.Conn
	sql  string
}

// counting marks the statement that reads the counters, which counts itself.
const counting = "/* planvet: counting */"

// openStatistics finds pg_stat_statements; nil where the server does not have it, or does
// not let its counters be read.
func openStatistics(ctx context.Context, conn *pgx.Conn) *statistics {
	var schema string
	var nested bool
	err := conn.QueryRow(ctx, `select n.nspname, exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
where c.relname = 'pg_stat_statements' and c.relnamespace = n.oid and a.attname = 'toplevel')
from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`).Scan(&schema, &nested)
	if err != nil {
		return nil
	}
	s := &statistics{conn: conn}
	// What only begins and ends transactions is no query; statements within functions are
	// part of those that call them.
	s.sql = `select ` + counting + ` coalesce(sum(calls) filter (where query !~* '^\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release)\M'), 0)::float8,
coalesce(sum(total_exec_time + total_plan_time), 0)::float8
from ` + pgx.Identifier{schema, "pg_stat_statements"}.Sanitize() + `
where dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and query not like '%planvet: counting%'`
	if nested {
		s.sql += " and toplevel"
	}
	// The view is there without its library too, and fails.
	if _, _, err := s.read(ctx); err != nil {
		return nil
	}
	return s
}

// read is how many statements there were, and how long they took.
func (s *statistics) read(ctx context.Context) (calls float64, took time.Duration, err error) {
	var ms float64
	err = s.conn.QueryRow(ctx, s.sql).Scan(&calls, &ms)
	return calls, milli(ms), err
}

// countedRuns is over how many runs of a flow the median of its statements is; what another
// session does meanwhile is in one of them, or two.
const countedRuns = 5

// countFlow goes through a flow at concurrency 1 and counts the statements of each step.
// Steps that are parallel cannot be told apart: theirs are the flow's alone.
func countFlow(ctx context.Context, w *flow, out *results.Flow) error {
	conn, err := pgx.ConnectConfig(ctx, w.cfg.Copy())
	if err != nil {
		return fmt.Errorf("flow %s: counting its statements: %s", w.f.Name, reason(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	s := openStatistics(ctx, conn)
	if s == nil {
		return nil
	}
	counts := make([][]float64, len(w.groups))
	var last float64
	w.counted = func(ctx context.Context, g int) {
		now, _, err := s.read(ctx)
		if err == nil {
			counts[g] = append(counts[g], now-last)
			last = now
		}
	}
	defer func() { w.counted = nil }()
	client, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	for i := range countedRuns + 1 {
		if i == 1 { // the first run connects, and prepares
			counts = make([][]float64, len(w.groups))
		}
		if last, _, err = s.read(ctx); err != nil {
			return fmt.Errorf("flow %s: counting its statements: %s", w.f.Name, reason(err))
		}
		work(ctx, client, w.timeout())
	}
	var all float64
	for g := range w.groups {
		if len(counts[g]) == 0 {
			return nil // a step before it fails
		}
		slices.Sort(counts[g])
		n := counts[g][len(counts[g])/2]
		if all += n; len(w.groups[g].steps) == 1 {
			out.Steps[w.groups[g].steps[0].index].Queries = &n
		}
	}
	out.Queries = &all
	return nil
}

// How much is measured for the database's share.
const (
	shareRuns    = 30
	shareWindows = 8               // of pg_stat_database, of about a second each
	sharePatient = 4 * time.Second // for one of them
)

// databaseShare is how much of the time of requests, one after the other, the database
// takes: by pg_stat_statements where it is there, else by pg_stat_database.active_time,
// which PostgreSQL has from 14 on; nil without either. What others do in the database at
// the same time counts as well.
func databaseShare(ctx context.Context, url, id string, open func(context.Context) (Client, error), timeout time.Duration) (*results.DatabaseTime, error) {
	cfg, err := configOf(url, "api", id, "database time")
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connecting to database %s at %s:%d as %s: %s", cfg.Database, cfg.Host, cfg.Port, cfg.User, reason(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	client, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var r ratio
	if s := openStatistics(ctx, conn); s != nil {
		_, last, err := s.read(ctx)
		for i := 0; i < shareRuns && err == nil && ctx.Err() == nil; i++ {
			o := work(ctx, client, timeout)
			var now time.Duration
			if _, now, err = s.read(ctx); err == nil && o.Class == "" {
				r.add(now-last, o.End.Sub(o.Begin))
			}
			last = now
		}
		if e := r.estimate(); e != nil && err == nil {
			return &results.DatabaseTime{Ratio: *e, Source: "statements"}, nil
		}
		return nil, nil
	}
	return activeShare(ctx, conn, func() Outcome { return work(ctx, client, timeout) }), nil
}

// activeShare compares active_time with the time of requests. A session adds its own about
// once a second, at the end of a transaction: from one time it does to the next are the
// windows; from 15 on only where it read or wrote a table. The session that looks is one of another database where there is one, so that
// its own activity is not counted.
func activeShare(ctx context.Context, conn *pgx.Conn, do func() Outcome) *results.DatabaseTime {
	database := conn.Config().Database
	if cfg := conn.Config().Copy(); database != "postgres" {
		cfg.Database = "postgres"
		if other, err := pgx.ConnectConfig(ctx, cfg); err == nil {
			defer other.Close(context.WithoutCancel(ctx))
			conn.Close(ctx)
			conn = other
		}
	}
	read := func() (time.Duration, bool) {
		var ms float64
		err := conn.QueryRow(ctx, "select active_time from pg_catalog.pg_stat_database where datname = $1", database).Scan(&ms)
		return milli(ms), err == nil
	}
	last, ok := read()
	if !ok {
		return nil
	}
	var r ratio
	var spent time.Duration
	began, first := time.Now(), true
	for r.n < shareWindows && time.Since(began) < sharePatient {
		o := do()
		if o.Class != "" || ctx.Err() != nil {
			return nil
		}
		spent += o.End.Sub(o.Begin)
		now, ok := read()
		if !ok {
			return nil
		}
		if now-last < time.Millisecond {
			continue
		}
		if !first { // what was before the first window is not known
			r.add(now-last, spent)
		}
		last, spent, first, began = now, 0, false, time.Now()
	}
	if e := r.estimate(); e != nil {
		return &results.DatabaseTime{Ratio: *e, Source: "active-time"}
	}
	return nil
}
