package ab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
)

// at is a server that sleeps before it answers.
func at(t *testing.T, wait time.Duration, answer func(w http.ResponseWriter, n int64)) string {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(wait)
		if k := n.Add(1); answer != nil {
			answer(w, k)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// atURLs is a suite at two servers.
func atURLs(a *suite.API, urls [2]string) (arms [2]*suite.API) {
	for arm, url := range urls {
		of := *a
		of.BaseURL = url
		arms[arm] = &of
	}
	return arms
}

func gated(t *testing.T, ctx context.Context, urls [2]string, o Options) *verdict.Report {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n  api:\n    base_url: http://x\n    cases:\n      - {name: c, path: /x, timeout: 1s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	cases, err := API(atURLs(f.API, urls), "pr-123")
	if err != nil {
		t.Fatal(err)
	}
	o.Gate = gate.Options{Threshold: 0.1, Seed: 1}
	r, err := Run(ctx, cases, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Decide(verdict.Policy{})
	c := &r.Cases[0]
	t.Logf("%s %v %q, %d rounds, p95 %+v", c.Verdict, c.Labels, c.Reasons, c.Rounds, c.P95)
	return r
}

func TestSame(t *testing.T) {
	if testing.Short() {
		t.Skip("-short measures nothing to its end")
	}
	t.Parallel()
	renewed := 0
	r := gated(t, t.Context(), [2]string{at(t, time.Millisecond, nil), at(t, time.Millisecond, nil)}, Options{Renew: func(context.Context) error { renewed++; return nil }})
	c := &r.Cases[0]
	if c.Verdict != gate.Pass || r.Exit != 0 || c.Rounds < gate.Looks[0] || c.Epochs < gate.MinEpochs || len(c.A.Distribution) == 0 || len(c.Ratios) < gate.MinEpochs {
		t.Errorf("%+v", c)
	}
	if renewed < 3 {
		t.Errorf("servers were made %d times", renewed)
	}
}

func TestSlower(t *testing.T) {
	if testing.Short() {
		t.Skip("-short measures nothing to its end")
	}
	t.Parallel()
	r := gated(t, t.Context(), [2]string{at(t, time.Millisecond, nil), at(t, 3*time.Millisecond, nil)}, Options{})
	if c := &r.Cases[0]; c.Verdict != gate.Fail || r.Exit != 1 || c.Confirm == nil || c.P95.Percent < 40 || c.P50.Percent < 40 || c.P95.Low == nil {
		t.Errorf("%+v", c)
	}
}

// What is no measurement is invalid, whatever the times: it was fast because it failed, or
// because it answered something else.
func TestInvalid(t *testing.T) {
	t.Parallel()
	good := func(w http.ResponseWriter, _ int64) { w.Write([]byte("twelve bytes")) }
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, n int64)
		want   string
	}{
		{"errors", func(w http.ResponseWriter, n int64) {
			if n%20 == 0 {
				w.WriteHeader(500)
			}
			w.Write([]byte("twelve bytes"))
		}, "answers of B are errors"},
		{"only errors", func(w http.ResponseWriter, _ int64) { w.WriteHeader(500) }, "answers of B are errors"},
		{"resets", func(w http.ResponseWriter, _ int64) { panic(http.ErrAbortHandler) }, "answers of B are errors"},
		{"redirects", func(w http.ResponseWriter, _ int64) { w.Header().Set("location", "/y"); w.WriteHeader(302) }, "answers of B are errors"},
		{"another body", func(w http.ResponseWriter, _ int64) { w.Write([]byte("twelve")) }, "bodies of A have 12 bytes in the mean, those of B 6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := gated(t, t.Context(), [2]string{at(t, time.Millisecond, good), at(t, 0, c.answer)}, Options{})
			if k := &r.Cases[0]; k.Verdict != gate.Invalid || r.Exit != 5 || !strings.Contains(strings.Join(k.Reasons, "\n"), c.want) {
				t.Errorf("%s %q, exit %d", k.Verdict, k.Reasons, r.Exit)
			}
		})
	}
}

func TestIterations(t *testing.T) {
	t.Parallel()
	r := gated(t, t.Context(), [2]string{at(t, time.Millisecond, nil), at(t, 3*time.Millisecond, nil)}, Options{Iterations: 50})
	c := &r.Cases[0]
	if c.Verdict != gate.Inconclusive || c.A.Requests != 50 || c.B.Requests != 50 || !slices.Contains(c.Labels, verdict.Insufficient) || c.P95 != nil || c.P50 == nil {
		t.Errorf("%+v", c)
	}
	if r.Decide(verdict.Policy{Inconclusive: "fail"}); r.Exit != 4 {
		t.Errorf("exit %d", r.Exit)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// 106 requests are warm-up, a round has 50.
	r := gated(t, ctx, [2]string{at(t, time.Millisecond, nil), at(t, 3*time.Millisecond, func(_ http.ResponseWriter, n int64) {
		if n == 240 {
			cancel()
		}
	})}, Options{})
	if c := &r.Cases[0]; !r.Partial || r.Exit != 3 || c.Verdict != gate.Inconclusive || c.A.Requests == 0 {
		t.Errorf("partial %v, exit %d, %+v", r.Partial, r.Exit, c)
	}
}
