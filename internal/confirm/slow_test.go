package confirm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// sluggish is a server on which runs of one table take too long, or as long as it
// says.
type sluggish struct {
	confirm.Explainer
	table string
	ms    float64 // 0 is a timeout
	runs  int
}

func (s *sluggish) Explain(ctx context.Context, r plan.Request) (*plan.Plan, error) {
	if !r.Analyze || !strings.Contains(r.SQL, s.table) {
		return s.Explainer.Explain(ctx, r)
	}
	s.runs++
	if s.ms == 0 {
		return nil, errors.New("ERROR: canceling statement due to statement timeout (SQLSTATE 57014)")
	}
	p, err := s.Explainer.Explain(ctx, r)
	if err == nil {
		p.ExecutionMS += s.ms
	}
	return p, err
}

// costly is a server on which an index makes a statement slow.
type costly struct {
	confirm.Explainer
	index string
}

func (s costly) Explain(ctx context.Context, r plan.Request) (*plan.Plan, error) {
	p, err := s.Explainer.Explain(ctx, r)
	if err == nil && p.Uses(s.index) {
		p.ExecutionMS += 5000
	}
	return p, err
}

// A fix that rewrites a policy beside its index is compared with the policy as it was.
func TestFixThatTakesLonger(t *testing.T) {
	e := newEnv(t, `create table notes (id bigint generated always as identity primary key, owner text not null);
		alter table notes enable row level security;
		create policy mine on notes for select using (owner || '' = current_setting('app.owner'))`)
	f := rules.Finding{Rule: "r", Probe: &rules.Probe{
		Kind: rules.ProbePolicy, Schema: "public", Table: "notes", Policy: "mine", Roles: []string{"public"}, Command: "select",
		Apply: []string{"alter policy mine on notes using (owner = (select current_setting('app.owner')))", "create index notes_owner on notes (owner)"},
	}}
	if v := ask(t, e, f); v.Status != rules.Confirmed {
		t.Errorf("verdict is %+v", v)
	}
	e.opts.Server = costly{e.opts.Server, "notes_owner"}
	if v := ask(t, e, f); v.Status != rules.Inconclusive || !strings.Contains(v.Reason, "takes longer with the fix") {
		t.Errorf("verdict is %+v", v)
	}
}

// A slow statement is run once, and not once more for each finding on it.
func TestSlowStatements(t *testing.T) {
	e := newEnv(t, `create table notes (id bigint generated always as identity primary key, owner text not null, team text not null, body text not null);
		alter table notes enable row level security;
		create policy mine on notes for select using (owner = current_setting('app.owner'));
		create policy ours on notes as restrictive for select using (length(team) > 3)`)
	probe := func(policy, fix string) rules.Finding {
		return rules.Finding{Rule: "r", Probe: &rules.Probe{
			Kind: rules.ProbePolicy, Schema: "public", Table: "notes", Policy: policy, Roles: []string{"public"}, Command: "select", Apply: []string{fix},
		}}
	}
	findings := []rules.Finding{
		probe("mine", "create index on notes (owner)"), probe("mine", "create index on notes (owner, id)"),
		probe("ours", "create index on notes (team)"),
	}
	for _, c := range []struct {
		name string
		ms   float64
		want [3]rules.Status
		why  string
		runs int // at most
	}{
		{"timeout", 0, [3]rules.Status{rules.Inconclusive, rules.Inconclusive, rules.Inconclusive}, "takes longer than 10 s on 20000 made rows of notes", 1},
		// Three sets before, those of two fixes after; the third fix is not used.
		{"slow", 5000, [3]rules.Status{rules.Confirmed, rules.Confirmed, rules.Inconclusive}, "", 3 + 2*3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sluggish{Explainer: e.opts.Server, table: "notes", ms: c.ms}
			opts := e.opts
			opts.Server = s
			fs, err := confirm.Confirm(context.Background(), e.cat, findings, opts)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range fs {
				if f.Verdict.Status != c.want[i] || !strings.Contains(f.Verdict.Reason, c.why) {
					t.Errorf("finding %d: %+v", i, f.Verdict)
				}
			}
			if s.runs > c.runs {
				t.Errorf("%d runs, want at most %d", s.runs, c.runs)
			}
		})
	}
}
