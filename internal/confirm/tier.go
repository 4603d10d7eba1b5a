package confirm

import (
	"context"
	"regexp"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// PlanTier is a database without rows that plans like a full one: it has the schema,
// statistics, and files of production's lengths.
type PlanTier struct {
	Server Explainer
	// Built are the indexes that each statement of Candidates made, hidden from the
	// planner; Refused is why others could not be made.
	Built   map[string][]Index
	Refused map[string]string
	// Known reports whether a table's statistics are production's, and hold values: what
	// they do not list there is rare. Where they are made up nobody knows.
	Known func(catalog.Name) bool
	// Guessed reports whether a table's statistics are made up.
	Guessed func(catalog.Name) bool
}

// Index is an index that a fix made.
type Index struct{ OID, Name string }

// Candidates are the statements by which the fixes of findings make indexes, each
// once, in the order of the findings: what a plan tier has to build while it is empty.
func Candidates(fs []rules.Finding) []string {
	var out []string
	seen := map[string]bool{}
	for i := range fs {
		if !Estimable(&fs[i]) {
			continue
		}
		for _, sql := range fs[i].Probe.Apply {
			if sql = plan.InPlace(sql); makesIndex(sql) && !seen[sql] {
				seen[sql] = true
				out = append(out, sql)
			}
		}
	}
	return out
}

var createIndex = regexp.MustCompile(`(?i)^\s*create\s+(unique\s+)?index\b`)

func makesIndex(sql string) bool { return createIndex.MatchString(sql) }

// Estimable reports whether a plan alone can tell of a finding: it is about an access
// path, and its fix makes an index. What a rewritten policy saves, what a loop costs
// and what an index that a role cannot use would save shows on rows.
func Estimable(f *rules.Finding) bool {
	p := f.Probe
	if p == nil || f.Rule == "rls-leakproof" || f.Rule == "rls-row-function" {
		return false
	}
	switch p.Kind {
	case rules.ProbeStatement, rules.ProbeForeignKey:
		return true
	case rules.ProbePolicy:
		return !rewrites(p.Apply)
	}
	return false
}

// needsRows reports whether a finding is asked about where rows are.
func (o *Options) needsRows(f *rules.Finding) bool {
	if f.Probe == nil || f.Probe.Kind.Plain() {
		return false
	}
	return o.Plan == nil || o.Measure || !Estimable(f)
}

// planner is an asker of the plan tier; nil where there is none.
func (a *asker) planner(ctx context.Context) *asker {
	if a.o.Plan == nil || a.o.Measure {
		return nil
	}
	b := newAsker(ctx, a.cat, a.o)
	b.tier = a.o.Plan
	b.o.Server, b.o.MakeRows = a.o.Plan.Server, nil
	return b
}

// fixes are a fix's indexes on the plan tier, and the other statements of it.
func (t *PlanTier) fixes(apply []string) (made []Index, others []string, reason string) {
	for _, sql := range apply {
		if sql = plan.InPlace(sql); !makesIndex(sql) {
			others = append(others, sql)
			continue
		}
		built, ok := t.Built[sql]
		if !ok {
			return nil, nil, "applying the fix: " + strings.TrimSpace(t.Refused[sql]+" "+map[bool]string{true: "it was not built"}[t.Refused[sql] == ""])
		}
		made = append(made, built...)
	}
	return made, others, ""
}
