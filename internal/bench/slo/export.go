package slo

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// ExportOptions say what monitoring has.
type ExportOptions struct {
	// Histogram is a Prometheus histogram of seconds with the labels service and
	// operation, without its _bucket.
	Histogram string
	// Errors selects, by labels within braces, the series of requests that failed:
	// code=~"5.."; "" leaves error rates out.
	Errors string
	// Days are the window of the budget.
	Days int
}

// ratio is one target as a share of requests that are good.
type ratio struct {
	name, title, service string
	// allowed is the share that may be bad.
	allowed float64
	// good and total select counters, and bad where failures have one of their own: where
	// all requests fail there is no good one.
	good, bad, total string
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// slug is a name of RFC 1123, which OpenSLO asks for.
func slug(s string) string {
	return strings.Trim(notName.ReplaceAllString(strings.ToLower(s), "-"), "-")
}

// ratios are an objective's targets of latency and errors: a latency target is the share
// of requests in the histogram's bucket that ends there. The bucket must exist. A whole
// number of seconds is written 1 or 1.0, by who exports it.
func (o *Objective) ratios(opt ExportOptions) []ratio {
	labels := fmt.Sprintf("service=%q,operation=%q", o.Service, o.Operation)
	base := ratio{service: slug(o.Service), total: fmt.Sprintf("%s_count{%s}", opt.Histogram, labels)}
	var out []ratio
	for _, l := range []struct {
		name            string
		allowed, target float64
	}{{"p50", 0.5, o.P50Target}, {"p95", 0.05, o.P95Target}, {"p99", 0.01, o.P99Target}} {
		if l.target == 0 {
			continue
		}
		r, seconds := base, strconv.FormatFloat(l.target/1000, 'f', -1, 64)
		le := fmt.Sprintf("le=%q", seconds)
		if l.target/1000 == math.Trunc(l.target/1000) {
			le = fmt.Sprintf(`le=~"%s|%s\\.0"`, seconds, seconds)
		}
		r.name, r.allowed = slug(o.String()+" "+l.name), l.allowed
		r.title = fmt.Sprintf("%s: %g %% of requests within %g ms", o, 100*(1-l.allowed), l.target)
		r.good = fmt.Sprintf("%s_bucket{%s,%s}", opt.Histogram, labels, le)
		out = append(out, r)
	}
	if o.ErrorRate != nil && *o.ErrorRate > 0 && opt.Errors != "" {
		r := base
		r.name, r.allowed = slug(o.String()+" errors"), *o.ErrorRate
		r.title = fmt.Sprintf("%s: at most %g %% of requests fail", o, 100*r.allowed)
		r.good = fmt.Sprintf("%s_count{%s,%s}", opt.Histogram, labels, negated(opt.Errors))
		r.bad = fmt.Sprintf("%s_count{%s,%s}", opt.Histogram, labels, opt.Errors)
		out = append(out, r)
	}
	return out
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	selector   = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*=~?"[^"\\]*"$`)
)

// check refuses what monitoring would: names of metrics, and two objectives whose names
// differ only in what a name there cannot have.
func (opt *ExportOptions) check(all []Objective) error {
	switch {
	case !metricName.MatchString(opt.Histogram):
		return fmt.Errorf("%q is no name of a histogram", opt.Histogram)
	case opt.Errors != "" && !selector.MatchString(opt.Errors):
		return fmt.Errorf(`%q selects no failures: write code=~"5.."`, opt.Errors)
	}
	seen := map[string]*Objective{}
	for i := range all {
		o := &all[i]
		name := slug(o.String())
		switch twin := seen[name]; {
		case slug(o.Service) == "" || slug(o.Operation) == "" || len(name) > 50:
			return fmt.Errorf("%s makes no name for monitoring: it needs letters or digits, at most 50 in all", o)
		case twin != nil:
			return fmt.Errorf("%s and %s have one name in monitoring, %s", twin, o, name)
		case o.Alert > 0 && o.Metric != "" && !metricName.MatchString(o.Metric):
			return fmt.Errorf("%s: metric_name %q is no name of a metric", o, o.Metric)
		}
		seen[name] = o
	}
	return nil
}

// negated selects what a selector of one label does not.
func negated(s string) string {
	if label, value, ok := strings.Cut(s, "=~"); ok {
		return label + "!~" + value
	}
	label, value, _ := strings.Cut(s, "=")
	return label + "!=" + value
}

