package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/pullrequest"
	"github.com/planvet/planvet/internal/report"
)

func checklistCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "checklist",
		Usage:     "judge a pull request's checklist: plans of new queries, indexes, loops, policies, the gate, pools, batches",
		ArgsUsage: "[path ...]",
		Description: "Judges the project before and after a change, plans each query that is new or\n" +
			"changed on a throwaway PostgreSQL, asks it about each finding that is new, and\n" +
			"writes a list in Markdown. A box is ticked only where what it says was looked at.\n" +
			"What a person ticked in --previous, or in the comment, stays ticked as long as it\n" +
			"says the same.",
		Flags: slices.Concat(projectFlags(), scopeFlags(), identityFlags(), []cli.Flag{
			&cli.StringFlag{Name: "previous", Usage: "keep what is ticked in `FILE`, a checklist of before"},
			&cli.StringFlag{Name: "gate", Usage: "the benchmark's box is what planvet gate --format json wrote to `FILE`"},
			&cli.StringFlag{Name: "confirm", Value: "shadow", Usage: "who plans: shadow starts a throwaway PostgreSQL, live asks --database-url, none asks nobody"},
			&cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "`URL` of the server for --confirm live"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the list to `FILE`"},
			&cli.BoolFlag{Name: "comment", Usage: "write the list into one comment of the pull request too, by GITHUB_TOKEN, and keep what is ticked there"},
			&cli.IntFlag{Name: "pull-request", Usage: "comment on pull request `N`; by default on that which the workflow runs for"},
			&cli.StringFlag{Name: "fail-on", Usage: "lowest severity of a finding that nobody ticked that exits 1: error, warning, info or never (default: warning)"},
		}),
		Action: func(c *cli.Context) error {
			r, err := checklist(c)
			*code = r
			return err
		},
	}
}

func checklist(c *cli.Context) (report.ExitCode, error) {
	started := time.Now()
	f, err := readChecklistFlags(c)
	if err != nil {
		return report.ExitUsage, usage(err)
	}
	old := ""
	if f.target != nil {
		if old, err = commented(c, f.target); err != nil {
			return report.ExitUnfinished, err
		}
		f.review.Previous = report.ReadTicks(old)
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	checked, doc, err := checkProject(c.Context, projectOptions(c, progress), f.scope, baselineFlags{})
	if err != nil {
		return exitOf(err), err
	}
	defer checked.close()
	if err := f.judge(c, checked, doc); err != nil {
		return exitOf(err), err
	}
	doc.Summary.ElapsedMS = time.Since(started).Milliseconds()
	progress.Done()
	var list bytes.Buffer
	if err := report.Checklist(&list, doc); err != nil {
		return report.ExitUnfinished, err
	}
	if err := writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error { _, err := w.Write(list.Bytes()); return err }); err != nil {
		return report.ExitUnfinished, err
	}
	switch since := doc.Summary.Since; {
	case f.target == nil:
	case since != nil && since.FilesRead == 0 && old == "":
		fmt.Fprintf(c.App.ErrWriter, "planvet: no comment on pull request %d: nothing that planvet reads changed\n", f.target.Number)
	default:
		if err := commentOn(c, f.target, report.ChecklistMarker, list.String()); err != nil {
			return report.ExitUnfinished, err
		}
	}
	policy := report.Policy{FailOn: cmp.Or(c.String("fail-on"), checked.Config.FailOn)}
	if doc.GateFailed() && policy.FailOn != "never" {
		return report.ExitFindings, nil
	}
	return report.Exit(doc.Unaccepted(), policy), nil
}

// checklistFlags are the flags of checklist, validated.
type checklistFlags struct {
	scope   engine.Scope
	confirm string
	ask     engine.ConfirmOptions
	review  report.Review
	target  *pullrequest.Target
}

func readChecklistFlags(c *cli.Context) (*checklistFlags, error) {
	f := &checklistFlags{confirm: c.String("confirm"), ask: engine.ConfirmOptions{Role: c.String("role")}}
	var err error
	if f.scope, err = scopeOf(c); err != nil {
		return nil, err
	}
	if f.scope.Zero() {
		return nil, errors.New("a checklist is of a change: say which, by --since REV, --new-from-merge-base BRANCH or --staged")
	}
	if err := oneOf("confirm", f.confirm, "shadow", "live", "none"); err != nil {
		return nil, err
	}
	if f.confirm != "live" && c.IsSet("database-url") && os.Getenv("PLANVET_DATABASE_URL") == "" {
		return nil, errors.New("--database-url is only read by --confirm live: add it")
	}
	if f.confirm == "live" {
		if f.ask.URL, err = liveURL(c); err != nil {
			return nil, err
		}
	}
	if err := knownFailOn(c); err != nil {
		return nil, err
	}
	if f.ask.Claims, f.ask.Settings, err = readIdentity(c); err != nil {
		return nil, err
	}
	if file := c.String("previous"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--previous: %w", err)
		}
		f.review.Previous = report.ReadTicks(string(text))
	}
	if file := c.String("gate"); file != "" {
		if f.review.Gate, err = gateResult(file); err != nil {
			return nil, err
		}
	}
	if f.target, err = pullRequest(c); err == nil && f.target != nil && c.IsSet("previous") {
		err = errors.New("--previous and --comment both hold ticks: use one of them")
	}
	return f, err
}

