package monitor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/live"
)

// Locks is who waits for whom, and what has come of it.
type Locks struct {
	// Trees have who blocks others and is not blocked at their roots, the one that holds
	// up most first.
	Trees []Blocker `json:"trees"`
	// Deadlocks counts those of the database since its statistics were reset; of an
	// interval, those in it.
	Deadlocks int64 `json:"deadlocks"`
}

// Waiting is how many sessions wait for a lock.
func (l *Locks) Waiting() int {
	n := 0
	for i := range l.Trees {
		n += l.Trees[i].Waiting
	}
	return n
}

// LongestMS is how long the one waits that waits longest.
func (l *Locks) LongestMS() float64 {
	longest := 0.0
	var look func(all []Blocker)
	look = func(all []Blocker) {
		for i := range all {
			longest = max(longest, all[i].WaitMS)
			look(all[i].Holds)
		}
	}
	look(l.Trees)
	return longest
}

// withoutTexts are the same waits without statements, whose texts hold values.
func (l *Locks) withoutTexts() *Locks {
	if l == nil {
		return nil
	}
	var bare func(all []Blocker) []Blocker
	bare = func(all []Blocker) []Blocker {
		all = slices.Clone(all)
		for i := range all {
			all[i].Query, all[i].Holds = "", bare(all[i].Holds)
		}
		return all
	}
	return &Locks{Trees: bare(l.Trees), Deadlocks: l.Deadlocks}
}

// Blocker is a session in a tree of waits.
type Blocker struct {
	PID         int    `json:"pid"`
	Application string `json:"application"`
	User        string `json:"user"`
	State       string `json:"state"`
	// Query is its last statement; empty where the role may not see it.
	Query string `json:"query"`
	// XactMS is how long its transaction is open. WaitMS is how long it waits itself,
	// Wants what for: a lock's mode and its object; both of a blocked session.
	XactMS float64 `json:"transaction_ms"`
	WaitMS float64 `json:"wait_ms,omitempty"`
	Wants  string  `json:"wants,omitempty"`
	// Holds are the sessions that wait for this one, Waiting how many there are at all
	// levels.
	Holds   []Blocker `json:"holds,omitempty"`
	Waiting int       `json:"waiting"`
}

// ReadLocks reads the waits of the session's database. Before PostgreSQL 14 a wait is
// counted from the start of its statement.
func ReadLocks(ctx context.Context, s *live.Session) (*Locks, error) {
	return readLocks(ctx, s, plainSight.activity)
}

func readLocks(ctx context.Context, s *live.Session, activity string) (*Locks, error) {
	start := "a.query_start"
	if s.Major() >= 14 {
		start = "coalesce(l.waitstart, a.query_start)"
	}
	rows, err := s.Query(ctx, `with waits as (
			select distinct on (a.pid) a.pid, pg_catalog.pg_blocking_pids(a.pid) as blockers, l.mode, l.locktype,
				pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) as relation,
				extract(epoch from pg_catalog.clock_timestamp() - `+start+`) * 1000 as ms
			from `+activity+` a join pg_catalog.pg_locks l on l.pid = a.pid and not l.granted
			left join pg_catalog.pg_class c on c.oid = l.relation and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
			left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where a.datname = pg_catalog.current_database() order by a.pid)
		select a.pid::text, coalesce(a.application_name, ''), coalesce(a.usename::text, ''), coalesce(a.state, ''), coalesce(left(a.query, 500), ''),
			coalesce(extract(epoch from pg_catalog.clock_timestamp() - a.xact_start) * 1000, 0)::float8::text,
			coalesce(w.ms, 0)::float8::text, coalesce(w.mode || ' on ' || coalesce(w.relation, w.locktype), ''), coalesce(pg_catalog.array_to_string(w.blockers, ','), '')
		from `+activity+` a left join waits w on w.pid = a.pid
		where w.pid is not null or a.pid in (select unnest(blockers) from waits) order by a.pid`)
	if err != nil {
		return nil, fmt.Errorf("reading who waits for whom: %w", err)
	}
	out := &Locks{Trees: []Blocker{}}
	byPID, blockers := map[int]Blocker{}, map[int][]int{}
	var pids []int
	for _, r := range rows {
		b := Blocker{PID: number(r[0]), Application: *r[1], User: *r[2], State: *r[3], Query: strings.Join(strings.Fields(*r[4]), " "),
			XactMS: decimals(r[5]), WaitMS: decimals(r[6]), Wants: *r[7]}
		byPID[b.PID] = b
		pids = append(pids, b.PID)
		for _, p := range strings.Split(*r[8], ",") {
			if n := number(&p); n != 0 && !slices.Contains(blockers[b.PID], n) {
				blockers[b.PID] = append(blockers[b.PID], n)
			}
		}
	}
	out.Trees = trees(pids, byPID, blockers)
	rows, err = s.Query(ctx, "select deadlocks::text from pg_catalog.pg_stat_database where datname = pg_catalog.current_database()")
	if err != nil {
		return nil, fmt.Errorf("reading deadlocks: %w", err)
	}
	if len(rows) > 0 {
		out.Deadlocks = int64(number(rows[0][0]))
	}
	return out, nil
}

// trees hangs each waiting session below the first that it waits for. A ring, which
// the server breaks within deadlock_timeout, starts at its lowest process.
func trees(pids []int, byPID map[int]Blocker, blockers map[int][]int) []Blocker {
	below := map[int][]int{}
	var roots []int
	for _, p := range pids {
		known := slices.DeleteFunc(slices.Clone(blockers[p]), func(b int) bool { _, ok := byPID[b]; return !ok })
		if len(known) == 0 {
			roots = append(roots, p)
			continue
		}
		below[known[0]] = append(below[known[0]], p)
	}
	seen := map[int]bool{}
	var hang func(p int) Blocker
	hang = func(p int) Blocker {
		seen[p] = true
		b := byPID[p]
		for _, q := range below[p] {
			if seen[q] {
				continue
			}
			child := hang(q)
			b.Holds = append(b.Holds, child)
			b.Waiting += 1 + child.Waiting
		}
		return b
	}
	out := []Blocker{}
	for _, p := range append(roots, pids...) {
		if !seen[p] {
			out = append(out, hang(p))
		}
	}
	slices.SortStableFunc(out, func(a, b Blocker) int { return b.Waiting - a.Waiting })
	return slices.DeleteFunc(out, func(b Blocker) bool { return b.Waiting == 0 && b.Wants == "" })
}
