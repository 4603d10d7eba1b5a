// Package junit writes what a gate says, or what a benchmark measured, as a report of tests:
// for Jenkins, GitLab and whatever else shows them.
package junit

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

// Write writes a suite of tests for each suite of the gate, one for what was measured
// beside it, and one for objectives. A regression and a broken objective fail, what is
// inconclusive is skipped and says why, what is no measurement is an error. Either of g and
// r may be nil. Names hold no figures, so that a reader who compares two runs finds a case
// again.
func Write(w io.Writer, g *verdict.Report, r *results.Results) error {
	var b builder
	if g != nil {
		for _, c := range g.WorstFirst() {
			b.add("gate "+c.Suite, judged(c))
		}
		for _, n := range g.NotCompared {
			c := report.JUnitCase{Name: n.Case, Class: n.Suite, Skipped: &report.JUnitOutcome{Message: "not compared: " + n.Why}}
			if c.Name == "" {
				c.Name = "all cases"
			}
			b.add("gate "+n.Suite, c)
		}
		if g.SLO != nil {
			for i := range g.SLO.Checked {
				b.add("objectives", checked(&g.SLO.Checked[i]))
			}
		}
	}
	if r != nil {
		for i := range r.Suites {
			s := &r.Suites[i]
			for k := range s.Cases {
				c := &s.Cases[k]
				b.add("bench "+s.Name, measured(c.Name, c.Service, c.Operation, &c.Measured, &c.Standing))
			}
			for k := range s.Flows {
				f := &s.Flows[k]
				b.add("bench "+s.Name, measured(f.Name, f.Service, "", &f.Measured, &f.Standing))
			}
		}
	}
	return report.WriteJUnit(w, b.suites)
}

type builder struct{ suites []report.JUnitSuite }

// add puts a case into its suite, every text such that XML may hold it. A name that is there
// already gets a number: readers take two of one name for one.
func (b *builder) add(suite string, c report.JUnitCase) {
	suite, c.Name, c.Class, c.Output = report.Printable(suite), report.Printable(c.Name), report.Printable(c.Class), lines(c.Output)
	for _, o := range []*report.JUnitOutcome{c.Failure, c.Error, c.Skipped} {
		if o != nil {
			o.Message, o.Text = report.Printable(o.Message), lines(o.Text)
		}
	}
	at := slices.IndexFunc(b.suites, func(s report.JUnitSuite) bool { return s.Name == suite })
	if at < 0 {
		at = len(b.suites)
		b.suites = append(b.suites, report.JUnitSuite{Name: suite})
	}
	s, name := &b.suites[at], c.Name
	for n := 2; slices.ContainsFunc(s.Cases, func(k report.JUnitCase) bool { return k.Name == c.Name && k.Class == c.Class }); n++ {
		c.Name = fmt.Sprintf("%s (%d)", name, n)
	}
	s.Cases = append(s.Cases, c)
}

// lines makes a text of several lines printable.
func lines(s string) string {
	all := strings.Split(s, "\n")
	for i := range all {
		all[i] = report.Printable(all[i])
	}
	return strings.Join(all, "\n")
}

func judged(c *verdict.Case) report.JUnitCase {
	out := report.JUnitCase{Name: c.Case, Class: class(c.Service, c.Operation)}
	if c.P95 != nil {
		out.Time = c.P95.B / 1000
	}
	why := strings.Join(c.Reasons, "; ")
	if why == "" {
		why = string(c.Verdict)
	}
	o := &report.JUnitOutcome{Message: why, Type: string(c.Verdict), Text: strings.Join(c.Facts(), "\n")}
	switch c.Verdict {
	case gate.Fail:
		out.Failure = o
	case gate.Invalid:
		out.Error = o
	case gate.Inconclusive:
		out.Skipped = &report.JUnitOutcome{Message: why}
	default:
		out.Output = strings.Join(c.Facts(), "\n")
	}
	return out
}

// class is a service and its operation, as a package and its class.
func class(service, operation string) string {
	return strings.TrimSuffix(service+"."+operation, ".")
}

func checked(k *slo.Checked) report.JUnitCase {
	out := report.JUnitCase{Name: k.Suite + " › " + k.Case, Class: class(k.Service, k.Operation)}
	var why []string
	for _, m := range k.Measures {
		if m.Verdict != slo.Met && m.Why != "" {
			why = append(why, m.Name+": "+m.Why)
		}
	}
	text := strings.Join(why, "; ")
	if k.SpecRef != "" {
		out.Output = "spec: " + k.SpecRef
	}
	switch k.Verdict {
	case slo.Broken:
		out.Failure = &report.JUnitOutcome{Message: text, Type: string(k.State), Text: strings.Join(why, "\n")}
	case slo.Inconclusive:
		out.Skipped = &report.JUnitOutcome{Message: text}
	}
	return out
}

func measured(name, service, operation string, m *results.Measured, s *results.Standing) report.JUnitCase {
	out := report.JUnitCase{Name: name, Class: class(service, operation), Output: fmt.Sprintf("%d requests, %d failed", m.Requests, m.Errors.Count)}
	if p := m.Latency.P95; p != nil {
		out.Time = p.Value / 1000
		out.Output += fmt.Sprintf("; p95 %s (%s to %s)", report.MS(p.Value), report.MS(p.Low), report.MS(p.High))
	}
	switch {
	case s.Invalid != "":
		out.Error = &report.JUnitOutcome{Message: "no measurement: " + s.Invalid, Type: "invalid", Text: out.Output}
	case s.Partial:
		out.Skipped = &report.JUnitOutcome{Message: "ended before it was done"}
	}
	return out
}
