// Package suppress reads the comments that silence findings, and applies them.
//
// A comment names its rules and gives a reason:
//
//	-- planvet:ignore unindexed-where: 40 rows, never grows
//	//planvet:ignore nplusone, unindexed-where: three items at most
//	-- planvet:ignore unindexed-where until=2027-01-01: goes with the old importer
//
// and holds for the statement that it precedes, stands in or trails. ignore-file
// holds for the whole file; in Go the comment may also stand in a function's doc,
// and //nolint:planvet is honoured. Between the lines of a CREATE TABLE and other
// DDL it holds for its own line, or for the next line when it stands alone.
package suppress

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Directive is one comment.
type Directive struct {
	// Location is the comment's own place.
	Location rules.Location
	// Rules are the names; empty for //nolint:planvet, which means all.
	Rules []string
	// Reason is the text after the colon, "" where it is missing.
	Reason string
	// Until is the last day that it holds, as it is written; "" for all days.
	Until string
	// From and To are the lines that it covers; To is 0 for the whole file.
	From, To int
	// NoLint is set for //nolint:planvet, which needs no reason.
	NoLint bool
}

// Collect returns a file's directives in order. path is relative to the project's
// root. Text that is not valid Go or SQL still gives the directives that can be
// made out.
func Collect(path string, text []byte, isGo bool) []Directive {
	if isGo {
		if !bytes.Contains(text, []byte("planvet")) {
			return nil
		}
		return collectGo(path, text)
	}
	if !bytes.Contains(text, []byte(mark)) {
		return nil
	}
	return collectSQL(path, string(text))
}

const mark = "planvet:ignore"

var noLint = regexp.MustCompile(`^//\s*nolint:([\w,\s-]+)`)

// parse reads a comment, markers included; ok is false for one that is no
// directive. whole is set for ignore-file.
func parse(comment string) (d Directive, whole, ok bool) {
	s, nested := strings.CutPrefix(comment, "/*")
	switch {
	case nested:
		s = strings.TrimSuffix(s, "*/")
	case strings.HasPrefix(s, "--"):
		s = strings.TrimLeft(s, "-")
	default:
		s = strings.TrimPrefix(s, "//")
	}
	s, _, _ = strings.Cut(strings.TrimLeft(s, " \t*"), "\n")
	s, ok = strings.CutPrefix(s, mark)
	if !ok {
		return d, false, false
	}
	s, whole = strings.CutPrefix(s, "-file")
	if s = strings.TrimRight(s, " \t\r"); s != "" && !strings.ContainsAny(s[:1], " \t:") {
		return d, false, false // planvet:ignored, planvet:ignore-this
	}
	names, reason, _ := strings.Cut(s, ":")
	if d.Reason = strings.TrimSpace(reason); d.Reason == Placeholder {
		d.Reason = ""
	}
	for n := range strings.SplitSeq(names, ",") {
		// Without a colon, words after the name are a reason in the wrong place.
		f := strings.Fields(n)
		for i := 0; i < len(f); i++ {
			if day, ok := strings.CutPrefix(f[i], "until="); ok {
				d.Until = cmp.Or(day, "nothing")
				f = slices.Delete(f, i, i+1)
				i--
			}
		}
		if len(f) > 0 {
			d.Rules = append(d.Rules, f[0])
		}
	}
	return d, whole, true
}

// parseNoLint reads //nolint:planvet and //nolint:a,planvet.
func parseNoLint(comment string) bool {
	m := noLint.FindStringSubmatch(comment)
	if m == nil {
		return false
	}
	for n := range strings.SplitSeq(m[1], ",") {
		if f := strings.Fields(n); len(f) > 0 && f[0] == "planvet" {
			return true
		}
	}
	return false
}
