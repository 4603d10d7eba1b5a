// Package work compares what two versions of a case have a database do: plans, blocks,
// statements. They are the same in each run, so that one run of each decides, and there is
// no noise to mistake for a change.
package work

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/facts"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/plan"
)

// Cause is why a case does other work, or takes another time.
type Cause struct {
	// Kind is one of the constants.
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Kinds of causes.
const (
	IndexGone      = "index-gone"      // an index that A reads is not in B
	NewSeqScan     = "new-seq-scan"    // B reads all of a table of which A reads a part
	PlanChange     = "plan-change"     // nodes, indexes or join order differ
	TableGrowth    = "table-growth"    // a table of the plan has more rows, or more blocks
	SettingChanged = "setting-changed" // a planner's setting
	MoreStatements = "more-statements" // a run sends more of them
)

// Figure is one number of both.
type Figure struct {
	Name string  `json:"name"`
	A    float64 `json:"a"`
	B    float64 `json:"b"`
}

// DiffLine is a line of both plans, Op is "-" of A's alone, "+" of B's, " " of both.
type DiffLine struct {
	Op   string `json:"op"`
	Text string `json:"text"`
}

// Diff is what the work of B is beside that of A.
type Diff struct {
	A *results.Work `json:"a"`
	B *results.Work `json:"b"`
	// Figures are those that both have.
	Figures []Figure `json:"figures"`
	// Plan is the diff of the plans, nil where they are the same.
	Plan   []DiffLine `json:"plan,omitempty"`
	Causes []Cause    `json:"causes,omitempty"`
	// Much are figures that are worse whatever the times say, More those that are worse
	// by the threshold: the times decide about them.
	Much []string `json:"much,omitempty"`
	More []string `json:"more,omitempty"`
	// Different says that the answers are not the same: another number of rows.
	Different string `json:"different,omitempty"`
}

// The least difference, and the factor, by which blocks and records of the log are worse
// whatever the times say: a table of a test is small and in memory, production's is not.
const (
	leastMore = 16
	muchMore  = 2
)

// Compare compares the work of B with that of A by a threshold, 0.10 for 10 % more.
func Compare(a, b *results.Work, threshold float64) *Diff {
	d := &Diff{A: a, B: b, Figures: []Figure{}}
	d.count("blocks", "shared blocks", whole(a.Blocks), whole(b.Blocks), leastMore, threshold)
	d.count("wal_records", "records of the log", whole(a.WALRecords), whole(b.WALRecords), leastMore, threshold)
	d.count("statements", "statements", a.Statements, b.Statements, 0, 0)
	d.count("round_trips", "round trips", a.RoundTrips, b.RoundTrips, 0, 0)
	if a.Rows != nil && b.Rows != nil {
		d.Figures = append(d.Figures, Figure{"rows", float64(*a.Rows), float64(*b.Rows)})
		if *a.Rows != *b.Rows {
			d.Different = fmt.Sprintf("A has %d rows and B %d", *a.Rows, *b.Rows)
		}
	}
	if d.replanned() {
		for _, l := range plan.DiffSkeletons(a.Plan, b.Plan) {
			d.Plan = append(d.Plan, DiffLine{string(l.Op), l.Text})
		}
	}
	d.causes()
	return d
}

// replanned says that both plans are known and differ.
func (d *Diff) replanned() bool {
	return d.A.Fingerprint != "" && d.B.Fingerprint != "" && d.A.Fingerprint != d.B.Fingerprint
}

func whole(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// count compares a figure. What is sent to a server is counted exactly: one statement more
// a run is one more. least 0 says so.
func (d *Diff) count(name, what string, a, b *float64, least, threshold float64) {
	if a == nil || b == nil {
		return
	}
	d.Figures = append(d.Figures, Figure{name, *a, *b})
	text := fmt.Sprintf("%s %s → %s", what, figure(*a), figure(*b))
	if *a > 0 {
		text += fmt.Sprintf(" (×%s)", figure(*b / *a))
	}
	switch more := *b - *a; {
	case least == 0 && more >= 0.5:
		d.Much = append(d.Much, text)
		if name == "statements" {
			d.Causes = append(d.Causes, Cause{MoreStatements, text + " a run"})
		}
	case least == 0 || more < least:
	case *b >= muchMore**a:
		d.Much = append(d.Much, text)
	case more > threshold**a:
		d.More = append(d.More, text)
	}
}

func figure(f float64) string {
	if f == math.Trunc(f) || math.Abs(f) >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}

// causes looks for why work differs:
//
//  1. an index that A reads and B does not have;
//  2. a table that B reads whole and A does not;
//  3. else, where the plans differ, each table's scans that do;
//  4. a table of both that has over a tenth more rows, or blocks;
//  5. settings of the planner.
func (d *Diff) causes() {
	add := func(kind, format string, args ...any) {
		c := Cause{kind, fmt.Sprintf(format, args...)}
		if !slices.Contains(d.Causes, c) {
			d.Causes = append(d.Causes, c)
		}
	}
	if d.replanned() {
		explained := false
		for _, r := range d.A.Scans {
			if r.Index != "" && d.gone(r) {
				add(IndexGone, "B has no index %s on %s, which A reads by %s", r.Index, r.Relation, r.How)
				explained = true
			}
		}
		for _, r := range d.B.Scans {
			was := scans(d.A, r)
			if strings.HasSuffix(head(r.How), "Seq Scan") && len(was) > 0 && !slices.Contains(was, r.How) {
				add(NewSeqScan, "%s: %s → %s", r.Relation, strings.Join(was, ", "), r.How)
				explained = true
			} else if len(was) > 0 && !slices.Contains(was, r.How) {
				add(PlanChange, "%s: %s → %s", r.Relation, strings.Join(was, ", "), r.How)
				explained = true
			}
		}
		if !explained {
			add(PlanChange, "the same scans under other nodes, or in another order")
		}
	}
	for _, r := range d.B.Scans {
		for _, o := range d.A.Scans {
			switch {
			case r.Relation != o.Relation:
			case o.Rows > 0 && r.Rows*10 > o.Rows*11:
				add(TableGrowth, "%s: %d rows → %d", r.Relation, o.Rows, r.Rows)
			case o.Pages > leastMore && r.Pages*10 > o.Pages*11:
				add(TableGrowth, "%s: %d blocks → %d", r.Relation, o.Pages, r.Pages)
			}
		}
	}
	for _, s := range facts.Settings(d.A.Settings, d.B.Settings) {
		add(SettingChanged, "%s", s)
	}
}

// gone reports whether B reads a scan's table and the index of the scan is not on it.
func (d *Diff) gone(r results.Scan) bool {
	i := slices.IndexFunc(d.B.Scans, func(b results.Scan) bool { return b.Relation == r.Relation && b.Pages >= 0 })
	return i >= 0 && !slices.Contains(d.B.Scans[i].Indexes, r.Index)
}

// scans are how a plan reads the table of a scan, by the same alias.
func scans(w *results.Work, like results.Scan) []string {
	var out []string
	for _, r := range w.Scans {
		if r.Relation == like.Relation && r.Alias == like.Alias && !slices.Contains(out, r.How) {
			out = append(out, r.How)
		}
	}
	return out
}

// head is a node's kind without what it reads.
func head(how string) string {
	how, _, _ = strings.Cut(how, " on ")
	how, _, _ = strings.Cut(how, " using ")
	return how
}

// Worse reports whether the work alone says that B is worse. timesPass says that the times
// do not: then only what is much more counts.
func (d *Diff) Worse(timesPass bool) []string {
	switch {
	case d.grown():
		return nil
	case timesPass:
		return d.Much
	}
	return slices.Concat(d.Much, d.More)
}

// grown says that a table's size explains a difference, and nothing else does.
func (d *Diff) grown() bool {
	return len(d.Causes) > 0 && !slices.ContainsFunc(d.Causes, func(c Cause) bool { return c.Kind != TableGrowth })
}
