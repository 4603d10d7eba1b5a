package page

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
)

// drawn is a case of a gate on rounds that a generator draws: B is factor slower, and a
// share tail of its answers by ten times.
func drawn(rng *rand.Rand, name string, median, factor, tail float64) gate.Case {
	arm := func(factor, tail float64) (a gate.Arm) {
		for range 50 {
			ms := median * factor * math.Exp(0.35*rng.NormFloat64())
			if rng.Float64() < tail {
				ms *= 10
			}
			a.Samples = append(a.Samples, ms)
		}
		return a
	}
	epochs := func() (out []gate.Epoch) {
		for range 24 {
			var e gate.Epoch
			for range 5 {
				e.Rounds = append(e.Rounds, gate.Round{A: arm(1, 0), B: arm(factor, tail)})
			}
			out = append(out, e)
		}
		return out
	}
	return gate.Case{Name: name, First: epochs(), Fresh: epochs()}
}

func count(n int64) *int64 { return &n }

func sampleGate(t testing.TB) *verdict.Report {
	rng := rand.New(rand.NewPCG(7, 7))
	names := []string{"GET /slips", "close a slip", "visits of a guest", "GET /floor"}
	var cases []gate.Case
	for i, k := range [][3]float64{{4, 1.3, 0}, {12, 1, 0.08}, {2, 1.02, 0}, {40, 0.7, 0}} {
		cases = append(cases, drawn(rng, names[i], k[0], k[1], k[2]))
	}
	r := &verdict.Report{
		Version: verdict.ReportVersion, Mode: verdict.Live, CorrelationID: "pr-123", Threshold: 10, Started: time.Unix(1.79e9, 0), Finished: time.Unix(1.79e9+412, 0),
		A: verdict.Side{Name: "main", Commit: "0123456789abcdef"}, B: verdict.Side{Name: "this tree"}, Reproduce: "planvet gate --base-ref main --seed 7",
		Environment: results.Environment{OS: "linux", Arch: "amd64", Cores: 4, CPU: "a processor", Postgres: "17.1", Settings: map[string]string{"work_mem": "64MB"}, Tables: map[string]int64{"public.visits": 20000}},
		Notes:       []string{"the generator's own p95 is 0.04 ms"}, NotCompared: []verdict.NotCompared{{Suite: "e2e", Why: "no other version is named"}},
	}
	for i, d := range gate.Judge(cases, gate.Options{Threshold: 0.1, Seed: 7}) {
		c := verdict.Case{Suite: []string{"api", "api", "db", "api"}[i], Case: names[i], Service: "RatingSlip", Operation: "List", Causes: []work.Cause{}, Labels: []string{}, Reproduce: "planvet gate --suite api --case '" + names[i] + "' --base-ref main"}
		c.Decided(&d, &cases[i])
		r.Cases = append(r.Cases, c)
	}
	scan := func(how, index string) []results.Scan {
		return []results.Scan{{Relation: "public.visits", How: how, Index: index, Pages: 340, Rows: 20000}}
	}
	a := &results.Work{Fingerprint: "a", Plan: []string{"Limit", "  Nested Loop", "    Index Scan using visits_guest_idx on visits", "    Index Scan using guests_pkey on guests"}, Blocks: count(22), Rows: count(20), Scans: scan("Index Scan using visits_guest_idx on visits", "public.visits_guest_idx")}
	b := &results.Work{Fingerprint: "b", Plan: []string{"Limit", "  Sort", "    Nested Loop", "      Seq Scan on visits", "      Index Scan using guests_pkey on guests"}, Blocks: count(360), Rows: count(20), Scans: scan("Seq Scan on visits", "")}
	diff := work.Compare(a, b, 0.1)
	r.Cases = append(r.Cases, verdict.Case{Suite: "db", Case: "visits with guests", Service: "Visits", Operation: "List", Verdict: gate.Fail, Labels: []string{verdict.MoreWork}, Reasons: diff.Worse(true), Causes: diff.Causes, Work: diff, Reproduce: "planvet gate --suite db --case 'visits with guests' --base-ref main"})
	r.Cases = append(r.Cases, verdict.Case{Suite: "api", Case: "GET /report", Service: "Report", Operation: "Day", Verdict: gate.Inconclusive, Labels: []string{verdict.LowConfidence}, Reasons: []string{"insufficient: 3 of 10 runs that a verdict on times needs"}, Causes: []work.Cause{}, P95: &verdict.Change{A: 181, B: 195, Percent: 7.7, Samples: 400}, History: &verdict.History{Runs: 3, P95: []float64{176, 181, 188}, Sigma: 4.8, Limit: 14.9}})
	r.Results = sampleResults()
	r.SLO = slo.Check([]slo.Objective{
		{Service: "RatingSlip", Operation: "List", SpecRef: "NFR-7", P50Target: 5, P95Target: 7, P99Target: 30}, {Service: "RatingSlip", Operation: "Close", P95Target: 40, Alert: 100},
		{Service: "Loyalty", Operation: "Points", P95Target: 100}, {Service: "Loyalty", Operation: "Award", P95Target: 100, SpecRef: "NFR-8"},
	}, r.Results)
	r.Decide(verdict.Policy{SLO: true})
	return r
}

