package suppress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Entry is one known finding.
type Entry struct {
	ID      string `json:"id"`
	Rule    string `json:"rule"`
	Path    string `json:"path"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
}

// Baseline is the findings that a project knows of and does not want to hear of again. As
// a file it is JSON with an entry a line, sorted, so that two branches merge.
type Baseline struct {
	Entries []Entry
}

type baselineFile struct {
	Version  int     `json:"version"`
	Findings []Entry `json:"findings"`
}

// ReadBaseline reads a baseline's text; name stands in errors, which have the line.
func ReadBaseline(name string, text []byte) (*Baseline, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f baselineFile
	if err := d.Decode(&f); err != nil {
		at := d.InputOffset()
		var syntax *json.SyntaxError
		var typed *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			at = syntax.Offset
		case errors.As(err, &typed):
			at = typed.Offset
		}
		line := 1 + bytes.Count(text[:min(int(at), len(text))], []byte("\n"))
		return nil, fmt.Errorf("%s:%d: no baseline of findings: %s", name, line, strings.TrimPrefix(err.Error(), "json: "))
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("%s: version %d is not one that this planvet reads: use 1", name, f.Version)
	}
	seen := map[string]bool{}
	for _, e := range f.Findings {
		switch {
		case e.ID == "" || e.Rule == "":
			return nil, fmt.Errorf("%s: an entry has no id or no rule: %s %s", name, e.Path, e.Message)
		case seen[e.ID]:
			return nil, fmt.Errorf("%s: %s stands twice", name, e.ID)
		}
		seen[e.ID] = true
	}
	return &Baseline{f.Findings}, nil
}

// Bytes is the baseline's text.
func (b *Baseline) Bytes() []byte {
	es := slices.Clone(b.Entries)
	slices.SortFunc(es, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message), cmp.Compare(a.ID, b.ID))
	})
	var out bytes.Buffer
	out.WriteString("{\n  \"version\": 1,\n  \"findings\": [")
	for i, e := range es {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			panic(err) // an entry is five strings
		}
		out.Truncate(out.Len() - 1) // the encoder's new line
	}
	if len(es) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	return out.Bytes()
}

// Applied is what a baseline leaves of findings.
type Applied struct {
	Kept []rules.Finding
	// Baselined counts those that it covers.
	Baselined int
	// Stale are the entries whose finding is no more.
	Stale []Entry
}

// Apply takes the findings that the baseline covers out of fs, which have identities.
//
//  1. An entry covers the finding of its identity: a moved line keeps it, a second
//     occurrence is another.
//  2. An entry whose file is gone covers a finding of its rule with its message: the
//     file was renamed.
//  3. An entry that covers nothing is stale where judged says that this run would have
//     found it: its rule ran and its path is among those reported.
func (b *Baseline) Apply(fs []rules.Finding, judged func(Entry) bool, exists func(path string) bool) Applied {
	var a Applied
	ids := map[string]bool{}
	for i := range fs {
		ids[fs[i].ID] = true
	}
	known := map[string]bool{}
	type key struct{ rule, message string }
	moved := map[key]int{}
	left := map[key][]Entry{}
	for _, e := range b.Entries {
		k := key{e.Rule, e.Message}
		switch {
		case ids[e.ID]:
			known[e.ID] = true
		case !exists(e.Path):
			moved[k]++
			left[k] = append(left[k], e)
		case judged(e):
			a.Stale = append(a.Stale, e)
		}
	}
	for i := range fs {
		k := key{fs[i].Rule, fs[i].Message}
		switch {
		case known[fs[i].ID]:
			a.Baselined++
		case moved[k] > 0:
			moved[k]--
			a.Baselined++
		default:
			a.Kept = append(a.Kept, fs[i])
		}
	}
	for k, n := range moved {
		for _, e := range left[k][len(left[k])-n:] {
			if judged(e) {
				a.Stale = append(a.Stale, e)
			}
		}
	}
	slices.SortFunc(a.Stale, func(x, y Entry) int { return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.ID, y.ID)) })
	return a
}

// Takes reports whether a baseline takes a finding: one that is only possible, or that a
// planner refuted, fails no run, and must be seen when it does.
func Takes(f *rules.Finding) bool {
	return f.Certainty != rules.Possible && f.Verdict.Status != rules.Refuted
}

// Update is the baseline of findings: those that it takes, with the reasons that entries
// already give, reason for new ones; and the entries that this run did not judge.
// It returns how many came and went; one that moved did neither.
func (b *Baseline) Update(fs []rules.Finding, reason string, judged func(Entry) bool) (next *Baseline, added, dropped int) {
	next = &Baseline{}
	was := map[string]Entry{}
	for _, e := range b.Entries {
		was[e.ID] = e
	}
	var fresh []Entry
	for i := range fs {
		f := &fs[i]
		if !Takes(f) {
			continue
		}
		e := Entry{ID: f.ID, Rule: f.Rule, Path: f.Location.Path, Message: f.Message, Reason: reason}
		if old, ok := was[f.ID]; ok {
			e.Reason = old.Reason
			delete(was, f.ID)
			next.Entries = append(next.Entries, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	// What another file says now keeps its reason.
	for _, e := range fresh {
		for _, old := range b.Entries {
			if _, left := was[old.ID]; left && old.Rule == e.Rule && old.Message == e.Message && judged(old) {
				e.Reason = old.Reason
				delete(was, old.ID)
				added--
				break
			}
		}
		added++
		next.Entries = append(next.Entries, e)
	}
	for _, e := range b.Entries {
		if _, there := was[e.ID]; !there {
			continue
		}
		if judged(e) {
			dropped++
		} else {
			next.Entries = append(next.Entries, e)
		}
	}
	return next, added, dropped
}

// Without is the baseline without some of its entries.
func (b *Baseline) Without(es []Entry) *Baseline {
	gone := map[string]bool{}
	for _, e := range es {
		gone[e.ID] = true
	}
	return &Baseline{slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool { return gone[e.ID] })}
}
