package monitor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// Pool is one pool of a pooler: connections to a server, shared by clients.
type Pool struct {
	// Pooler is pgbouncer or supavisor.
	Pooler   string `json:"pooler"`
	Database string `json:"database"`
	User     string `json:"user"`
	// Mode is session, transaction or statement.
	Mode string `json:"mode,omitempty"`
	// Size is how many server connections it may have; 0 where that is not known.
	Size int `json:"size"`
	// Active are server connections at work, Idle those that are free.
	Active int `json:"active"`
	Idle   int `json:"idle"`
	// Clients are those being served, Waiting those in the queue, the oldest of which
	// waits for MaxWaitMS.
	Clients   int     `json:"clients"`
	Waiting   int     `json:"waiting"`
	MaxWaitMS float64 `json:"max_wait_ms"`
	// AverageWaitMS and AverageQueryMS are the pooler's own averages: PgBouncer's of the
	// last stats_period, Supavisor's since its start. They are nil where it does not tell.
	AverageWaitMS  *float64 `json:"average_wait_ms,omitempty"`
	AverageQueryMS *float64 `json:"average_query_ms,omitempty"`
	// IdleInTransaction are those of Active whose client holds them and does nothing, where
	// the server's connections were read too.
	IdleInTransaction int `json:"idle_in_transaction,omitempty"`
	// Utilisation is Active over Size.
	Utilisation float64 `json:"utilisation"`
	Saturated   bool    `json:"saturated"`
	Verdict     string  `json:"verdict"`

	// servers are the server's processes behind the pool.
	servers []int
}

// held counts the connections that clients hold and do not use, from the server's own
// figures.
func (p *Pool) held(c *Connections) {
	for _, pid := range p.servers {
		if slices.Contains(c.idle, pid) {
			p.IdleInTransaction++
		}
	}
	if p.Saturated && p.IdleInTransaction > 0 {
		p.Verdict += fmt.Sprintf("; %d of %d server connections are held by transactions that do nothing", p.IdleInTransaction, p.Size)
	}
}

// judge says what the figures mean: a queue is saturation, whatever the averages say.
func (p *Pool) judge() {
	if p.Size > 0 {
		p.Utilisation = float64(p.Active) / float64(p.Size)
	}
	p.Saturated = p.Waiting > 0 || p.MaxWaitMS > 0
	switch {
	case p.Saturated && p.AverageQueryMS != nil && p.AverageWaitMS != nil && *p.AverageWaitMS > *p.AverageQueryMS:
		p.Verdict = fmt.Sprintf("saturated: %d clients wait, the first for %.0f ms; on average they wait longer (%.3g ms) than their queries take (%.3g ms)",
			p.Waiting, p.MaxWaitMS, *p.AverageWaitMS, *p.AverageQueryMS)
	case p.Saturated:
		p.Verdict = fmt.Sprintf("saturated: %d clients wait, the first for %.0f ms", p.Waiting, p.MaxWaitMS)
	case p.Size > 0 && p.Utilisation >= 0.8:
		p.Verdict = fmt.Sprintf("nearly full: %d of %d server connections are at work", p.Active, p.Size)
	default:
		p.Verdict = "no queue"
	}
}

// ReadPgBouncer reads the pools of a PgBouncer, by a session on its console: the
// database pgbouncer, as one of its admin_users or stats_users. Columns are found by
// their names, which every version from 1.16 on has. planvet's own and the console's
// pool are left out.
func ReadPgBouncer(ctx context.Context, s *live.Session) ([]Pool, error) {
	pools, err := s.Console(ctx, "show pools")
	if err != nil {
		return nil, fmt.Errorf("asking PgBouncer for its pools: %w", err)
	}
	databases, err := s.Console(ctx, "show databases")
	if err != nil {
		return nil, fmt.Errorf("asking PgBouncer for its databases: %w", err)
	}
	stats, err := s.Console(ctx, "show stats")
	if err != nil {
		return nil, fmt.Errorf("asking PgBouncer for its statistics: %w", err)
	}
	servers, err := s.Console(ctx, "show servers")
	if err != nil {
		return nil, fmt.Errorf("asking PgBouncer for its servers: %w", err)
	}
	var out []Pool
	for _, r := range pools {
		p := Pool{
			Pooler: "pgbouncer", Database: r["database"], User: r["user"], Mode: r["pool_mode"],
			Active: count(r, "sv_active"), Idle: count(r, "sv_idle") + count(r, "sv_used"),
			Clients: count(r, "cl_active"), Waiting: count(r, "cl_waiting"),
			MaxWaitMS: 1000*float64(count(r, "maxwait")) + float64(count(r, "maxwait_us"))/1000,
		}
		if p.Database == "pgbouncer" {
			continue
		}
		for _, d := range databases {
			if d["name"] == p.Database {
				p.Size = count(d, "pool_size")
			}
		}
		for _, d := range servers {
			if d["database"] == p.Database && d["user"] == p.User {
				p.servers = append(p.servers, count(d, "remote_pid"))
			}
		}
		for _, d := range stats {
			if d["database"] == p.Database {
				p.AverageWaitMS, p.AverageQueryMS = micros(d, "avg_wait_time"), micros(d, "avg_query_time")
			}
		}
		p.judge()
		out = append(out, p)
	}
	return out, nil
}

