package report

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// What GitHub takes of a file. It keeps 5,000 results a run, by level, and 100
// related places a result; others keep what is there.
const (
	sarifResults    = 25_000
	sarifShown      = 5_000
	sarifCompressed = 10_000_000
	sarifRelated    = 100
	sarifNotes      = 1_000
)

const sarifRoot = "%SRCROOT%"

// sarifLevels are SARIF's words for severities.
var sarifLevels = map[rules.Severity]string{rules.Error: "error", rules.Warning: "warning", rules.Info: "note"}

// writeSARIF writes SARIF 2.1.0, the worst results first. Its columns count UTF-16
// units, which is what most readers take them for. Refuted findings are no results,
// since readers show results of every kind as faults: they are notifications of the
// run, like what could not be analysed.
func writeSARIF(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	s := sarifWriter{d: d, at: placesOf(d, o.Repository, inUTF16), index: map[string]int{}}
	all := worstFirst(standing(d))
	kept := all[:min(len(all), sarifResults)]
	for {
		log := s.log(kept, len(all))
		n, err := compressed(log)
		if err != nil {
			return "", err
		}
		if n <= sarifCompressed || len(kept) == 0 {
			left := leftOut(len(kept), len(all), "a file of 25,000 results or 10 MB compressed is not taken")
			if left == "" && len(kept) > sarifShown {
				left = fmt.Sprintf("all of %s, the worst first; GitHub shows %s of a run", Plural(len(all), "finding"), rules.Thousands(sarifShown))
			}
			return left, WriteJSON(w, log)
		}
		kept = kept[:min(len(kept)-1, int(float64(len(kept))*0.95*sarifCompressed/float64(n)))]
	}
}

// compressed is the size of a document as it is uploaded.
func compressed(v any) (int64, error) {
	var n counter
	z := gzip.NewWriter(&n)
	if err := WriteJSON(z, v); err != nil {
		return 0, err
	}
	return int64(n), z.Close()
}

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

type sarifWriter struct {
	d     *Document
	at    *places
	index map[string]int // of rules, by name
}

func (s *sarifWriter) log(kept []*rules.Finding, all int) *sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "planvet", Version: s.d.Version, InformationURI: repository, Rules: s.rules(kept)}},
		Bases: map[string]sarifArtifact{sarifRoot: {Description: &sarifText{
			Text: "the root of the repository, or of the project where there is none",
		}}},
		ColumnKind: "utf16CodeUnits", Results: make([]sarifResult, len(kept)),
	}
	for i, f := range kept {
		run.Results[i] = s.result(f)
	}
	run.Invocations = []sarifInvocation{{Successful: true, Notifications: s.notifications(len(kept), all)}}
	return &sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

// rules describes every rule with its page; a rule of a finding that has none, by
// its name.
func (s *sarifWriter) rules(kept []*rules.Finding) []sarifRule {
	clear(s.index)
	out := []sarifRule{}
	add := func(r *rules.Rule) {
		if _, ok := s.index[r.Name]; ok {
			return
		}
		s.index[r.Name] = len(out)
		summary := cmp.Or(r.Summary, r.Name)
		page := cmp.Or(strings.TrimSpace(r.Page), summary)
		precision := "very-high"
		if r.Certainty == rules.Possible {
			precision = "medium"
		}
		severity := string(r.Severity)
		if r.Severity == rules.Info {
			severity = "recommendation"
		}
		out = append(out, sarifRule{
			ID: r.Name, Short: sarifText{Text: summary}, Full: sarifText{Text: cmp.Or(section(page, "What it finds"), summary)},
			Help: sarifText{Text: page, Markdown: page}, HelpURI: RulePage(r.Name),
			Default:    sarifDefault{sarifLevels[r.Severity], !r.Off},
			Properties: sarifRuleDetail{tags(r), precision, severity},
		})
	}
	for _, r := range s.d.Rules {
		add(r)
	}
	for _, f := range kept {
		add(&rules.Rule{Name: f.Rule, Severity: f.Severity, Certainty: f.Certainty})
	}
	return out
}

// tags are sorted: what every rule is about, and the rule's group.
func tags(r *rules.Rule) []string {
	out := []string{"performance", "postgresql", "sql"}
	if r.Group != "" {
		out = append(out, r.Group)
		slices.Sort(out)
	}
	return out
}

// section is the first paragraph under a heading of a page, on one line.
func section(page, heading string) string {
	_, rest, ok := strings.Cut(page, "\n## "+heading+"\n")
	if !ok {
		return ""
	}
	paragraph, _, _ := strings.Cut(strings.TrimSpace(rest), "\n\n")
	return strings.Join(strings.Fields(paragraph), " ")
}

