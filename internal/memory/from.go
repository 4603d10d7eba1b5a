package memory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/rules"
)

// Taken is what a file gave: entries, and what was left out with the reason.
type Taken struct {
	Entries []Entry
	LeftOut []string
}

// From reads what `planvet check --confirm … --format json`, `planvet gate --format json`
// or `planvet bench --results` wrote. Results of a benchmark need those of before, too;
// before is nil for the others.
//
//  1. Of a check each confirmed finding is an entry; one whose evidence has no before and
//     after tells of no figures and is left out.
//  2. Of a gate a case that it calls improved is a success, one that failed a failure.
//  3. Of two results a case is a success, or a failure, where the confidence intervals of
//     its p95 do not meet.
//
// What is neither is left out. Settled gives them IDs that are hashes of what they say, so
// that the same file gives the same entries.
func From(document, before []byte) (*Taken, error) {
	var kind struct {
		SchemaVersion string          `json:"schema_version"`
		Findings      json.RawMessage `json:"findings"`
		Version       int             `json:"version"`
		Mode          string          `json:"mode"`
	}
	if err := json.Unmarshal(document, &kind); err != nil {
		return nil, fmt.Errorf("no JSON of planvet's: %w", err)
	}
	if before != nil && (kind.Findings != nil || kind.Mode != "") {
		return nil, errors.New("results of before go with results of a benchmark only")
	}
	var t Taken
	var err error
	switch {
	case kind.Findings != nil && kind.SchemaVersion != "":
		if kind.SchemaVersion != "1" {
			return nil, fmt.Errorf("findings of version %s: this planvet knows 1", kind.SchemaVersion)
		}
		err = t.check(kind.Findings)
	case kind.Mode != "":
		err = t.gate(document)
	case kind.Version != 0:
		err = t.bench(document, before)
	default:
		err = errors.New("it is none of: planvet check --format json, planvet gate --format json, planvet bench --results")
	}
	return &t, err
}

func (t *Taken) leave(what, why string) { t.LeftOut = append(t.LeftOut, what+": "+why) }

func (t *Taken) check(list json.RawMessage) error {
	var fs []rules.Finding
	if err := json.Unmarshal(list, &fs); err != nil {
		return fmt.Errorf("reading the findings: %w", err)
	}
	for i := range fs {
		f := &fs[i]
		place := fmt.Sprintf("%s:%d %s", f.Location.Path, f.Location.Line, f.Rule)
		v := &Validation{Level: string(f.Verdict.Level), Before: f.Verdict.Before, After: f.Verdict.After}
		switch _, _, _, ok := v.figures(); {
		case f.Verdict.Status != rules.Confirmed:
			t.leave(place, "not confirmed")
			continue
		case !ok:
			t.leave(place, "its evidence has no before and after")
			continue
		}
		e := Entry{
			Source: "check", Outcome: Confirmed, Category: "findings", Task: f.Message, Validation: v,
			Rule: f.Rule, Object: objectName(&f.Object), Finding: f.ID, Tags: []string{"performance"},
		}
		if f.Query != nil {
			e.Query, e.Fingerprint = f.Query.Text, f.Query.Fingerprint
		}
		if f.Fix != nil {
			e.Fix, e.Pattern = f.Fix.SQL, f.Fix.Note
			if len(e.Fix) > 0 {
				e.Pattern = strings.Join(strings.Fields(e.Fix[0]), " ")
			}
		}
		if strings.HasPrefix(f.Rule, "rls-") {
			e.Tags = append(e.Tags, "rls")
		}
		if strings.Contains(strings.ToLower(strings.Join(e.Fix, " ")), "create index") {
			e.Tags = append(e.Tags, "indexing")
		}
		slices.Sort(e.Tags)
		t.Entries = append(t.Entries, e)
	}
	return nil
}

func objectName(o *rules.Object) string {
	name := o.Table
	if o.Schema != "" && name != "" {
		name = o.Schema + "." + name
	}
	if len(o.Columns) > 0 {
		name += " (" + strings.Join(o.Columns, ", ") + ")"
	}
	if o.Policy != "" {
		name += ", policy " + o.Policy
	}
	return strings.TrimPrefix(name, ", ")
}

