package report

import (
	"encoding/xml"
	"io"
)

// JUnitReport is a report of tests as Jenkins and GitLab read it.
type JUnitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr,omitempty"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []JUnitSuite `xml:"testsuite"`
}

// JUnitSuite is a group of cases; its counts are made when it is written.
type JUnitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []JUnitCase `xml:"testcase"`
}

// JUnitCase is one test; it passed where it has no outcome.
type JUnitCase struct {
	Name  string `xml:"name,attr"`
	Class string `xml:"classname,attr"`
	File  string `xml:"file,attr,omitempty"`
	Line  int    `xml:"line,attr,omitempty"`
	// Time is in seconds; 0 is not written.
	Time    float64       `xml:"time,attr,omitempty"`
	Failure *JUnitOutcome `xml:"failure,omitempty"`
	// Error is of a test that could not be done.
	Error   *JUnitOutcome `xml:"error,omitempty"`
	Skipped *JUnitOutcome `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

// JUnitOutcome says why a case did not pass.
type JUnitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes suites, counted. Texts have to be Printable.
func WriteJUnit(w io.Writer, suites []JUnitSuite) error { return writeXML(w, junitReport(suites)) }

func junitReport(suites []JUnitSuite) *JUnitReport {
	out := &JUnitReport{Name: "planvet"}
	for _, s := range suites {
		for _, c := range s.Cases {
			s.Tests++
			if c.Failure != nil {
				s.Failures++
			}
			if c.Error != nil {
				s.Errors++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Errors += s.Errors
		out.Skipped += s.Skipped
		out.Suites = append(out.Suites, s)
	}
	return out
}
