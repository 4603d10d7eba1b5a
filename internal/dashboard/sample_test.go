package dashboard

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
)

var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// work is one statement of the recorded server: calls a minute, and what a call does.
type work struct {
	sql                    string
	calls, ms              float64
	rows, hit, read, drift float64
}

var works = []work{
	{"select id, name, tier from players where casino_id = $1 and name ilike $2 order by name limit $3", 420, 21, 14, 900, 160, 0.9},
	{"select * from rating_slips where visit_id = any($1)", 2600, 1.9, 3, 12, 0.1, 0},
	{"update rating_slips set average_bet = $1, updated_at = now() where id = $2", 1500, 2.3, 1, 8, 0.2, 0.1},
	{"select sum(points) from ledger_entries where player_id = $1", 310, 9, 1, 240, 31, 0.4},
	{"insert into visits (player_id, table_id) values ($1, $2) returning id", 180, 3.1, 1, 14, 0.1, 0},
	{"select t.id, count(*) from gaming_tables t join visits v on v.table_id = t.id where v.ended_at is null group by t.id", 24, 31, 40, 2100, 40, 0},
	{"delete from sessions where expires_at < now()", 2, 160, 80, 900, 300, 0},
}

// sampleReadings are four hours, a reading each five minutes. In them the counters are
// reset once, the server is restarted once, sessions wait, and two deadlocks happen.
func sampleReadings() []*monitor.Reading {
	var out []*monitor.Reading
	started, reset := morning.Add(-30*time.Hour), morning.Add(-48*time.Hour)
	all := make([]live.Statement, len(works))
	scans := []monitor.TableScans{{Table: "public.players", Live: 240_000}, {Table: "public.ledger_entries", Live: 1_900_000}, {Table: "public.rating_slips", Live: 3_100_000}, {Table: "public.gaming_tables", Live: 60}}
	deadlocks := int64(3)
	for i := range 49 {
		at := morning.Add(time.Duration(i) * 5 * time.Minute)
		switch i {
		case 20: // all that was counted is lost, two minutes before the reading
			reset = at.Add(-2 * time.Minute)
			all = make([]live.Statement, len(works))
		case 33:
			started = at.Add(-90 * time.Second)
		}
		wave := 1 + 0.45*math.Sin(float64(i)/7) + 0.12*math.Sin(float64(i)*1.7)
		for k, w := range works {
			s := &all[k]
			calls := math.Round(w.calls * wave * 5)
			if i == 20 {
				calls = math.Round(calls * 2 / 5)
			}
			ms := w.ms * (1 + w.drift*float64(i)/48)
			*s = live.Statement{
				UserID: 10, DatabaseID: 5, QueryID: int64(7100 + k), TopLevel: true, Query: w.sql,
				Calls: s.Calls + int64(calls), Rows: s.Rows + int64(calls*w.rows), ExecMS: s.ExecMS + calls*ms, StddevExecMS: ms / 3, MinExecMS: ms / 4, MaxExecMS: ms * 5,
				SharedHit: s.SharedHit + int64(calls*w.hit), SharedRead: s.SharedRead + int64(calls*w.read*(1+w.drift*float64(i)/24)),
			}
		}
		for k := range scans {
			t := &scans[k]
			n := int64(wave * float64([]int{2100, 1500, 9000, 120}[k]))
			t.Index, t.IndexRows = t.Index+n, t.IndexRows+n*int64([]int{3, 210, 4, 1}[k])
			t.Sequential, t.SequentialRows = t.Sequential+n/100, t.SequentialRows+n/100*t.Live/20
		}
		if i == 12 || i == 37 {
			deadlocks++
		}
		wait := []int{0, 0, 1, 0, 2, 0, 0}[i%7]
		if i > 35 && i < 40 {
			wait = 6 - (i-37)*(i-37)
		}
		locks := &monitor.Locks{Trees: []monitor.Blocker{}, Deadlocks: deadlocks}
		if wait > 0 {
			locks.Trees = []monitor.Blocker{{PID: 4100, Application: "ledger", User: "app", State: "idle in transaction", XactMS: 41000, Waiting: wait,
				Holds: []monitor.Blocker{{PID: 4188, Application: "api", User: "app", State: "active", WaitMS: 3100, Wants: "ShareLock on transactionid", Query: "update rating_slips set average_bet = $1 where id = $2"}}}}
		}
		used := 31 + int(18*wave) + wait*3
		c := &monitor.Connections{Max: 100, Reserved: 3, Used: used, Headroom: 97 - used, IdleInTransaction: 1 + wait/2, Verdict: "connections are taken",
			Oldest: []monitor.IdleInTx{{PID: 4100, Application: "ledger", User: "app", StateMS: 38000, XactMS: 41000}}}
		mean, query := 0.4, 2.1
		pool := monitor.Pool{Pooler: "pgbouncer", Database: "casino", User: "app", Mode: "transaction", Size: 20, Active: min(20, 7+int(8*wave)+wait), Idle: 2, Clients: 80, AverageWaitMS: &mean, AverageQueryMS: &query, Verdict: "no queue"}
		if wait > 4 {
			pool.Waiting, pool.MaxWaitMS, pool.Saturated, pool.Verdict = 2*wait, 180, true, "saturated"
		}
		out = append(out, &monitor.Reading{
			Server:     monitor.Server{Version: "16.9", Where: "casino", Started: started, Extension: "1.10", IOTiming: true},
			Statements: &live.Statements{At: at, Extension: "1.10", Schema: "extensions", Reset: reset, All: append([]live.Statement(nil), all...)},
			Locks:      locks, Connections: c, Pools: []monitor.Pool{pool}, Scans: append([]monitor.TableScans(nil), scans...),
		})
	}
	// The last one finds a session that waits.
	last := out[len(out)-1]
	last.Locks = &monitor.Locks{Deadlocks: deadlocks, Trees: out[4].Locks.Trees}
	return out
}