func (t *Taken) gate(document []byte) error {
	var r verdict.Report
	if err := json.Unmarshal(document, &r); err != nil {
		return fmt.Errorf("reading the gate's verdicts: %w", err)
	}
	if r.Version != verdict.ReportVersion {
		return fmt.Errorf("a gate's verdicts of version %d: this planvet knows %d", r.Version, verdict.ReportVersion)
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		name := c.Suite + " " + c.Case
		v, a, b := caseFigures(c)
		outcome := ""
		switch {
		case v == nil:
			t.leave(name, "it has no p95, and no blocks of both")
			continue
		case c.Work != nil && c.Work.Different != "":
			t.leave(name, "its answers are not the same: "+c.Work.Different)
			continue
		case c.Verdict == gate.Fail && b > a:
			outcome = Failure
		case c.Verdict == gate.Pass && slices.Contains(c.Labels, string(gate.Improved)) && b < a:
			outcome = Success
		default:
			t.leave(name, "the gate calls it neither improved nor slower")
			continue
		}
		e := measured("gate", name, c.Service, c.Operation, outcome, v)
		for _, side := range []struct{ is, name, commit string }{{"before", r.A.Name, r.A.Commit}, {"after", r.B.Name, r.B.Commit}} {
			if s := strings.TrimSpace(side.name + " " + side.commit); s != "" {
				e.Validation.Results[side.is] = s
			}
		}
		for _, cause := range c.Causes {
			e.Lessons = append(e.Lessons, cause.Text)
		}
		t.Entries = append(t.Entries, e)
	}
	return nil
}

func (t *Taken) bench(document, before []byte) error {
	if before == nil {
		return errors.New("results of a benchmark tell of one run: name those of before, too")
	}
	b, err := results.Read(bytes.NewReader(before))
	if err != nil {
		return fmt.Errorf("before: %w", err)
	}
	a, err := results.Read(bytes.NewReader(document))
	if err != nil {
		return err
	}
	if x, y := a.Environment, b.Environment; x.OS != y.OS || x.Arch != y.Arch || x.CPU != y.CPU || x.Cores != y.Cores || x.Dataset != y.Dataset {
		return errors.New("the results are of two environments, which are not comparable: another machine, or another dataset")
	}
	earlier := map[string]run{}
	for _, r := range runs(b) {
		earlier[r.key] = r
	}
	for _, r := range runs(a) {
		was, ok := earlier[r.key]
		p, q := was.Latency.P95, r.Latency.P95
		outcome := ""
		switch {
		case !ok:
			t.leave(r.name, "the results of before do not have it")
			continue
		case p == nil || q == nil:
			t.leave(r.name, "it has no p95 before and after")
			continue
		case was.invalid || r.invalid:
			t.leave(r.name, "it is no whole measurement")
			continue
		case q.High < p.Low:
			outcome = Success
		case q.Low > p.High:
			outcome = Failure
		default:
			t.leave(r.name, "the confidence intervals of both p95 meet")
			continue
		}
		e := measured("bench", r.name, r.service, r.operation, outcome, &Validation{P95Before: &p.Value, P95After: &q.Value})
		e.Query = r.sql
		t.Entries = append(t.Entries, e)
	}
	return nil
}

// caseFigures are a case's p95 of both, else the blocks; nil where there are neither.
func caseFigures(c *verdict.Case) (v *Validation, a, b float64) {
	if p := c.P95; p != nil {
		return &Validation{P95Before: &p.A, P95After: &p.B}, p.A, p.B
	}
	if c.Work == nil || c.Work.A == nil || c.Work.B == nil || c.Work.A.Blocks == nil || c.Work.B.Blocks == nil {
		return nil, 0, 0
	}
	x, y := *c.Work.A.Blocks, *c.Work.B.Blocks
	return &Validation{Before: &rules.Evidence{SharedBlocks: x}, After: &rules.Evidence{SharedBlocks: y}}, float64(x), float64(y)
}

// run is a case or a flow of results.
type run struct {
	key, name, service, operation, sql string
	invalid                            bool
	results.Measured
}

func runs(r *results.Results) []run {
	var out []run
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			name := s.Name + " " + c.Name
			out = append(out, run{name + "\x00" + c.Service + "\x00" + c.Operation, name, c.Service, c.Operation, c.SQL, c.Invalid != "" || c.Partial, c.Measured})
		}
		for _, f := range s.Flows {
			name := s.Name + " " + f.Name
			out = append(out, run{name + "\x00flow\x00" + f.Service, name, f.Service, "", "", f.Invalid != "" || f.Partial, f.Measured})
		}
	}
	return out
}

// measured is an entry on a case of a benchmark.
func measured(source, name, service, operation, outcome string, v *Validation) Entry {
	v.Level, v.Results = "measured", map[string]string{}
	return Entry{
		Source: source, Task: name, Object: strings.Join(strings.Fields(service+" "+operation), " "), Outcome: outcome,
		Category: "benchmarks", Tags: []string{"performance"}, Validation: v,
	}
}
