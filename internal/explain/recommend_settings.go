package explain

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// settings turns findings on estimates and memory into statements: statistics to
// collect, and settings for the statement. A setting is tried where the statement may
// be run, since it holds for planvet's transaction alone; statistics only on a server
// of planvet's own.
func (p *prover) settings() ([]Recommendation, error) {
	if p.s.report == nil {
		return nil, nil
	}
	var out []Recommendation
	spilled := map[int]bool{}
	for _, f := range p.s.report.Findings {
		if slices.Contains(memoryFaults, f.Heuristic) {
			spilled[f.ID] = true
			continue
		}
		if f.Heuristic != "row-misestimate" {
			continue
		}
		if sql := statisticsSQL(f.Advice); len(sql) > 0 {
			rec, err := p.statistics(f, sql)
			if err != nil {
				return out, err
			}
			out = append(out, rec)
		}
	}
	rec, err := p.memory(spilled)
	if rec != nil {
		out = append(out, *rec)
	}
	if err != nil {
		return out, err
	}
	if ids := p.s.findingsOf("jit-overhead"); len(ids) > 0 {
		rec, err := p.setting("jit", "off", ids)
		if rec != nil {
			rec.Title, rec.Cost = "no JIT compilation for this statement", "statements that run for seconds lose what compiling gives them, where it is set for them too"
			out = append(out, *rec)
		}
		return out, err
	}
	return out, nil
}

// memoryFaults are the heuristics on steps that did not fit into memory.
var memoryFaults = []string{"sort-spill", "hash-batches", "aggregate-spill", "temporary-files"}

var statisticsRE = regexp.MustCompile(`(?i)^(create statistics|alter statistics|alter table|analyze) `)

// statisticsSQL are the statements in a finding's advice.
func statisticsSQL(advice string) []string {
	var out []string
	for _, part := range strings.Split(advice, ";") {
		if part = strings.TrimSpace(part); statisticsRE.MatchString(part) {
			out = append(out, part)
		}
	}
	return out
}

