package dashboard

import (
	"io"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/metrics"
)

// Prometheus writes the figures as Prometheus text (version 0.0.4), for a collector of
// text files. All are gauges: they are of the span that the dashboard is of. What was not
// measured is not there. Statements are planvet monitor's to export.
func Prometheus(w io.Writer, d *Dashboard) error {
	s := &metrics.Set{}
	gauge := func(name, help string, value float64, labels ...string) {
		x := metrics.Series{Value: value}
		for i := 0; i < len(labels); i += 2 {
			x.Attributes = append(x.Attributes, metrics.Attribute{Name: labels[i], Value: labels[i+1]})
		}
		s.Add("planvet_kpi_"+name, metrics.Gauge, help, x)
	}
	optional := func(name, help string, value *float64, labels ...string) {
		if value != nil {
			gauge(name, help, *value, labels...)
		}
	}
	gauge("made_timestamp_seconds", "When the figures were put together.", float64(d.Made.Unix()))
	for _, p := range d.Panels {
		measured := 1.0
		if p.State == NotMeasured {
			measured = 0
		}
		gauge("measured", "Whether a panel of the dashboard has figures.", measured, "panel", p.ID)
	}
	latency := func(l *results.Latency, labels ...string) {
		for _, q := range []struct {
			percentile string
			value      *results.Estimate
		}{{"50", l.P50}, {"95", l.P95}, {"99", l.P99}} {
			if q.value != nil {
				gauge("latency_seconds", "Latency under a benchmark.", q.value.Value/1000, append([]string{"percentile", q.percentile}, labels...)...)
			}
		}
	}
	for i := range d.Endpoints {
		e := &d.Endpoints[i]
		labels := []string{"suite", e.Suite, "case", e.Name, "service", e.Service, "operation", e.Operation}
		latency(&e.Latency, labels...)
		gauge("error_ratio", "Share of requests that failed under a benchmark.", e.Errors.Rate.Value, labels...)
		if e.Sustainable != nil {
			gauge("sustainable_requests_per_second", "The highest rate within the p95 target.", e.Sustainable.RPS.Value, labels...)
		}
		if e.Database != nil {
			gauge("database_time_ratio", "Share of the time of requests that the database takes.", e.Database.Ratio.Value, labels...)
		}
	}
	for i := range d.Flows {
		f := &d.Flows[i]
		latency(&f.Latency, "suite", f.Suite, "case", f.Name, "service", f.Service, "operation", "")
	}
	for i := range d.Objectives {
		o := &d.Objectives[i]
		labels := []string{"service", o.Service, "operation", o.Operation}
		gauge("slo_target_seconds", "The p95 that an objective allows.", o.P95Target/1000, labels...)
		if o.P95 == nil {
			continue
		}
		broken := 0.0
		if o.Verdict == slo.Broken {
			broken = 1
		}
		gauge("slo_p95_seconds", "The p95 that an objective was held against.", o.P95.Value/1000, labels...)
		gauge("slo_broken", "Whether an objective is broken, by more than chance.", broken, labels...)
	}
	if d.Server != nil {
		d.serverGauges(gauge, optional)
	}
	for i := range d.RLS {
		c := &d.RLS[i]
		if c.MS != nil {
			gauge("rls_overhead_seconds", "What row security costs a statement.", max(*c.MS, 0)/1000, "table", c.Table, "query", c.SQL, "role", c.Role)
		}
	}
	return s.Text(w)
}

func (d *Dashboard) serverGauges(gauge func(name, help string, value float64, labels ...string), optional func(name, help string, value *float64, labels ...string)) {
	db := []string{"database", d.Server.Where}
	if x := d.Statements; x != nil {
		if n := d.To.Sub(d.From).Seconds(); d.Interval && n > 0 {
			gauge("exec_sessions", "Seconds of execution a second.", x.Totals.ExecMS/1000/n, db...)
		}
	}
	if x := d.Hits; x != nil {
		optional("cache_hit_ratio", "Blocks found in shared buffers over all.", x.Ratio, db...)
	}
	if x := d.Selectivity; x != nil {
		optional("rows_read_per_returned", "Rows that scans read for each that statements returned or changed.", x.Ratio, db...)
	}
	if x := d.Locks; x != nil {
		gauge("lock_waiting_sessions", "Sessions that waited for a lock at the last reading.", float64(x.Waiting), db...)
		gauge("lock_longest_wait_seconds", "How long the first of them waited.", x.LongestMS/1000, db...)
		gauge("deadlocks", "Deadlocks in the span.", float64(x.Deadlocks), db...)
	}
	if x := d.Connections; x != nil {
		if x.Now != nil {
			gauge("connections_used", "Connections that clients hold.", float64(x.Now.Used), db...)
			gauge("connections_headroom", "Connections that are left for everybody.", float64(x.Now.Headroom), db...)
			gauge("idle_in_transaction", "Clients that are idle in a transaction.", float64(x.Now.IdleInTransaction), db...)
		}
		for i := range x.Pools {
			p := &x.Pools[i]
			labels := []string{"pooler", p.Pooler, "database", p.Database, "user", p.User, "mode", p.Mode}
			gauge("pool_waiting_clients", "Clients in a pool's queue.", float64(p.Waiting), labels...)
			gauge("pool_utilisation_ratio", "Server connections of a pool at work over its size.", p.Utilisation, labels...)
		}
	}
}