func courseOf(all []*monitor.Reading) *monitor.Course {
	c := &monitor.Course{}
	for _, r := range all {
		c.Add(r)
	}
	return c
}

func sampleResults(t testing.TB) *results.Results {
	t.Helper()
	f, err := os.Open("../bench/results/testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := results.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sampleObjectives(t testing.TB) []slo.Objective {
	t.Helper()
	f, err := os.Open("../bench/slo/testdata/slos.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := slo.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sampleRLS() []RLSCost {
	a, b, c := 14.2, 0.05, 143.6
	return []RLSCost{
		{Table: "public.visits", SQL: "select * from public.visits limit 1000", Role: "authenticated", Enforced: 15.1, Ideal: 0.9, MS: &a},
		{Table: "public.players", SQL: "select * from public.players limit 1000", Role: "authenticated", Enforced: 0.36, Ideal: 0.31, MS: &b},
		{Table: "public.ledger_entries", SQL: "select * from public.ledger_entries limit 1000", Role: "authenticated", Enforced: 145, Ideal: 1.4, MS: &c},
		{Table: "public.audit_log", SQL: "select * from public.audit_log limit 1000", Role: "authenticated", Problem: "the role may not read it"},
	}
}

// samples are dashboards of every kind: of all that there can be, of nothing, of one
// reading, and with hostile texts.
func samples(t testing.TB) map[string]*Dashboard {
	o := monitor.Options{Limits: monitor.DefaultLimits}
	made := morning.Add(5 * time.Hour)
	readings := sampleReadings()
	evil := sampleResults(t)
	const markup = `</script><script>alert(1)</script><img src=x onerror="alert(2)">` + "\x1b[31m"
	evil.CorrelationID, evil.Commit = markup, markup
	for i := range evil.Suites[0].Cases {
		evil.Suites[0].Cases[i].Name += markup
	}
	evil.Suites[2].Flows[0].Name, evil.Suites[2].Flows[0].Steps[0].Name = markup, markup
	hostile := sampleReadings()[:3]
	for _, r := range hostile {
		r.Server.Where = markup
		for k := range r.Statements.All {
			r.Statements.All[k].Query = "select '" + markup + "' from " + `"` + markup + `"`
		}
		r.Scans[0].Table = markup
		r.Pools[0].Database = markup
	}
	hostile[2].Locks = &monitor.Locks{Trees: []monitor.Blocker{{Query: markup, Application: markup, Waiting: 1, Holds: []monitor.Blocker{{Wants: markup}}}}}
	return map[string]*Dashboard{
		"full":    Build(Inputs{Made: made, Course: courseOf(readings), Options: o, Results: sampleResults(t), Objectives: sampleObjectives(t), RLS: sampleRLS()}),
		"nothing": Build(Inputs{Made: made, Options: o}),
		"now":     Build(Inputs{Made: made, Course: courseOf(readings[8:9]), Options: o}),
		"bench":   Build(Inputs{Made: made, Options: o, Results: sampleResults(t)}),
		"slo":     Build(Inputs{Made: made, Options: o, Objectives: sampleObjectives(t)}),
		"hostile": Build(Inputs{Made: made, Course: courseOf(hostile), Options: o, Results: evil, RLS: []RLSCost{{Table: markup, Problem: markup}}, Notes: []string{markup}}),
	}
}