func (s *sarifWriter) result(f *rules.Finding) sarifResult {
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: s.index[f.Rule], Level: sarifLevels[f.Severity], Message: sarifText{Text: explains(f, s.at)},
		Locations: []sarifLocation{s.location(f.Location)}, Fingerprints: map[string]string{"planvetFinding/v1": Printable(f.ID)},
		Fixes: s.fixes(f), Properties: detail(f),
	}
	if f.Query != nil && f.Query.Symbol != "" {
		r.Locations[0].Logical = []sarifNamed{{f.Query.Symbol, "function"}}
	}
	for i, other := range f.Related[:min(len(f.Related), sarifRelated)] {
		l := s.location(other.Location)
		l.ID, l.Message = i+1, &sarifText{Text: Printable(other.Message)}
		r.Related = append(r.Related, l)
	}
	return r
}

func detail(f *rules.Finding) sarifDetail {
	v := f.Verdict
	v.Status = cmp.Or(v.Status, rules.NotRun)
	v.Reason = Redact(v.Reason)
	return sarifDetail{f.Certainty, v, f.Object, f.Query, f.Fix, f.SpecRef}
}

func (s *sarifWriter) location(l rules.Location) sarifLocation {
	line, ok := s.at.line(l)
	l = s.at.of(l)
	p := sarifPhysical{
		Artifact: sarifArtifact{URI: uri(l.Path), Base: sarifRoot},
		Region:   &sarifRegion{StartLine: l.Line, StartColumn: l.Column, EndLine: l.EndLine},
	}
	// A snippet is the text of its region, to the letter; a region without an end goes
	// to the end of its line.
	if ok && l.EndLine == 0 && strings.TrimSpace(line) != "" && len(line) <= maxLine && utf8.ValidString(line) {
		text := &sarifText{Text: line}
		if l.Column <= 1 {
			p.Region.Snippet = text
		} else {
			p.Context = &sarifRegion{StartLine: l.Line, Snippet: text}
		}
	}
	return sarifLocation{Physical: p}
}

// fixes are statements for a migration of their own, a file that is not there yet:
// one that has run somewhere must not be edited. It stands beside the migration
// that the finding is about; where there is none, and where the fix is not DDL, the
// statement is told in the message alone.
func (s *sarifWriter) fixes(f *rules.Finding) []sarifFix {
	if !f.Fix.IsDDL() {
		return nil
	}
	for _, l := range append([]rules.Location{f.Location}, related(f)...) {
		if !strings.HasSuffix(l.Path, ".sql") {
			continue
		}
		return []sarifFix{{
			Description: sarifText{Text: cmp.Or(Printable(f.Fix.Note), "apply this in a new migration")},
			Changes: []sarifChange{{
				sarifArtifact{
					URI: uri(s.at.path(path.Join(path.Dir(l.Path), "planvet_fix.sql"))), Base: sarifRoot,
					Description: &sarifText{Text: "a new migration, to be named as the migration tool expects"},
				},
				[]sarifReplacement{{sarifRegion{StartLine: 1, StartColumn: 1, EndLine: 1, EndColumn: 1}, sarifText{Text: FixSQL(f.Fix)}}},
			}},
		}}
	}
	return nil
}

func related(f *rules.Finding) []rules.Location {
	out := make([]rules.Location, len(f.Related))
	for i, r := range f.Related {
		out[i] = r.Location
	}
	return out
}

// notifications say what is no result: what a limit left out, what a planner
// refuted, what could not be analysed.
func (s *sarifWriter) notifications(kept, all int) []sarifNotification {
	var out []sarifNotification
	if left := leftOut(kept, all, "a file of 25,000 results or 10 MB compressed is not taken"); left != "" {
		out = append(out, sarifNotification{Level: "warning", Message: sarifText{Text: "this file has " + left}})
	}
	for i := range s.d.Findings {
		if f := &s.d.Findings[i]; !live(f) {
			p := detail(f)
			out = append(out, sarifNotification{
				Level: "none", Message: sarifText{Text: explains(f, s.at)}, Locations: []sarifLocation{s.location(f.Location)},
				Rule: &sarifRuleRef{f.Rule}, Properties: &p,
			})
		}
	}
	list := func(what string, ps []Problem) {
		for _, p := range sortedProblems(ps) {
			out = append(out, sarifNotification{
				Level: "note", Message: sarifText{Text: what + ": " + Printable(Redact(firstLine(p.Text)))},
				Locations: []sarifLocation{s.location(p.Location)},
			})
		}
	}
	list("unparsed", s.d.Unparsed)
	list("unresolved", s.d.Unresolved)
	list("not applied", s.d.NotApplied)
	if n := len(out) - sarifNotes; n > 0 {
		out = append(out[:sarifNotes], sarifNotification{Level: "note", Message: sarifText{
			Text: "and " + Plural(n, "notification") + " more, which planvet check --format json lists",
		}})
	}
	return out
}