func count(row map[string]string, column string) int {
	n, _ := strconv.Atoi(row[column])
	return n
}

func micros(row map[string]string, column string) *float64 {
	n, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		return nil
	}
	n /= 1000
	return &n
}

// ReadSupavisor reads the pools of a Supavisor from its metrics, which it serves as
// Prometheus text to who has the token. Counters are since its start; the wait is the
// mean of the checkout histogram.
func ReadSupavisor(ctx context.Context, url, token string) ([]Pool, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errors.New("the address of Supavisor's metrics cannot be read: write http://host:port/metrics")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking Supavisor at %s: no answer", r.URL.Host)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking Supavisor at %s: %s; is the token right?", r.URL.Host, res.Status)
	}
	return supavisor(res.Body)
}

// metric is a line of Prometheus text: name{label="value",…} value.
var (
	metricLine  = regexp.MustCompile(`^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?\s+([^\s]+)`)
	metricLabel = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

func supavisor(text io.Reader) ([]Pool, error) {
	type sums struct {
		pool           Pool
		wait, waits    float64
		query, queries float64
	}
	pools := map[string]*sums{}
	in := bufio.NewScanner(text)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		m := metricLine.FindStringSubmatch(in.Text())
		if m == nil || !strings.HasPrefix(m[1], "supavisor_") {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		labels := map[string]string{}
		for _, l := range metricLabel.FindAllStringSubmatch(m[2], -1) {
			labels[l[1]] = l[2]
		}
		key := labels["tenant"] + "\x00" + labels["user"] + "\x00" + labels["db_name"] + "\x00" + labels["mode"]
		s := pools[key]
		if s == nil {
			s = &sums{pool: Pool{Pooler: "supavisor", Database: labels["db_name"], User: labels["user"], Mode: labels["mode"]}}
			pools[key] = s
		}
		switch name := m[1]; {
		case strings.HasPrefix(name, "supavisor_pool_checkout_duration") && strings.HasSuffix(name, "_sum"):
			s.wait += value
		case strings.HasPrefix(name, "supavisor_pool_checkout_duration") && strings.HasSuffix(name, "_count"):
			s.waits += value
		case strings.HasPrefix(name, "supavisor_client_query_duration") && strings.HasSuffix(name, "_sum"):
			s.query += value
		case strings.HasPrefix(name, "supavisor_client_query_duration") && strings.HasSuffix(name, "_count"):
			s.queries += value
		case name == "supavisor_connections_active":
			s.pool.Clients = int(value)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("reading Supavisor's metrics: %w", err)
	}
	var out []Pool
	for _, s := range pools {
		if s.waits == 0 && s.queries == 0 && s.pool.Clients == 0 {
			continue
		}
		p := s.pool
		// Both histograms are of milliseconds.
		if s.waits > 0 {
			w := s.wait / s.waits
			p.AverageWaitMS = &w
		}
		if s.queries > 0 {
			q := s.query / s.queries
			p.AverageQueryMS = &q
		}
		p.judge()
		if p.AverageWaitMS != nil && p.AverageQueryMS != nil && *p.AverageWaitMS > *p.AverageQueryMS {
			p.Saturated, p.Verdict = true, fmt.Sprintf("saturated: on average clients wait longer for a connection (%.3g ms) than their queries take (%.3g ms)", *p.AverageWaitMS, *p.AverageQueryMS)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Pool) int { return strings.Compare(a.Database+a.User+a.Mode, b.Database+b.User+b.Mode) })
	if len(out) == 0 {
		return nil, errors.New("the metrics hold no pool of Supavisor's: is it the right address?")
	}
	return out, nil
}
