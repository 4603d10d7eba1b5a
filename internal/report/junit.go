package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"

	"github.com/planvet/planvet/rules"
)

type junitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitOutcome `xml:"failure,omitempty"`
	Skipped *junitOutcome `xml:"skipped,omitempty"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

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
	suites, order := map[string]*junitSuite{}, []string{}
	suite := func(rule string) *junitSuite {
		if suites[rule] == nil {
			suites[rule] = &junitSuite{Name: Printable(rule)}
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
			suite(r.Name).Cases = []junitCase{{Name: "nothing found", Class: r.Name}}
		}
	}
	left := leftOut(kept, len(all), "a report of 30 MB is not read")
	slices.Sort(order)
	if left != "" || len(order) == 0 {
		c := junitCase{Name: "planvet check", Class: "planvet"}
		if left != "" {
			c.Skipped = &junitOutcome{Message: "written " + left}
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

func junitOf(f *rules.Finding, at *places, failOn string) junitCase {
	l := at.of(f.Location)
	c := junitCase{Name: Printable(f.Message), Class: Printable(l.Path), File: Printable(l.Path), Line: l.Line}
	switch text := Printable(placeOf(l)) + ": " + string(f.Severity) + ": " + explains(f, at); {
	case fails(f, failOn):
		c.Failure = &junitOutcome{Message: says(f), Type: string(f.Severity), Text: text}
	case !live(f):
		c.Skipped = &junitOutcome{Message: says(f)}
	default:
		c.Skipped = &junitOutcome{Message: string(f.Severity) + ", fails no run: " + says(f)}
	}
	return c
}

// junitSize is at least what a case takes, its escapes included.
func junitSize(c *junitCase) int {
	n := 256
	for _, s := range []string{c.Name, c.Class, c.File} {
		n += escapedSize(s)
	}
	for _, o := range []*junitOutcome{c.Failure, c.Skipped} {
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

func junitTotal(suites map[string]*junitSuite, order []string) *junitReport {
	out := &junitReport{Name: "planvet"}
	for _, name := range order {
		s := suites[name]
		for _, c := range s.Cases {
			s.Tests++
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Skipped += s.Skipped
		out.Suites = append(out.Suites, *s)
	}
	return out
}
