package slo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var exported = func() []Objective {
	rate := 0.01
	return []Objective{
		{Service: "RatingSlip", Operation: "UpdateTelemetry", P95Target: 80, Metric: "ratingslip_update_latency_p95", Alert: 100},
		{Service: "Player", Operation: "Search", P50Target: 50, P95Target: 1000, P99Target: 2000, ErrorRate: &rate},
	}
}()

var exportOptions = ExportOptions{Histogram: "http_request_duration_seconds", Errors: `code=~"5.."`, Days: 28}

func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if len(l) <= p {
				t.Fatalf("%v: no element %d", path, p)
			}
			v = l[p]
		}
	}
	if v == nil {
		t.Errorf("%v is not there", path)
	}
	return v
}

// Each document has what openslo/v1 requires of a kind SLO, and parses again.
func TestOpenSLO(t *testing.T) {
	var text bytes.Buffer
	if err := OpenSLO(&text, exported, exportOptions); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	targets := map[string]string{}
	d := yaml.NewDecoder(&text)
	for {
		var doc map[string]any
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if at(t, doc, "apiVersion") != "openslo/v1" || at(t, doc, "kind") != "SLO" || at(t, doc, "spec", "budgetingMethod") != "Occurrences" {
			t.Errorf("got %v", doc)
		}
		for _, path := range [][]any{{"metadata", "name"}, {"spec", "service"}, {"spec", "indicator", "metadata", "name"}} {
			if s := fmt.Sprint(at(t, doc, path...)); !name.MatchString(s) || len(s) > 63 {
				t.Errorf("%v: %q is no name", path, s)
			}
		}
		if at(t, doc, "spec", "timeWindow", 0, "duration") != "28d" || at(t, doc, "spec", "timeWindow", 0, "isRolling") != true || at(t, doc, "spec", "indicator", "spec", "ratioMetric", "counter") != true {
			t.Errorf("got %v", doc)
		}
		at(t, doc, "spec", "indicator", "spec", "ratioMetric", "total", "metricSource", "spec", "query")
		targets[fmt.Sprint(at(t, doc, "metadata", "name"))] = fmt.Sprint(at(t, doc, "spec", "objectives", 0, "target"), " ", at(t, doc, "spec", "indicator", "spec", "ratioMetric", "good", "metricSource", "spec", "query"))
	}
	const player = `http_request_duration_seconds_bucket{service="Player",operation="Search",`
	for n, want := range map[string]string{
		"ratingslip-updatetelemetry-p95": `0.95 http_request_duration_seconds_bucket{service="RatingSlip",operation="UpdateTelemetry",le="0.08"}`,
		"player-search-p50":              `0.5 ` + player + `le="0.05"}`,
		"player-search-p95":              `0.95 ` + player + `le=~"1|1\\.0"}`,
		"player-search-p99":              `0.99 ` + player + `le=~"2|2\\.0"}`,
		"player-search-errors":           `0.99 http_request_duration_seconds_count{service="Player",operation="Search",code!~"5.."}`,
	} {
		if targets[n] != want {
			t.Errorf("%s: got %s, want %s", n, targets[n], want)
		}
	}
	if len(targets) != 5 {
		t.Errorf("got %v", targets)
	}
}

// The rules have the workbook's windows and limits, and name series that are recorded.
func TestPrometheus(t *testing.T) {
	var text bytes.Buffer
	if err := Prometheus(&text, exported, exportOptions); err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []group }
	if err := yaml.UnmarshalWithOptions(text.Bytes(), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var names, alerts []string
	for _, g := range file.Groups {
		names = append(names, g.Name)
		recorded := map[string]bool{}
		for _, r := range g.Rules {
			switch {
			case (r.Record == "") == (r.Alert == "") || r.Expr == "":
				t.Errorf("%s: neither a record nor an alert, or both: %+v", g.Name, r)
			case r.Record != "":
				recorded[r.Record+`{slo="`+r.Labels["slo"]+`"}`] = true
			default:
				for _, s := range regexp.MustCompile(`slo:bad:\S+`).FindAllString(r.Expr, -1) {
					if !recorded[s] {
						t.Errorf("%s: %s is not recorded", g.Name, s)
					}
				}
				alerts = append(alerts, g.Name+" "+r.Labels["severity"]+" "+r.Expr)
			}
		}
	}
	if s := slices.Compact(slices.Sorted(slices.Values(names))); len(s) != len(names) || len(names) != 6 {
		t.Errorf("groups must have names of their own: %q", names)
	}
	burning := func(name, severity, long, limit, short string) string {
		return fmt.Sprintf("planvet-slo-%s %s slo:bad:ratio_rate%s{slo=%q} > %s and slo:bad:ratio_rate%s{slo=%q} > %s", name, severity, long, name, limit, short, name, limit)
	}
	for _, want := range []string{
		burning("ratingslip-updatetelemetry-p95", "page", "1h", "0.72", "5m"), burning("ratingslip-updatetelemetry-p95", "page", "6h", "0.3", "30m"),
		burning("ratingslip-updatetelemetry-p95", "ticket", "3d", "0.05", "6h"), burning("player-search-p99", "page", "1h", "0.144", "5m"),
		burning("player-search-p50", "ticket", "3d", "0.5", "6h"), "planvet-slo-ratingslip-updatetelemetry-alert page ratingslip_update_latency_p95 > 100",
	} {
		if !slices.Contains(alerts, want) {
			t.Errorf("%s is not among\n%s", want, strings.Join(alerts, "\n"))
		}
	}
	if len(alerts) != 3*4+1+1 {
		t.Errorf("got %d alerts", len(alerts))
	}
}

// Where all requests fail, the share of bad ones is 1 and not missing.
func TestPrometheusErrors(t *testing.T) {
	var text bytes.Buffer
	if err := Prometheus(&text, exported, exportOptions); err != nil {
		t.Fatal(err)
	}
	if want := `sum(rate(http_request_duration_seconds_count{service="Player",operation="Search",code=~"5.."}[1h])) / sum(rate(http_request_duration_seconds_count{service="Player",operation="Search"}[1h]))`; !strings.Contains(text.String(), want) {
		t.Errorf("%s is not in\n%s", want, &text)
	}
}

func TestExportRefuses(t *testing.T) {
	for _, c := range []struct {
		all  []Objective
		opt  ExportOptions
		want string
	}{
		{exported, ExportOptions{Histogram: "a b"}, "no name of a histogram"},
		{exported, ExportOptions{Histogram: "a", Errors: `code="}`}, "selects no failures"},
		{[]Objective{{Service: "A", Operation: "b c"}, {Service: "a b", Operation: "C"}}, exportOptions, "A b c and a b C have one name"},
		{[]Objective{{Service: "É", Operation: "b"}}, exportOptions, "makes no name"},
		{[]Objective{{Service: "A", Operation: "b", Metric: "x y", Alert: 1}}, exportOptions, `metric_name "x y"`},
	} {
		if err := OpenSLO(io.Discard, c.all, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		if err := Prometheus(io.Discard, c.all, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