// bucketsOf are those of a log-normal sample, as the load generator writes them.
func bucketsOf(rng *rand.Rand, n int, median, sigma float64) (out []results.Bucket, m results.Measured) {
	var all []float64
	for range n {
		all = append(all, median*math.Exp(sigma*rng.NormFloat64()))
	}
	slices.Sort(all)
	out = append(out, results.Bucket{UpTo: all[0] * 0.999})
	bound := 0.0
	for _, ms := range all {
		if ms <= bound {
			out[len(out)-1].UpTo, out[len(out)-1].Count = ms, out[len(out)-1].Count+1
			continue
		}
		bound = ms * 1.1
		out = append(out, results.Bucket{UpTo: ms, Count: 1})
	}
	at := func(q float64) *results.Estimate {
		k := int(q * float64(n))
		return &results.Estimate{Value: all[k], Low: all[max(0, k-n/50)], High: all[min(n-1, k+n/50)]}
	}
	m = results.Measured{Requests: n, Latency: results.Latency{Mean: median, Max: all[n-1], P50: at(0.5), P95: at(0.95), P99: at(0.99)}}
	return out, m
}

func sampleResults() *results.Results {
	rng := rand.New(rand.NewPCG(1, 2))
	r := &results.Results{Version: results.FormatVersion, CorrelationID: "pr-123", Commit: "fedcba", Started: time.Unix(1.79e9, 0), Finished: time.Unix(1.79e9+60, 0), Environment: results.Environment{OS: "linux", Arch: "amd64", Cores: 4, Postgres: "17.1"}}
	rate := 50.0
	api := results.Suite{Name: "api"}
	for _, k := range []struct {
		name, service, operation string
		median, sigma            float64
	}{{"GET /slips", "RatingSlip", "List", 5, 0.4}, {"close a slip", "RatingSlip", "Close", 14, 0.7}, {"GET /points", "Loyalty", "Points", 30, 0.2}, {"GET /floor", "Floor", "List", 200, 0.1}} {
		buckets, m := bucketsOf(rng, 900, k.median, k.sigma)
		api.Cases = append(api.Cases, results.Case{Name: k.name, Service: k.service, Operation: k.operation, Load: "open", OfferedRPS: &rate, Measured: m, Distribution: buckets, ThroughputRPS: results.Estimate{Value: 50, Low: 49, High: 51}})
	}
	api.Cases[3].Standing.Invalid, api.Cases[3].Standing.Dropped = "arrivals were dropped: all workers were busy for too long", 40
	buckets, m := bucketsOf(rng, 300, 80, 0.3)
	_, step := bucketsOf(rng, 300, 30, 0.3)
	queries := 3.0
	flow := results.Flow{Name: "a slip's day", Service: "RatingSlip", Clients: 2, Measured: m, Distribution: buckets, Steps: []results.FlowStep{{Name: "open", Operation: "Open", Measured: step, Queries: &queries}, {Name: "close", Measured: step}}}
	r.Suites = []results.Suite{api, {Name: "e2e", Flows: []results.Flow{flow}}}
	return r
}

const markup = `</script><script>alert(1)</script><img src=x onerror="alert(2)">` + "\x1b[31m"

func samples(t testing.TB) map[string]*Run {
	g := sampleGate(t)
	evil := sampleGate(t)
	evil.CorrelationID, evil.A.Name, evil.Reproduce, evil.Environment.Postgres = markup, markup, markup, markup
	evil.Notes = []string{markup}
	for i := range evil.Cases {
		c := &evil.Cases[i]
		c.Case, c.Service, c.Reproduce, c.Labels = c.Case+markup, markup, markup, append(c.Labels, markup)
		if c.Work != nil {
			c.Work.A.Plan[1], c.Causes[0].Text, c.Work.Figures[0].Name, c.Work.A.Scans[0].Relation = "  "+markup, markup, markup, markup
		}
	}
	for i := range evil.Results.Suites[0].Cases {
		evil.Results.Suites[0].Cases[i].Name = markup
	}
	for i := range evil.SLO.Checked {
		evil.SLO.Checked[i].Case = markup
	}
	live := *g
	live.Results, live.SLO = nil, nil
	return map[string]*Run{
		"gate": {Gate: g, Results: g.Results, Said: []string{"own overhead 0.02 ms a request"}}, "live": {Gate: &live}, "bench": {Results: sampleResults(), State: "invalid", Said: []string{"GET /floor: 40 arrivals dropped"}},
		"hostile": {Gate: evil, Results: evil.Results, Said: []string{markup}}, "nothing": {Gate: &verdict.Report{Mode: verdict.Stored, Verdict: gate.Inconclusive, Threshold: 10}},
		"empty": {Results: &results.Results{Suites: []results.Suite{{Name: "api", Cases: []results.Case{{Name: "x"}}}}}, State: "partial"},
	}
}
