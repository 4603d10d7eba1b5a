package report

import (
	"fmt"
	"io"
	"slices"

	"github.com/planvet/planvet/rules"
)

// junitLimit is what GitLab reads of one file, 30 MB, with room.
const junitLimit = 29_000_000

// writeJUnit writes a suite a rule and a case a finding. Cases fail that fail the
// run; those below --fail-on, possible and refuted ones are skipped, with the
// reason. A rule that ran and found nothing is a case that passed. Names hold no
// line numbers, so that a reader who compares two runs finds a case again.
func writeJUnit(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	all := make([]*rules.Finding, len(d.Findings))
	for i := range d.Findings {
		all[i] = &d.Findings[i]
	}
	at := placesOf(d, o.Repository, inBytes)
	suites, order := map[string]*JUnitSuite{}, []string{}
	suite := func(rule string) *JUnitSuite {
		if suites[rule] == nil {
			suites[rule] = &JUnitSuite{Name: Printable(rule)}
			order = append(order, rule)
		}
		return suites[rule]
	}
	names := map[string]int{}
	bytes, kept := 0, 0
	slices.SortStableFunc(all, func(a, b *rules.Finding) int { return junitOrder(b, o.FailOn) - junitOrder(a, o.FailOn) })
	for _, f := range all {
		c := junitOf(f, at, o.FailOn)
		if key := c.Class + "\x00" + f.Rule + "\x00" + c.Name; names[key] > 0 {
			names[key]++
			c.Name += fmt.Sprintf(" (%d)", names[key])
		} else {
			names[key] = 1
		}
		if bytes += junitSize(&c); bytes > junitLimit {
			break
		}
		kept++
		s := suite(f.Rule)
		s.Cases = append(s.Cases, c)
	}
	for _, r := range d.Rules {
		if !slices.Contains(d.Off, r.Name) && suites[r.Name] == nil {
			suite(r.Name).Cases = []JUnitCase{{Name: "nothing found", Class: r.Name}}
		}
	}
	left := leftOut(kept, len(all), "a report of 30 MB is not read")
	slices.Sort(order)
	if left != "" || len(order) == 0 {
		c := JUnitCase{Name: "planvet check", Class: "planvet"}
		if left != "" {
			c.Skipped = &JUnitOutcome{Message: "written " + left}
		}
		last := suite("planvet")
		last.Cases = append(last.Cases, c)
	}
	return left, writeXML(w, junitTotal(suites, order))
}

// junitOrder is the order in which a limit takes cases: failures first, refuted ones
// last.
func junitOrder(f *rules.Finding, failOn string) int {
	switch {
	case !live(f):
		return 0
	case fails(f, failOn):
		return 1000 + badness(f)
	}
	return 1 + badness(f)
}

func junitOf(f *rules.Finding, at *places, failOn string) JUnitCase {
	l := at.of(f.Location)
	c := JUnitCase{Name: Printable(f.Message), Class: Printable(l.Path), File: Printable(l.Path), Line: l.Line}
	switch text := Printable(placeOf(l)) + ": " + string(f.Severity) + ": " + explains(f, at); {
	case fails(f, failOn):
		c.Failure = &JUnitOutcome{Message: says(f), Type: string(f.Severity), Text: text}
	case !live(f):
		c.Skipped = &JUnitOutcome{Message: says(f)}
	default:
		c.Skipped = &JUnitOutcome{Message: string(f.Severity) + ", fails no run: " + says(f)}
	}
	return c
}

// junitSize is at least what a case takes, its escapes included.
func junitSize(c *JUnitCase) int {
	n := 256
	for _, s := range []string{c.Name, c.Class, c.File} {
		n += escapedSize(s)
	}
	for _, o := range []*JUnitOutcome{c.Failure, c.Skipped} {
		if o != nil {
			n += escapedSize(o.Message) + escapedSize(o.Text)
		}
	}
	return n
}

func escapedSize(s string) int {
	n := len(s)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\'' || c == '&' || c == '<' || c == '>' {
			n += 4
		}
	}
	return n
}

func junitTotal(suites map[string]*JUnitSuite, order []string) *JUnitReport {
	var all []JUnitSuite
	for _, name := range order {
		all = append(all, *suites[name])
	}
	return junitReport(all)
}
