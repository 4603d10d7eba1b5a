package monitor

import (
	"context"
	"fmt"
	"strconv"

	"github.com/planvet/planvet/internal/live"
)

// Connections are the server's own, by pg_stat_activity.
type Connections struct {
	// Max is max_connections, Reserved of them are for superusers and for roles with
	// pg_use_reserved_connections, Used are taken by clients, and Headroom is what is
	// left for everybody.
	Max      int `json:"max"`
	Reserved int `json:"reserved"`
	Used     int `json:"used"`
	Headroom int `json:"headroom"`
	// Groups are clients by application, user, state and what they wait for.
	Groups []Group `json:"groups"`
	// Idle are transactions that are open and do nothing, the oldest first, ten at most.
	IdleInTransaction int        `json:"idle_in_transaction"`
	Oldest            []IdleInTx `json:"oldest_idle_in_transaction,omitempty"`
	Hidden            bool       `json:"hidden,omitempty"`
	Saturated         bool       `json:"saturated"`
	Verdict           string     `json:"verdict"`

	// idle are the processes of idle transactions, all of them.
	idle []int
}

// Group is a number of clients.
type Group struct {
	Application string `json:"application"`
	User        string `json:"user"`
	Database    string `json:"database"`
	// State is active, idle, idle in transaction …; Waiting is the type of what an
	// active one waits for: Lock, IO …
	State   string `json:"state"`
	Waiting string `json:"waiting,omitempty"`
	Count   int    `json:"count"`
	// OldestMS is how long the one is in its state that is longest.
	OldestMS float64 `json:"oldest_ms"`
}

// IdleInTx is a client that holds a transaction open.
type IdleInTx struct {
	PID         int     `json:"pid"`
	Application string  `json:"application"`
	User        string  `json:"user"`
	StateMS     float64 `json:"state_ms"`
	XactMS      float64 `json:"transaction_ms"`
}

// fewFree is the share of connections under which the server is nearly full.
const fewFree = 0.1

// ReadConnections reads the clients of a server. A role without pg_read_all_stats sees
// of others' that they are there, not what they do; nor which are clients, so that all
// that are in a database count.
func ReadConnections(ctx context.Context, s *live.Session) (*Connections, error) {
	return readConnections(ctx, s, plainSight.activity)
}

func readConnections(ctx context.Context, s *live.Session, activity string) (*Connections, error) {
	c := &Connections{}
	rows, err := s.Query(ctx, `select pg_catalog.current_setting('max_connections'),
		(pg_catalog.current_setting('superuser_reserved_connections')::int + coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0))::text`)
	if err != nil {
		return nil, fmt.Errorf("reading the server's connections: %w", err)
	}
	c.Max, c.Reserved = number(rows[0][0]), number(rows[0][1])
	rows, err = s.Query(ctx, `select coalesce(application_name, ''), coalesce(usename::text, ''), coalesce(datname::text, ''), coalesce(state, ''),
		case when state = 'active' then coalesce(wait_event_type, '') else '' end, count(*)::text,
		(extract(epoch from max(pg_catalog.clock_timestamp() - state_change)) * 1000)::float8::text
		from `+activity+` a where coalesce(backend_type = 'client backend', datname is not null) and pid <> pg_catalog.pg_backend_pid()
		group by 1, 2, 3, 4, 5 order by count(*) desc, 1, 2, 3, 4, 5`)
	if err != nil {
		return nil, fmt.Errorf("reading the server's connections: %w", err)
	}
	for _, r := range rows {
		g := Group{Application: *r[0], User: *r[1], Database: *r[2], State: *r[3], Waiting: *r[4], Count: number(r[5]), OldestMS: decimals(r[6])}
		c.Used += g.Count
		c.Hidden = c.Hidden || g.State == ""
		if g.State == "idle in transaction" || g.State == "idle in transaction (aborted)" {
			c.IdleInTransaction += g.Count
		}
		c.Groups = append(c.Groups, g)
	}
	rows, err = s.Query(ctx, `select pid::text, coalesce(application_name, ''), coalesce(usename::text, ''),
		(extract(epoch from pg_catalog.clock_timestamp() - state_change) * 1000)::float8::text,
		(extract(epoch from pg_catalog.clock_timestamp() - xact_start) * 1000)::float8::text
		from `+activity+` a where state like 'idle in transaction%' and pid <> pg_catalog.pg_backend_pid()
		order by state_change`)
	if err != nil {
		return nil, fmt.Errorf("reading the server's connections: %w", err)
	}
	for i, r := range rows {
		if c.idle = append(c.idle, number(r[0])); i >= 10 {
			continue
		}
		c.Oldest = append(c.Oldest, IdleInTx{PID: number(r[0]), Application: *r[1], User: *r[2], StateMS: decimals(r[3]), XactMS: decimals(r[4])})
	}
	c.judge()
	return c, nil
}

func (c *Connections) judge() {
	usable := max(c.Max-c.Reserved, 1)
	c.Headroom = max(usable-c.Used, 0)
	switch {
	case c.Headroom == 0:
		c.Saturated, c.Verdict = true, fmt.Sprintf("saturated: all %d connections are taken; new clients are refused", usable)
	case float64(c.Headroom) < fewFree*float64(usable):
		c.Verdict = fmt.Sprintf("nearly full: %d of %d connections are left", c.Headroom, usable)
	default:
		c.Verdict = fmt.Sprintf("%d of %d connections are taken", c.Used, usable)
	}
}

func number(s *string) int {
	if s == nil {
		return 0
	}
	n, _ := strconv.Atoi(*s)
	return n
}

func decimals(s *string) float64 {
	if s == nil {
		return 0
	}
	x, _ := strconv.ParseFloat(*s, 64)
	return x
}