// OpenSLO writes a document of kind SLO, openslo/v1, for each target of latency or
// errors: a ratio of counters, by occurrences (https://github.com/OpenSLO/OpenSLO).
func OpenSLO(w io.Writer, all []Objective, opt ExportOptions) error {
	if err := opt.check(all); err != nil {
		return err
	}
	type m = yaml.MapSlice
	source := func(query string) m {
		return m{{Key: "metricSource", Value: m{{Key: "type", Value: "Prometheus"}, {Key: "spec", Value: m{{Key: "query", Value: query}}}}}}
	}
	enc := yaml.NewEncoder(w, yaml.IndentSequence(true))
	defer enc.Close()
	for i := range all {
		for _, r := range all[i].ratios(opt) {
			doc := m{
				{Key: "apiVersion", Value: "openslo/v1"}, {Key: "kind", Value: "SLO"},
				{Key: "metadata", Value: m{{Key: "name", Value: r.name}, {Key: "displayName", Value: all[i].String()}}},
				{Key: "spec", Value: m{
					{Key: "description", Value: cmp.Or(all[i].SpecRef, r.title)},
					{Key: "service", Value: r.service},
					{Key: "indicator", Value: m{
						{Key: "metadata", Value: m{{Key: "name", Value: r.name + "-ratio"}}},
						{Key: "spec", Value: m{{Key: "ratioMetric", Value: m{{Key: "counter", Value: true}, {Key: "good", Value: source(r.good)}, {Key: "total", Value: source(r.total)}}}}},
					}},
					{Key: "timeWindow", Value: []m{{{Key: "duration", Value: fmt.Sprintf("%dd", opt.Days)}, {Key: "isRolling", Value: true}}}},
					{Key: "budgetingMethod", Value: "Occurrences"},
					{Key: "objectives", Value: []m{{{Key: "displayName", Value: r.title}, {Key: "target", Value: share(1 - r.allowed)}}}},
				}},
			}
			if err := enc.Encode(doc); err != nil {
				return err
			}
		}
	}
	return nil
}

// share takes the noise of binary fractions off: 0.95, not 0.9500000000000001.
func share(x float64) float64 { return math.Round(x*1e9) / 1e9 }

// burnRates are the pairs of windows of the SRE workbook, chapter 5, "Multiwindow,
// Multi-Burn-Rate Alerts": at 14.4 an hour takes 2 % of a budget of 30 days, at 6 six
// hours take 5 %, at 1 three days take 10 %. The short window ends an alert soon.
var burnRates = []struct {
	factor              float64
	long, short, severe string
}{{14.4, "1h", "5m", "page"}, {6, "6h", "30m", "page"}, {1, "3d", "6h", "ticket"}}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type group struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

// Prometheus writes a file of rules: the share of bad requests over each window, and
// alerts on how fast it spends the budget. A rate that would need more than all requests
// to be bad cannot be reached and has no rule: 14.4 and 6 of a p50. The alert
// threshold is held against the metric that the objective names, in milliseconds.
func Prometheus(w io.Writer, all []Objective, opt ExportOptions) error {
	if err := opt.check(all); err != nil {
		return err
	}
	var groups []group
	for i := range all {
		o := &all[i]
		for _, r := range o.ratios(opt) {
			g := group{Name: "planvet-slo-" + r.name}
			labels := map[string]string{"slo": r.name, "service": o.Service, "operation": o.Operation}
			expr := func(window string) string {
				if r.bad != "" {
					return fmt.Sprintf("sum(rate(%s[%s])) / sum(rate(%s[%s]))", r.bad, window, r.total, window)
				}
				return fmt.Sprintf("1 - sum(rate(%s[%s])) / sum(rate(%s[%s]))", r.good, window, r.total, window)
			}
			for _, window := range []string{"5m", "30m", "1h", "6h", "3d"} {
				g.Rules = append(g.Rules, rule{Record: "slo:bad:ratio_rate" + window, Labels: labels, Expr: expr(window)})
			}
			for _, b := range burnRates {
				limit := strconv.FormatFloat(share(b.factor*r.allowed), 'f', -1, 64)
				if b.factor*r.allowed >= 1 {
					continue
				}
				g.Rules = append(g.Rules, rule{
					Alert: "SLOBudgetBurn", Labels: map[string]string{"slo": r.name, "service": o.Service, "operation": o.Operation, "severity": b.severe, "burn": fmt.Sprint(b.factor)},
					Expr:        fmt.Sprintf("slo:bad:ratio_rate%s{slo=%q} > %s and slo:bad:ratio_rate%s{slo=%q} > %s", b.long, r.name, limit, b.short, r.name, limit),
					Annotations: map[string]string{"summary": fmt.Sprintf("%s; the budget burns at %g times its rate over %s and %s", r.title, b.factor, b.long, b.short)},
				})
			}
			groups = append(groups, g)
		}
		if o.Alert > 0 && o.Metric != "" {
			groups = append(groups, group{Name: "planvet-slo-" + slug(o.String()+" alert"), Rules: []rule{{
				Alert: "SLOAlertThreshold", Expr: fmt.Sprintf("%s > %g", o.Metric, o.Alert), For: "5m",
				Labels:      map[string]string{"service": o.Service, "operation": o.Operation, "severity": "page"},
				Annotations: map[string]string{"summary": fmt.Sprintf("%s: p95 is over %g ms", o, o.Alert)},
			}}})
		}
	}
	return yaml.NewEncoder(w, yaml.IndentSequence(true)).Encode(struct {
		Groups []group `yaml:"groups"`
	}{groups})
}