// checklistThreshold is the regression that the checklist's box speaks of, in percent.
const checklistThreshold = 10

// gateResult reads what planvet gate wrote as JSON.
func gateResult(file string) (*report.GateResult, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--gate: %w", err)
	}
	var r verdict.Report
	if err := json.Unmarshal(text, &r); err != nil || r.Version != verdict.ReportVersion || r.Verdict == "" {
		return nil, fmt.Errorf("--gate %s is no report of a gate: write one by planvet gate --format json --output %s", file, file)
	}
	out := &report.GateResult{Headline: r.Headline(), Passed: r.Verdict == gate.Pass && !r.Partial, Failed: r.Verdict == gate.Fail}
	if r.Threshold > checklistThreshold {
		out.Passed = false
		out.Lines = append(out.Lines, fmt.Sprintf("its threshold is %g %%: what became slower by over %d %% passed too", r.Threshold, checklistThreshold))
	}
	// What another commit was measured at says nothing of this one.
	if _, here := audit.Origin(""); r.B.Commit != "" && here != "" && r.B.Commit != here {
		out.Passed, out.Failed = false, false
		out.Lines = append(out.Lines, fmt.Sprintf("it measured commit %.12s, and this is %.12s: measure again", r.B.Commit, here))
	}
	for _, k := range r.WorstFirst() {
		if k.Verdict != gate.Pass {
			out.Lines = append(out.Lines, strings.Join(append([]string{fmt.Sprintf("%s %s: %s", k.Suite, k.Case, k.Verdict)}, k.Reasons...), "; "))
		}
	}
	return out, nil
}

// judge asks a planner, where one is to be had: without one the list says so, and what was
// found in the code stands.
func (f *checklistFlags) judge(c *cli.Context, p *checkedProject, doc *report.Document) error {
	change := p.change
	doc.Review = &f.review
	// A gap that was there before is no gap of the change.
	doc.Unparsed, doc.Unresolved, doc.NotApplied = problems(change.Unparsed), problems(change.Unresolved), problems(change.NotApplied)
	switch {
	case change.Before == nil:
		f.review.Plans = &report.Plans{}
		return nil
	case f.confirm == "none":
		f.review.NoPlans = "--confirm none asks no planner"
		return nil
	}
	refused := len(p.NotApplied)
	plans, err := p.Plans(c.Context, change.Statements, f.ask)
	if err == nil && len(doc.Findings) > 0 {
		doc.Findings, err = p.Confirm(c.Context, doc.Findings, f.ask)
		doc.ConfirmRun = true
		rememberFindings(c, p.root, doc)
	}
	switch {
	case engine.KindOf(err) == engine.Usage, c.Context.Err() != nil:
		return err
	case plans == nil:
		f.review.NoPlans = err.Error()
	default:
		f.review.Plans = queryPlans(plans)
	}
	if err != nil {
		fmt.Fprintf(c.App.ErrWriter, "planvet: %v\n", err)
	}
	// What the server refused beside what the replay did is what the plans do without.
	doc.NotApplied = append(doc.NotApplied, problems(p.NotApplied[refused:])...)
	return nil
}

func queryPlans(plans *engine.Plans) *report.Plans {
	out := &report.Plans{Server: plans.Server}
	for _, s := range plans.Of {
		q := report.QueryPlan{
			Location: s.Location, Symbol: s.Symbol, Changed: s.Was != nil, SQL: s.Text, Role: s.Role, Problem: s.Problem,
		}
		if s.Plan != nil {
			q.Lines = s.Plan.Text()
		}
		out.Of = append(out.Of, q)
	}
	return out
}

// commented is the pull request's comment, "" where there is none or it may not be read.
func commented(c *cli.Context, t *pullrequest.Target) (string, error) {
	old, err := t.Read(c.Context, report.ChecklistMarker)
	if err != nil && !errors.Is(err, pullrequest.ErrForbidden) {
		return "", fmt.Errorf("--comment: %w", err)
	}
	return old, nil
}
