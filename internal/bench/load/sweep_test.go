package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func sweepOf(t *testing.T, suites string, o Options, clients ...int) SweepCase {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n"+suites))
	if err != nil {
		t.Fatal(err)
	}
	if f.DB != nil {
		f.DB, err = f.DB.Expand()
		o.Suites = append(o.Suites, "db")
	}
	if f.API != nil && err == nil {
		f.API, err = f.API.Expand()
		o.Suites = append(o.Suites, "api")
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := SweepClients(t.Context(), f, o, clients)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Cases) != 1 || len(s.Cases[0].Steps) != len(clients) || !s.Valid() || s.Partial {
		t.Fatalf("got %+v", s)
	}
	return s.Cases[0]
}

// live.md row 77: with a pool of 4 the times double between 4 and 8 clients, in a
// PgBouncer as in the pool of a program, and without a pool they do not. A statement of
// 30 ms is long beside what a busy machine adds.
func TestSweepClients(t *testing.T) {
	conn := shadowtest.Connect(t)
	url := conn.Config().ConnString()
	knee := func(t *testing.T, c SweepCase) {
		t.Helper()
		if c.Knee == nil || c.Knee.Last < 4 || c.Knee.First > 8 {
			t.Errorf("knee %+v: %+v", c.Knee, c.Steps)
		}
		most := 0.0
		for _, s := range c.Steps {
			most = max(most, s.ThroughputRPS.Value)
		}
		// 4 connections of 30 ms each do 133 a second.
		if most > 140 || most < 80 {
			t.Errorf("%g a second at most", most)
		}
	}
	o, clients := Options{Iterations: 60, CorrelationID: "pr-123"}, []int{1, 2, 4, 6, 8}
	t.Run("PgBouncer", func(t *testing.T) {
		through, _ := shadowtest.PgBouncer(t, conn, 4)
		t.Setenv("LOAD_TEST_DB", through)
		knee(t, sweepOf(t, "  db:\n    url: ${LOAD_TEST_DB}\n    cases:\n      - {name: sleep, protocol: simple, sql: 'select pg_sleep(0.03)'}\n", o, clients...))
	})
	t.Run("a program's pool", func(t *testing.T) {
		cfg, err := pgxpool.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		cfg.MaxConns = 4
		pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := pool.Exec(r.Context(), "select pg_sleep(0.03)"); err != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}))
		defer server.Close()
		knee(t, sweepOf(t, "  api:\n    base_url: "+server.URL+"\n    rate: 5\n    cases:\n      - {path: /x}\n", o, clients...))
	})
	t.Run("no pool", func(t *testing.T) {
		t.Setenv("LOAD_TEST_DB", url)
		if c := sweepOf(t, "  db:\n    url: ${LOAD_TEST_DB}\n    cases:\n      - {name: sleep, sql: 'select pg_sleep(0.03)'}\n", o, 1, 4, 8); c.Knee != nil {
			t.Errorf("knee %+v: %+v", c.Knee, c.Steps)
		}
	})
}

// The knee is where p95 doubles for good: one slow step before others that are not is none.
func TestKnee(t *testing.T) {
	for name, c := range map[string]struct {
		p95  []float64 // of 1, 2, 3 … clients; negative ones are of invalid steps
		want string
	}{
		"never":                {[]float64{10, 11, 18.9}, "<nil>"},
		"doubles":              {[]float64{10, 12, 19, 31}, "&{2 3}"},
		"once, by chance":      {[]float64{10, 25, 12, 13}, "<nil>"},
		"by chance, then so":   {[]float64{10, 25, 12, 22}, "&{3 4}"},
		"an invalid one":       {[]float64{10, -99, 12, 40}, "&{3 4}"},
		"at once":              {[]float64{10, 30}, "&{1 2}"},
		"the first is invalid": {[]float64{-1, 10, 18, 20}, "&{3 4}"},
	} {
		var s SweepCase
		for i, p := range c.p95 {
			step := SweepStep{Clients: i + 1}
			if p < 0 {
				step.Invalid, p = "more than 1 % failed", -p
			}
			step.Latency.P95 = &results.Estimate{Value: p}
			s.Steps = append(s.Steps, step)
		}
		if s.judge(); fmt.Sprint(s.Knee) != c.want {
			t.Errorf("%s: %v, want %s", name, s.Knee, c.want)
		}
	}
}

func TestParseClients(t *testing.T) {
	for text, want := range map[string][]int{
		"1-16": {1, 2, 3, 4, 5, 6, 8, 10, 13, 16}, "4-6": {4, 5, 6}, " 1, 2,8": {1, 2, 8}, "1": nil, "": nil, "2,1": nil, "0-4": nil, "4-4": nil, "a-b": nil, "1,2,20000": nil, "1-2-3": nil,
	} {
		if got, err := ParseClients(text); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// A case that does two kinds of work has two peaks (row 78).
func TestPeaks(t *testing.T) {
	conn := shadowtest.Connect(t, "create sequence calls")
	r, err := benchDB(t, t.Context(), conn.Config().ConnString(), "      - {name: hit or miss, sql: \"select pg_sleep(case when nextval('calls') % 3 = 0 then 0.03 else 0.002 end)\"}\n      - {name: even, sql: 'select pg_sleep(0.005)'}\n", Options{Iterations: 150})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Results.Suites[0].Cases
	if got := results.Modes(c[0].Distribution); len(got) != 2 || got[0].At < 1.5 || got[0].At > 8 || got[1].At < 25 || got[1].At > 45 || got[1].Share < 0.25 || got[1].Share > 0.42 || modes(&c[0]) == "" {
		t.Errorf("peaks %+v: %s", got, modes(&c[0]))
	}
	if got := modes(&c[1]); got != "" {
		t.Errorf("%s", got)
	}
}
