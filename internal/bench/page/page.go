package page

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

// Run is what a page is about. One of Gate and Results is there, or both.
type Run struct {
	// Gate is what was decided; nil where nothing was.
	Gate *verdict.Report
	// Results are what was measured of the suites by themselves; nil where they were only
	// run side by side.
	Results *results.Results
	// State says of Results alone whether they are a measurement: measured, partial, invalid.
	State string
	// Said are lines on the run.
	Said []string
}

//go:embed page/page.html
var pageFiles embed.FS

var (
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// pageBody is parsed when a page is written: planvet starts once a package under go vet.
var pageBody = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{
		"ms": report.MS, "figure": report.Figure, "whole": func(x float64) string { return report.Round(report.Figure(x)) },
		"grade": grade, "signed": signed, "bounds": bounds, "probability": probability, "utc": utc, "short": short,
		"forest": forest, "objectives": objectivesChart, "latency": latencyChart, "times": timesOf, "alone": aloneCharts,
		"history": historyChart, "work": workTable, "plans": drawPlans, "settings": settings, "flowSteps": flowSteps,
	}).ParseFS(pageFiles, "page/page.html"))
})

// view is what the template is given.
type view struct {
	Run
	Verdict, Headline string
	Environment       *results.Environment
	Compliance        *slo.Compliance
	// Cases are the gate's, the worst first, Measured those of the results.
	Cases    []*verdict.Case
	Measured []Measured
	Notes    []string
}

// HTML writes the page.
func HTML(w io.Writer, r *Run) error {
	v := view{Run: *r}
	if r.Results != nil {
		v.Verdict, v.Headline, v.Environment = r.State, "Benchmark: "+r.State, &r.Results.Environment
		v.Measured = measured(r.Results)
	}
	if g := r.Gate; g != nil {
		v.Verdict, v.Headline, v.Compliance, v.Environment = string(g.Verdict), "Gate "+g.Headline(), g.SLO, &g.Environment
		if r.Results != nil && len(r.Results.Environment.Settings)+len(r.Results.Environment.Tables) > 0 {
			v.Environment = &r.Results.Environment
		}
		v.Cases = g.WorstFirst()
		for _, n := range g.NotCompared {
			v.Notes = append(v.Notes, "not compared: "+strings.TrimSpace(n.Suite+" "+n.Case)+": "+n.Why)
		}
		v.Notes = append(v.Notes, g.Notes...)
	}
	v.Notes = append(v.Notes, r.Said...)
	var body strings.Builder
	if err := pageBody().Execute(&body, &v); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return report.WritePage(w, &report.Page{Title: "planvet: " + v.Headline, Body: template.HTML(printable(body.String())), Style: report.PlotStyle + pageCSS, Script: pageJS})
}

// grade is the class of a verdict's colour.
func grade(v string) string {
	switch v {
	case string(gate.Fail), string(gate.Invalid), string(slo.Broken), string(slo.Critical), string(slo.Alert):
		return "bad"
	case string(gate.Inconclusive), string(slo.Minor), string(slo.Warning), "partial":
		return "warn"
	case string(gate.Pass), string(slo.Met):
		return "good"
	}
	return "soft"
}

func settings(m map[string]string) (out []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+" = "+m[k])
	}
	return out
}

// Measured is one case, or flow, of results.
type Measured struct {
	Suite, Name, Service, Operation string
	*results.Measured
	Standing     results.Standing
	Distribution []results.Bucket
	Throughput   *results.Estimate
	Load         string
	Steps        []results.FlowStep
}

func measured(r *results.Results) (out []Measured) {
	for i := range r.Suites {
		s := &r.Suites[i]
		for k := range s.Cases {
			c := &s.Cases[k]
			out = append(out, Measured{s.Name, c.Name, c.Service, c.Operation, &c.Measured, c.Standing, c.Distribution, &c.ThroughputRPS, loadOf(c.OfferedRPS, c.Clients), nil})
		}
		for k := range s.Flows {
			f := &s.Flows[k]
			out = append(out, Measured{s.Name, f.Name, f.Service, "", &f.Measured, f.Standing, f.Distribution, f.ThroughputRPS, loadOf(f.OfferedRPS, f.Clients), f.Steps})
		}
	}
	return out
}

func loadOf(rate *float64, clients int) string {
	if rate != nil {
		return "open load, " + report.Round(report.Figure(*rate)) + "/s"
	}
	return "closed load, " + report.Plural(max(1, clients), "client")
}

// of is the objective's check of a case, by its suite and name; nil for none.
func (v *view) of(suite, name string) *slo.Checked {
	if v.Compliance == nil {
		return nil
	}
	for i := range v.Compliance.Checked {
		if k := &v.Compliance.Checked[i]; k.Suite == suite && k.Case == name {
			return k
		}
	}
	return nil
}

// targetP95 is an objective's, 0 for none.
func (v *view) targetP95(suite, name string) float64 {
	if k := v.of(suite, name); k != nil {
		for _, m := range k.Measures {
			if m.Name == "p95_ms" {
				return m.Target
			}
		}
	}
	return 0
}

// Service is one service's roll-up with what was checked of it.
type Service struct {
	slo.Service
	Checked []*slo.Checked
}

// Services are those with objectives, the worst first.
func (v *view) Services() (out []Service) {
	for _, s := range v.Compliance.Services {
		one := Service{Service: s}
		for i := range v.Compliance.Checked {
			if k := &v.Compliance.Checked[i]; k.Service == s.Service {
				one.Checked = append(one.Checked, k)
			}
		}
		out = append(out, one)
	}
	return out
}

// Whys are the measures of a service that are not met, or that chance may explain, each with
// the operations that it is of.
func (s Service) Whys() (out []string) {
	of := map[string][]string{}
	for _, k := range s.Checked {
		for _, m := range k.Measures {
			if m.Why == "" {
				continue
			}
			why := strings.TrimSuffix(m.Name, "_ms") + " " + m.Why
			if of[why] == nil {
				out = append(out, why)
			}
			if op := cmp.Or(k.Operation, k.Case); !slices.Contains(of[why], op) {
				of[why] = append(of[why], op)
			}
		}
	}
	for i, why := range out {
		out[i] = strings.Join(of[why], ", ") + ": " + strings.ReplaceAll(why, "_", " ")
	}
	return out
}

// printable is a page without what a terminal acts on: texts of the data may hold it.
func printable(page string) string {
	lines := strings.Split(page, "\n")
	for i := range lines {
		lines[i] = report.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
