package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// receiver is an OpenTelemetry receiver over HTTP, which decodes what it gets by
// OpenTelemetry's own module.
type receiver struct {
	*httptest.Server
	got    []*metricspb.MetricsData
	header http.Header
	answer func(w http.ResponseWriter)
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		m := &metricspb.MetricsData{}
		if err == nil {
			err = proto.Unmarshal(body, m)
		}
		if err != nil || q.Method != http.MethodPost || q.URL.Path != "/v1/metrics" || q.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s, %s, %v", q.Method, q.URL.Path, q.Header.Get("Content-Type"), err)
		}
		r.got, r.header = append(r.got, m), q.Header
		if r.answer != nil {
			r.answer(w)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// points are the values of a metric by the attribute fingerprint, and by "" those
// without one.
func points(m *metricspb.MetricsData, name string) map[string]*metricspb.NumberDataPoint {
	out := map[string]*metricspb.NumberDataPoint{}
	for _, x := range m.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		if x.Name != name {
			continue
		}
		for _, p := range append(x.GetSum().GetDataPoints(), x.GetGauge().GetDataPoints()...) {
			key := ""
			for _, a := range p.Attributes {
				if a.Key == "fingerprint" {
					key = a.Value.GetStringValue()
				}
			}
			out[key] = p
		}
	}
	return out
}

// TestOTLP holds what a receiver gets, and what Prometheus's own parser reads, against
// the JSON of the same reading.
func TestOTLP(t *testing.T) {
	conn := shadowtest.Connect(t, visits)
	for i := range 20 {
		if _, err := conn.Exec(t.Context(), "select note from visits where guest = $1", i); err != nil {
			t.Fatal(err)
		}
	}
	url, r := conn.Config().ConnString(), newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b,x-tenant=shop")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url); code != 0 || len(r.got) != 0 {
		t.Fatalf("exit %d, %d requests without the flag: %s", code, len(r.got), errs)
	}
	code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--format", "json", "--otlp", r.URL, "--pool-stats", "--locks")
	if code != 0 || len(r.got) != 1 {
		t.Fatalf("exit %d, %d requests: %s", code, len(r.got), errs)
	}
	var report monitor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	m := r.got[0]
	calls, seconds, all := points(m, "planvet.statement_calls"), points(m, "planvet.statement_exec"), points(m, "planvet.calls")
	if len(calls) != len(report.Top) || all[""].GetAsDouble() != float64(report.Totals.Calls) {
		t.Errorf("%d of %d statements, %v calls of %d", len(calls), len(report.Top), all[""].GetAsDouble(), report.Totals.Calls)
	}
	for _, q := range report.Top {
		if c, s := calls[q.Fingerprint], seconds[q.Fingerprint]; c.GetAsDouble() != float64(q.Calls) || s.GetAsDouble() != q.ExecMS/1000 ||
			!report.From.IsZero() && int64(c.StartTimeUnixNano) != report.From.UnixNano() || int64(c.TimeUnixNano) != report.To.UnixNano() {
			t.Errorf("%s: %v, %v, want %d calls and %g ms", q.SQL, c, s, q.Calls, q.ExecMS)
		}
	}
	for _, x := range m.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		if x.Name == "planvet.statement_exec" && (x.Unit != "s" || !x.GetSum().IsMonotonic || x.GetSum().AggregationTemporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE) {
			t.Errorf("%s: %+v", x.Name, x)
		}
	}
	if r.header.Get("X-Key") != "a b" || r.header.Get("X-Tenant") != "shop" {
		t.Errorf("headers %v", r.header)
	}
	// Of an interval the receiver still gets counters.
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--interval", "10ms", "--otlp", "env"); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if got := points(r.got[1], "planvet.calls")[""].GetAsDouble(); got < float64(report.Totals.Calls) {
		t.Errorf("%v calls after %d", got, report.Totals.Calls)
	}

	// Prometheus reads a file of the same figures, which is replaced as a whole.
	file := filepath.Join(t.TempDir(), "planvet.prom")
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--format", "prometheus", "--output", file, "--pool-stats", "--locks"); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	families, err := new(expfmt.TextParser).TextToMetricFamilies(text)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, x := range families["planvet_statement_calls_total"].GetMetric() {
		for _, l := range x.Label {
			if l.GetName() == "fingerprint" && calls[l.GetValue()].GetAsDouble() == 20 && x.GetCounter().GetValue() == 20 {
				found++
			}
		}
	}
	if found != 1 || families["planvet_up"].GetMetric()[0].GetGauge().GetValue() != 1 || families["planvet_connections"] == nil {
		t.Errorf("%d statements of 20 calls in the file", found)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	for name, c := range map[string]struct {
		args   []string
		answer func(w http.ResponseWriter)
		code   int
		says   string
	}{
		"refused":     {[]string{"--otlp", r.URL}, func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, 3, "did not take the metrics: 403 Forbidden"},
		"partial":     {[]string{"--otlp", r.URL}, func(w http.ResponseWriter) { w.Write([]byte("\x0a\x09\x08\x03\x12\x05too\nx")) }, 3, "rejected 3 values: too x"},
		"redirected":  {[]string{"--otlp", r.URL}, func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(307) }, 3, "307"},
		"no answer":   {[]string{"--otlp", "http://user:s3cret@127.0.0.1:1"}, nil, 3, "sending metrics to the OpenTelemetry receiver at 127.0.0.1:1"},
		"no URL":      {[]string{"--otlp", "s3cret:4318"}, nil, 2, "--otlp: write http://host:4318"},
		"two engines": {[]string{"--otlp", r.URL, "--listen", "127.0.0.1:0"}, nil, 2, "use one"},
		"an interval": {[]string{"--format", "prometheus", "--interval", "1s"}, nil, 2, "not of an interval"},
	} {
		r.answer = c.answer
		code, out, errs := planvetRun(t, append([]string{"monitor", "--database-url", url}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Contains(errs, "s3cret") || c.code == 3 && !strings.Contains(out, "statement") {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--otlp", "env"); code != 2 || !strings.Contains(errs, "is set") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
