package monitor

import (
	"io"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/metrics"
)

// Prometheus writes reports of all that happened since a reset as Prometheus text
// (version 0.0.4), see Metrics.
func Prometheus(w io.Writer, targets ...Target) error { return Metrics(targets...).Text(w) }

// Metrics are the figures of reports of all that happened since a reset: counters of the
// top statements by fingerprint, of all together, and what connections, pools and locks
// are now. The text of a statement is a label of one series only, planvet_statement_info.
// Series of a target that has a name carry it as the label target. planvet_up is 0 for a
// target without a report.
func Metrics(targets ...Target) *metrics.Set {
	s := &metrics.Set{}
	for i := range targets {
		t := &targets[i]
		s.Common = nil
		if t.Name != "" {
			s.Common = attributes("target", t.Name)
		}
		up := 1.0
		if t.Report == nil {
			up = 0
		} else {
			s.Since, s.At = t.Report.From, t.Report.To
		}
		s.Add("planvet_up", metrics.Gauge, "Whether the server was read.", metrics.Series{Value: up})
		if t.Report != nil {
			e := exposition{s, attributes("database", t.Report.Server.Where)}
			e.report(t.Report)
		}
	}
	return s
}

// attributes are pairs of names and values.
func attributes(pairs ...string) []metrics.Attribute {
	var out []metrics.Attribute
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, metrics.Attribute{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// exposition adds a report's series to a set.
type exposition struct {
	*metrics.Set
	database []metrics.Attribute
}

// of are a statement's attributes.
func (e *exposition) of(q *Query, more ...string) []metrics.Attribute {
	out := append([]metrics.Attribute{}, e.database...)
	return append(append(out, attributes("fingerprint", keyOfQuery(q), "class", string(q.Class), "top_level", strconv.FormatBool(q.TopLevel))...), attributes(more...)...)
}

func (e *exposition) one(name string, kind metrics.Kind, help string, value float64) {
	e.Add(name, kind, help, metrics.Series{Attributes: e.database, Value: value})
}

func (e *exposition) report(r *Report) {
	e.one("planvet_statements", metrics.Gauge, "Statements in pg_stat_statements.", float64(r.Statements))
	e.one("planvet_exec_seconds_total", metrics.Counter, "Execution time of all statements.", r.Totals.ExecMS/1000)
	e.one("planvet_calls_total", metrics.Counter, "Calls of all statements.", float64(r.Totals.Calls))
	e.one("planvet_blocks_total", metrics.Counter, "Shared blocks that all statements touched.", float64(r.Totals.Blocks))
	e.one("planvet_wal_bytes_total", metrics.Counter, "WAL that all statements wrote.", float64(r.Totals.WALBytes))
	e.one("planvet_server_start_time_seconds", metrics.Gauge, "When the server was started.", float64(r.Server.Started.UnixMilli())/1000)

	statement := func(name, help string, value func(q *Query) float64) {
		var all []metrics.Series
		for i := range r.Top {
			all = append(all, metrics.Series{Attributes: e.of(&r.Top[i]), Value: value(&r.Top[i])})
		}
		e.Add(name, metrics.Counter, help, all...)
	}
	statement("planvet_statement_calls_total", "Calls of a statement.", func(q *Query) float64 { return float64(q.Calls) })
	statement("planvet_statement_exec_seconds_total", "Execution time of a statement.", func(q *Query) float64 { return q.ExecMS / 1000 })
	statement("planvet_statement_rows_total", "Rows that a statement returned or changed.", func(q *Query) float64 { return float64(q.Rows) })
	statement("planvet_statement_hit_blocks_total", "Shared blocks found in shared buffers.", func(q *Query) float64 { return float64(q.Hit) })
	statement("planvet_statement_read_blocks_total", "Shared blocks read from the system.", func(q *Query) float64 { return float64(q.Read) })
	statement("planvet_statement_temp_blocks_total", "Blocks of temporary files read and written.", func(q *Query) float64 { return float64(q.Temp) })
	var secured, texts []metrics.Series
	for i := range r.Top {
		q := &r.Top[i]
		if c := q.RLS; c != nil && c.MS != nil {
			secured = append(secured, metrics.Series{Attributes: e.of(q, "role", c.Role), Value: max(*c.MS, 0) / 1000})
		}
		texts = append(texts, metrics.Series{Attributes: e.of(q, "query", strings.Join(strings.Fields(q.SQL), " ")), Value: 1})
	}
	e.Add("planvet_statement_rls_overhead_seconds", metrics.Gauge, "What row security costs a call of a statement.", secured...)
	e.Add("planvet_statement_info", metrics.Gauge, "The text of a statement.", texts...)
	e.activity(r)
}

func (e *exposition) activity(r *Report) {
	if c := r.Connections; c != nil {
		var all []metrics.Series
		for _, g := range c.Groups {
			all = append(all, metrics.Series{Value: float64(g.Count),
				Attributes: attributes("application", g.Application, "user", g.User, "client_database", g.Database, "state", g.State, "waiting", g.Waiting)})
		}
		e.Add("planvet_connections", metrics.Gauge, "Clients of the server.", all...)
		e.one("planvet_connections_headroom", metrics.Gauge, "Connections that are left for everybody.", float64(c.Headroom))
	}
	if l := r.Locks; l != nil {
		e.one("planvet_lock_waiting_sessions", metrics.Gauge, "Sessions that wait for a lock.", float64(l.Waiting()))
		e.one("planvet_deadlocks_total", metrics.Counter, "Deadlocks since the database's statistics were reset.", float64(l.Deadlocks))
	}
	gauge := func(name, help string, value func(x *Pool) float64) {
		var all []metrics.Series
		for i := range r.Pools {
			x := &r.Pools[i]
			all = append(all, metrics.Series{Attributes: attributes("pooler", x.Pooler, "database", x.Database, "user", x.User, "mode", x.Mode), Value: value(x)})
		}
		e.Add(name, metrics.Gauge, help, all...)
	}
	gauge("planvet_pool_waiting_clients", "Clients in a pool's queue.", func(x *Pool) float64 { return float64(x.Waiting) })
	gauge("planvet_pool_active_connections", "Server connections of a pool at work.", func(x *Pool) float64 { return float64(x.Active) })
	gauge("planvet_pool_size", "Server connections that a pool may have.", func(x *Pool) float64 { return float64(x.Size) })
	gauge("planvet_pool_max_wait_seconds", "How long the first client in the queue waits.", func(x *Pool) float64 { return x.MaxWaitMS / 1000 })
}
