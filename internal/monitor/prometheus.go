package monitor

import (
	"fmt"
	"io"
	"strings"
)

// Prometheus writes reports of all that happened since a reset as Prometheus text
// (version 0.0.4): counters of the top statements by fingerprint, of all together, and
// what connections, pools and locks are now. The text of a statement is a label of one
// series only, planvet_statement_info. Series of a target that has a name carry it as
// the label target. planvet_up is 0 for a target without a report.
func Prometheus(w io.Writer, targets ...Target) error {
	p := &exposition{byName: map[string]*family{}}
	for i := range targets {
		t := &targets[i]
		p.target = ""
		if t.Name != "" {
			p.target = label("target", t.Name)
		}
		up := 1.0
		if t.Report == nil {
			up = 0
		}
		p.family("planvet_up", "gauge", "Whether the server was read.", series{"", up})
		if t.Report != nil {
			p.report(t.Report)
		}
	}
	return p.write(w)
}

func (p *exposition) report(r *Report) {
	db := label("database", r.Server.Where)
	p.family("planvet_statements", "gauge", "Statements in pg_stat_statements.", series{db, float64(r.Statements)})
	p.family("planvet_exec_seconds_total", "counter", "Execution time of all statements.", series{db, r.Totals.ExecMS / 1000})
	p.family("planvet_calls_total", "counter", "Calls of all statements.", series{db, float64(r.Totals.Calls)})
	p.family("planvet_blocks_total", "counter", "Shared blocks that all statements touched.", series{db, float64(r.Totals.Blocks)})
	p.family("planvet_wal_bytes_total", "counter", "WAL that all statements wrote.", series{db, float64(r.Totals.WALBytes)})
	p.family("planvet_server_start_time_seconds", "gauge", "When the server was started.", series{db, float64(r.Server.Started.UnixMilli()) / 1000})

	of := func(q *Query) string {
		return db + "," + label("fingerprint", keyOfQuery(q)) + "," + label("class", string(q.Class))
	}
	statement := func(name, kind, help string, value func(q *Query) float64) {
		var all []series
		for i := range r.Top {
			all = append(all, series{of(&r.Top[i]), value(&r.Top[i])})
		}
		p.family(name, kind, help, all...)
	}
	statement("planvet_statement_calls_total", "counter", "Calls of a statement.", func(q *Query) float64 { return float64(q.Calls) })
	statement("planvet_statement_exec_seconds_total", "counter", "Execution time of a statement.", func(q *Query) float64 { return q.ExecMS / 1000 })
	statement("planvet_statement_rows_total", "counter", "Rows that a statement returned or changed.", func(q *Query) float64 { return float64(q.Rows) })
	statement("planvet_statement_hit_blocks_total", "counter", "Shared blocks found in shared buffers.", func(q *Query) float64 { return float64(q.Hit) })
	statement("planvet_statement_read_blocks_total", "counter", "Shared blocks read from the system.", func(q *Query) float64 { return float64(q.Read) })
	statement("planvet_statement_temp_blocks_total", "counter", "Blocks of temporary files read and written.", func(q *Query) float64 { return float64(q.Temp) })
	var secured []series
	for i := range r.Top {
		if c := r.Top[i].RLS; c != nil && c.MS != nil {
			secured = append(secured, series{of(&r.Top[i]) + "," + label("role", c.Role), max(*c.MS, 0) / 1000})
		}
	}
	p.family("planvet_statement_rls_overhead_seconds", "gauge", "What row security costs a call of a statement.", secured...)
	var texts []series
	for i := range r.Top {
		q := &r.Top[i]
		texts = append(texts, series{of(q) + "," + label("query", strings.Join(strings.Fields(q.SQL), " ")), 1})
	}
	p.family("planvet_statement_info", "gauge", "The text of a statement.", texts...)
	p.activity(r, db)
}

func (p *exposition) activity(r *Report, db string) {
	if c := r.Connections; c != nil {
		var all []series
		for _, g := range c.Groups {
			all = append(all, series{label("application", g.Application) + "," + label("user", g.User) + "," + label("client_database", g.Database) + "," + label("state", g.State) + "," + label("waiting", g.Waiting), float64(g.Count)})
		}
		p.family("planvet_connections", "gauge", "Clients of the server.", all...)
		p.family("planvet_connections_headroom", "gauge", "Connections that are left for everybody.", series{db, float64(c.Headroom)})
	}
	if l := r.Locks; l != nil {
		p.family("planvet_lock_waiting_sessions", "gauge", "Sessions that wait for a lock.", series{db, float64(l.Waiting())})
		p.family("planvet_deadlocks_total", "counter", "Deadlocks since the database's statistics were reset.", series{db, float64(l.Deadlocks)})
	}
	gauge := func(name, help string, value func(x *Pool) float64) {
		var all []series
		for i := range r.Pools {
			x := &r.Pools[i]
			all = append(all, series{label("pooler", x.Pooler) + "," + label("database", x.Database) + "," + label("user", x.User) + "," + label("mode", x.Mode), value(x)})
		}
		p.family(name, "gauge", help, all...)
	}
	gauge("planvet_pool_waiting_clients", "Clients in a pool's queue.", func(x *Pool) float64 { return float64(x.Waiting) })
	gauge("planvet_pool_active_connections", "Server connections of a pool at work.", func(x *Pool) float64 { return float64(x.Active) })
	gauge("planvet_pool_size", "Server connections that a pool may have.", func(x *Pool) float64 { return float64(x.Size) })
	gauge("planvet_pool_max_wait_seconds", "How long the first client in the queue waits.", func(x *Pool) float64 { return x.MaxWaitMS / 1000 })
}

// exposition gathers the series of each metric, which must stand together.
type exposition struct {
	// target is a label of all series that come; "" for none.
	target string
	byName map[string]*family
	order  []*family
}

type family struct {
	name, kind, help string
	all              []series
}

type series struct {
	labels string
	value  float64
}

// family adds series to a metric.
func (p *exposition) family(name, kind, help string, all ...series) {
	if len(all) == 0 {
		return
	}
	f := p.byName[name]
	if f == nil {
		f = &family{name: name, kind: kind, help: help}
		p.byName[name] = f
		p.order = append(p.order, f)
	}
	for _, s := range all {
		switch {
		case s.labels == "":
			s.labels = p.target
		case p.target != "":
			s.labels = p.target + "," + s.labels
		}
		f.all = append(f.all, s)
	}
}

func (p *exposition) write(w io.Writer) error {
	var b strings.Builder
	for _, f := range p.order {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		for _, s := range f.all {
			b.WriteString(f.name)
			if s.labels != "" {
				b.WriteString("{" + s.labels + "}")
			}
			fmt.Fprintf(&b, " %v\n", s.value)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(name, value string) string {
	return name + `="` + labelEscapes.Replace(strings.ToValidUTF8(value, "�")) + `"`
}
