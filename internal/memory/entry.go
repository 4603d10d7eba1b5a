package memory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// FormatVersion is the version of an entry. A field may be added within a version.
const FormatVersion = 1

// maxEntry bounds an entry as JSON, in bytes: it is a note, not an archive.
const maxEntry = 256 << 10

// Outcomes. Confirmed is of a fix that a planner was asked about and that nobody has
// made yet.
const (
	Success   = "success"
	Partial   = "partial"
	Failure   = "failure"
	Confirmed = "confirmed"
)

// Outcomes are all that there are.
var Outcomes = []string{Success, Partial, Failure, Confirmed}

var sources = []string{"hand", "check", "gate", "bench"}

// Entry is one thing that was tried. Its JSON form is a machine format.
type Entry struct {
	Version int `json:"version"`
	// ID is a ULID, or a hash where the entry was taken from a file: the same file gives
	// the same entries, and the same finding with the same fix is one entry.
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Skill is who did it: a person's or an assistant's role.
	Skill   string `json:"skill_name,omitempty"`
	Task    string `json:"task"`
	Outcome string `json:"outcome"`
	// Pattern is what was done, in words.
	Pattern    string      `json:"pattern_used,omitempty"`
	Validation *Validation `json:"validation_results,omitempty"`
	Files      []string    `json:"files_created,omitempty"`
	Lessons    []string    `json:"lessons_learned,omitempty"`
	// Tags are in lower case and sorted.
	Tags     []string `json:"tags,omitempty"`
	Category string   `json:"category,omitempty"`
	// Rule and Fingerprint join it with findings and statements; Object is what it is
	// about: public.visits (casino_id, player_id).
	Rule        string `json:"rule,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Object      string `json:"object,omitempty"`
	// Query is the statement with ? for its constants, Fix the SQL that was run.
	Query string   `json:"query,omitempty"`
	Fix   []string `json:"fix,omitempty"`
	// Source is hand, check, gate or bench; Finding is the identity of check's.
	Source  string `json:"source"`
	Finding string `json:"finding,omitempty"`
}

// Validation is what was measured. Times are milliseconds.
type Validation struct {
	P95Before *float64 `json:"p95_before_ms,omitempty"`
	P95After  *float64 `json:"p95_after_ms,omitempty"`
	// Improvement is how much less it is, in percent of before, computed; Of says of
	// what: p95, round trips, blocks, cost or time.
	Improvement *float64 `json:"improvement_pct,omitempty"`
	Of          string   `json:"improvement_of,omitempty"`
	// Level is estimated or measured, where a planner was asked; Before and After are its
	// evidence.
	Level  string          `json:"level,omitempty"`
	Before *rules.Evidence `json:"before,omitempty"`
	After  *rules.Evidence `json:"after,omitempty"`
	// Results are others by name: tests=pass.
	Results map[string]string `json:"results,omitempty"`
}

// figures are what is compared, and of what: the p95, else the evidence that varies
// least. ok is false where there is no pair.
func (v *Validation) figures() (before, after float64, of string, ok bool) {
	if v.P95Before != nil && v.P95After != nil {
		return *v.P95Before, *v.P95After, "p95", true
	}
	if v.Before == nil || v.After == nil {
		return 0, 0, "", false
	}
	b, a := v.Before, v.After
	for _, c := range []struct {
		of            string
		before, after float64
	}{
		{"round trips", float64(b.RoundTrips), float64(a.RoundTrips)}, {"blocks", float64(b.SharedBlocks), float64(a.SharedBlocks)},
		{"cost", b.Cost, a.Cost}, {"time", b.MS, a.MS},
	} {
		if c.before > 0 && c.after > 0 {
			return c.before, c.after, c.of, true
		}
	}
	return 0, 0, "", false
}

// Improvement is by how many percent after is less than before: 81 of 450 and 85. It is
// a whole number unless that would say that nothing, or everything, was gained.
func Improvement(before, after float64) float64 {
	x := (before - after) / before * 100
	p := math.Round(x)
	if (p == 0 || p == 100) && p != x {
		p = math.Trunc(x*100) / 100
	}
	return p
}

// settle checks an entry and fills what follows from the rest. now stands for a time
// that is not given. Errors are one line and name the field.
func (e *Entry) settle(now time.Time) error {
	if e.Version != 0 && e.Version != FormatVersion {
		return fmt.Errorf("an entry of version %d: this planvet knows %d", e.Version, FormatVersion)
	}
	e.Version = FormatVersion
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if e.Source == "" {
		e.Source = "hand"
	}
	if !slices.Contains(sources, e.Source) {
		return fmt.Errorf("source %.80q: use %s", e.Source, strings.Join(sources, ", "))
	}
	e.Task = strings.TrimSpace(e.Task)
	switch {
	case e.Task == "":
		return errors.New("an entry needs its task: what was tried")
	case e.Outcome == "":
		return fmt.Errorf("an entry needs its outcome: %s", strings.Join(Outcomes, ", "))
	case !slices.Contains(Outcomes, e.Outcome):
		return fmt.Errorf("outcome %.80q: use %s", e.Outcome, strings.Join(Outcomes, ", "))
	}
	if e.Category == "" && e.Skill != "" {
		e.Category = "skills"
	}
	e.Category, e.Tags = strings.ToLower(e.Category), lowered(e.Tags)
	if e.Fingerprint == "" && e.Query != "" {
		e.Fingerprint = fingerprint(e.Query)
	}
	// Its shape is what counts: constants are data.
	e.Query = pgast.Masked(secrets(e.Query))
	if err := e.Validation.settle(); err != nil {
		return err
	}
	e.mapTexts(secrets)
	switch {
	case e.ID != "":
	case e.Source == "hand":
		e.ID = audit.NewID()
	default:
		same := *e
		same.Time = time.Time{}
		if e.Finding != "" { // estimates differ a little each time, and make no other entry
			same = Entry{Finding: e.Finding, Outcome: e.Outcome, Fix: e.Fix}
		}
		text, err := json.Marshal(&same)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		e.ID = e.Source + "-" + hex.EncodeToString(sum[:12])
	}
	if audit.CheckID(e.ID) != nil {
		return fmt.Errorf("an entry's id %.80q: use up to 64 letters, digits and . _ : / -, a letter or digit first", e.ID)
	}
	if line, err := json.Marshal(e); err != nil {
		return err
	} else if len(line) > maxEntry {
		return fmt.Errorf("an entry of %d bytes: %d are the most", len(line), maxEntry)
	}
	return nil
}

func (v *Validation) settle() error {
	if v == nil {
		return nil
	}
	for name, x := range map[string]*float64{"p95_before_ms": v.P95Before, "p95_after_ms": v.P95After} {
		if x != nil && !(*x > 0 && !math.IsInf(*x, 0)) {
			return fmt.Errorf("%s %g: use milliseconds over 0", name, *x)
		}
	}
	before, after, of, ok := v.figures()
	given := v.Improvement
	switch {
	case !ok && given != nil:
		return errors.New("improvement_pct is computed: give p95_before_ms and p95_after_ms")
	case !ok:
		return nil
	}
	p := Improvement(before, after)
	if given != nil && !(math.Abs(*given-(before-after)/before*100) <= 1) {
		return fmt.Errorf("improvement_pct %g does not follow from %g → %g: that is %g", *given, before, after, p)
	}
	v.Improvement, v.Of = &p, of
	return nil
}

// fingerprint is planvet's of a statement; "" where it cannot be read.
func fingerprint(sql string) string {
	stmt, err := pgast.Parse(sql)
	if err != nil {
		return ""
	}
	return pgast.Fingerprint(stmt)
}

func lowered(tags []string) []string {
	var out []string
	for _, t := range tags {
		if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Read reads entries as JSON: one object, or several one after the other, as export
// writes them. Unknown fields are errors.
func Read(r io.Reader) ([]Entry, error) {
	var out []Entry
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	for {
		var e Entry
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("entry %d: %s", len(out)+1, strings.TrimPrefix(err.Error(), "json: "))
		}
		out = append(out, e)
	}
}

// Settled checks entries that came from outside and fills what follows from the rest.
func Settled(entries []Entry, now time.Time) ([]Entry, error) {
	for i := range entries {
		if err := entries[i].settle(now); err != nil {
			if len(entries) > 1 {
				err = fmt.Errorf("entry %d: %w", i+1, err)
			}
			return nil, err
		}
	}
	return entries, nil
}

// Export writes entries as Read reads them, a line each, with the constants of SQL
// masked.
func Export(w io.Writer, entries []Entry) error {
	for _, e := range entries {
		e = e.portable()
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(&e); err != nil {
			return err
		}
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