func (p *prover) statistics(f Finding, sql []string) (Recommendation, error) {
	rec := Recommendation{
		Kind: Statistics, Title: "statistics that tell the planner how many rows step " + strconv.Itoa(f.Step) + " gives", SQL: sql, Findings: []int{f.ID},
		Cost: "ANALYZE reads a sample of the table and takes a little longer from now on",
		Why:  "not verified: statistics are collected from the rows, which is not done on a named server",
	}
	for _, s := range sql {
		if name, ok := strings.CutPrefix(s, "create statistics "); ok {
			name, _, _ = strings.Cut(name, " ")
			rec.Undo = append(rec.Undo, "drop statistics "+name)
		}
	}
	if f.Cause != "" {
		rec.Title += ": " + f.Cause
	}
	if !p.s.throwaway || !p.s.runs {
		return rec, nil
	}
	before, after, reason, err := p.tried(func() error {
		for _, s := range sql {
			if err := p.s.session.Exec(p.ctx, s); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	p.judge(&rec, before, after, reason, "collected on this throwaway server, run before and after, and rolled back")
	return rec, err
}

// judge fills in what a trial gave: only what made the statement cheaper is verified.
func (p *prover) judge(rec *Recommendation, before, after *plan.Plan, reason, how string) {
	switch {
	case reason != "":
		rec.Why = "not verified: " + reason
	case before == nil || after == nil:
	case gained(before, after):
		rec.Verified, rec.Why = Measured, how
		rec.Before, rec.After = whole(before), whole(after)
	default:
		rec.Why = fmt.Sprintf("not verified: with it the statement took %.1f ms and %d blocks, and %.1f ms and %d blocks without",
			after.ExecutionMS, touched(after), before.ExecutionMS, touched(before))
	}
}

// touched are the blocks of tables and of temporary files.
func touched(p *plan.Plan) int64 { return p.Blocks() + p.Root.TempBlocks() }

func whole(p *plan.Plan) *Effect {
	return &Effect{Cost: p.Root.TotalCost, MS: p.ExecutionMS, Blocks: touched(p), Access: allScans(p)}
}

// gained reports whether a plan touches fewer blocks in no more time, or takes half of
// the time for no more blocks.
func gained(before, after *plan.Plan) bool {
	b, a := float64(touched(before)), float64(touched(after))
	return a <= leastGain*b && after.ExecutionMS <= 1.1*before.ExecutionMS || a <= b && after.ExecutionMS <= half*before.ExecutionMS
}

// tried runs the statement before and after a change, or with other settings, and undoes
// it; the plans are those of the median runs. reason says why it could not be run.
func (p *prover) tried(change func() error, settings map[string]string) (before, after *plan.Plan, reason string, err error) {
	a, id := p.asker()
	other := Identity{Role: id.Role, Settings: map[string]string{}}
	for _, from := range []map[string]string{id.Settings, settings} {
		for name, v := range from {
			other.Settings[name] = v
		}
	}
	err = p.inTransaction(func() error {
		if err := a.permit(p.s.sql, id); err != nil {
			return err
		}
		run := func(id Identity) (*plan.Plan, error) {
			var all []*plan.Plan
			for range warmRuns {
				m := &arm{sql: p.s.sql, id: id}
				if err := a.run(m); err != nil {
					return nil, err
				}
				all = append(all, m.last)
			}
			slices.SortFunc(all, func(x, y *plan.Plan) int { return compareFloat(x.ExecutionMS, y.ExecutionMS) })
			return all[len(all)/2], nil
		}
		var err error
		if before, err = run(id); err != nil {
			return err
		}
		if change != nil {
			if err := change(); err != nil {
				return err
			}
		}
		after, err = run(other)
		return err
	})
	var refused *live.Refusal
	switch {
	case errors.As(err, &refused):
		return nil, nil, refused.Reason, nil
	case err != nil && live.Code(err) != "":
		return nil, nil, p.text(err), nil
	}
	return before, after, "", err
}

// setting tries one for the statement.
func (p *prover) setting(name, value string, findings []int) (*Recommendation, error) {
	rec := &Recommendation{
		Kind: Setting, Findings: findings, SQL: []string{"set local " + name + " = '" + value + "'"},
		Why: "not verified: the statement is not run",
	}
	if !p.s.runs || p.s.requests[0].Generic {
		return rec, nil
	}
	before, after, reason, err := p.tried(nil, map[string]string{name: value})
	p.judge(rec, before, after, reason, "run with and without it, in a transaction of planvet's")
	return rec, err
}

const (
	// mostMemory is beyond what one statement should take: many run at once.
	mostMemory = 1 << 20 // kB
	leastKB    = 64
)

var amount = regexp.MustCompile(`(\d[\d,.]*) ?(KiB|MiB|GiB)`)

// memory is work_mem for what spilled, from the findings' own figures, rounded up to a
// power of two.
func (p *prover) memory(spilled map[int]bool) (*Recommendation, error) {
	kb, ids := 0.0, []int{}
	for _, f := range p.s.report.Findings {
		if !spilled[f.ID] {
			continue
		}
		at := strings.Index(f.Advice, "work_mem")
		if at < 0 {
			continue
		}
		m := amount.FindStringSubmatch(f.Advice[at:])
		if m == nil {
			continue
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		if err != nil {
			continue
		}
		n *= map[string]float64{"KiB": 1, "MiB": 1 << 10, "GiB": 1 << 20}[m[2]]
		kb, ids = max(kb, n), append(ids, f.ID)
	}
	if kb == 0 {
		return nil, nil
	}
	size := float64(leastKB)
	for size < kb {
		size *= 2
	}
	if size > mostMemory {
		p.note("what the statement keeps would need %.0f GB of work_mem: fewer rows or columns are the way", size/(1<<20))
		return nil, nil
	}
	value := fmt.Sprintf("%.0fkB", size)
	if size >= 1024 {
		value = fmt.Sprintf("%.0fMB", size/1024)
	}
	rec, err := p.setting("work_mem", value, ids)
	if rec != nil {
		rec.Title = "work_mem of " + value + " for this statement"
		rec.Cost = "each such step of each session that runs it may take that much memory at once"
	}
	return rec, err
}
