package report

import (
	"fmt"
	"strings"
)

// What of a project's findings a report leaves out: those before a change, and those of a
// baseline.

// Since says what change a report is about.
type Since struct {
	// Revision is what was asked for, Commit what it is.
	Revision string `json:"revision"`
	Commit   string `json:"commit"`
	// FilesChanged differ, FilesRead of them are such that planvet reads; where none
	// is, nothing was looked at.
	FilesChanged int `json:"files_changed"`
	FilesRead    int `json:"files_read"`
	// Before counts the findings that were there before the change too, Gone those that
	// it removed.
	Before int      `json:"before"`
	Gone   int      `json:"gone"`
	Notes  []string `json:"notes,omitempty"`
}

// line tells it.
func (s *Since) line() string {
	name := s.Revision
	if short := s.Commit[:min(len(s.Commit), 9)]; !strings.HasPrefix(s.Commit, name) {
		name += " (" + short + ")"
	}
	if s.FilesRead == 0 {
		return fmt.Sprintf("since %s: nothing that planvet reads changed (%s)", name, Plural(s.FilesChanged, "other file"))
	}
	was := Plural(s.Before, "finding") + " were"
	if s.Before == 1 {
		was = "1 finding was"
	}
	out := fmt.Sprintf("since %s: %s there before", name, was)
	if s.Gone > 0 {
		out += fmt.Sprintf(", %d gone", s.Gone)
	}
	return out
}

// Baseline says what a baseline of findings covered.
type Baseline struct {
	File string `json:"file"`
	// Findings counts those that it covered and that are not listed.
	Findings int `json:"findings"`
	// Stale are its entries whose finding is no more.
	Stale []StaleEntry `json:"stale"`
}

// StaleEntry is an entry of a baseline whose finding is no more.
type StaleEntry struct {
	ID      string `json:"id"`
	Rule    string `json:"rule"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// line tells it.
func (b *Baseline) line() string {
	out := fmt.Sprintf("%d baselined in %s", b.Findings, b.File)
	switch n := len(b.Stale); {
	case n == 1:
		out += "; 1 entry is stale, planvet baseline prune drops it"
	case n > 1:
		out += fmt.Sprintf("; %d entries are stale, planvet baseline prune drops them", n)
	}
	return out
}

// scopeLines tell what a document leaves out.
func scopeLines(d *Document) []string {
	var out []string
	if b := d.Summary.Baseline; b != nil {
		out = append(out, b.line())
	}
	if s := d.Summary.Since; s != nil {
		for _, n := range s.Notes {
			out = append(out, "note: "+n)
		}
		out = append(out, s.line())
	}
	return out
}
