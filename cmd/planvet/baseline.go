package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rules"
)

// baselineCommand keeps the findings that a project knows of. What benchmarks are held
// against is planvet bench baseline.
func baselineCommand(code *report.ExitCode) *cli.Command {
	file := &cli.StringFlag{Name: "baseline", Usage: "`FILE` of the baseline; " + engine.BaselineFile + " at the project's root by default"}
	return &cli.Command{
		Name:  "baseline",
		Usage: "keep the findings that are there already, so that planvet check reports others only",
		Subcommands: []*cli.Command{
			{
				Name:      "write",
				Usage:     "take the findings of now into the baseline",
				ArgsUsage: "[path ...]",
				Description: "Checks the project and writes its findings, one a line, with the reasons that the\n" +
					"baseline gives already. Findings that are only possible, and with --confirm those that a\n" +
					"planner refuted, fail no run and are not taken. With paths or --rules, entries about others stay.",
				Flags: slices.Concat(projectFlags(), identityFlags(), confirmFlags(), []cli.Flag{
					file, &cli.StringFlag{Name: "reason", Value: "backlog", Usage: "`TEXT` that says why new entries stay"},
				}),
				Action: func(c *cli.Context) error {
					*code = report.ExitClean
					return writeBaseline(c)
				},
			},
			{
				Name:        "prune",
				Usage:       "drop entries whose finding is no more",
				ArgsUsage:   "[path ...]",
				Description: "Checks the project and takes nothing new into the baseline.",
				Flags:       slices.Concat(projectFlags(), []cli.Flag{file}),
				Action: func(c *cli.Context) error {
					*code = report.ExitClean
					return pruneBaseline(c)
				},
			},
		},
	}
}

// baselineFlags are check's about the baseline.
type baselineFlags struct {
	file string
	none bool
}

func (f baselineFlags) read(p *engine.Project) (*suppress.Baseline, error) {
	if f.none {
		return nil, nil
	}
	return p.Baseline(f.file)
}

// apply takes what a baseline covers out of findings, and says so; no baseline covers nothing.
func (f baselineFlags) apply(p *engine.Project, b *suppress.Baseline, fs []rules.Finding) ([]rules.Finding, *report.Baseline) {
	if b == nil {
		return fs, nil
	}
	a := p.ApplyBaseline(b, fs)
	out := &report.Baseline{File: f.file, Findings: a.Baselined, Stale: []report.StaleEntry{}}
	if out.File == "" {
		out.File = engine.BaselineFile
	}
	for _, e := range a.Stale {
		out.Stale = append(out.Stale, report.StaleEntry{ID: e.ID, Rule: e.Rule, Path: e.Path, Message: e.Message})
	}
	return a.Kept, out
}

// baselined is a checked project with its baseline, empty where there is none yet.
type baselined struct {
	*engine.Project
	file     string
	findings []rules.Finding
	baseline *suppress.Baseline
}

func checkForBaseline(c *cli.Context, progress *report.Progress) (*baselined, error) {
	p, err := engine.Open(projectOptions(c, progress))
	if err != nil {
		return nil, err
	}
	b := &baselined{Project: p, file: c.String("baseline")}
	if b.file == "" {
		b.file = filepath.Join(p.Root, engine.BaselineFile)
	}
	if _, err := os.Stat(b.file); err == nil {
		if b.baseline, err = p.Baseline(b.file); err != nil {
			return nil, err
		}
	}
	if err := p.Load(c.Context); err != nil {
		return nil, err
	}
	b.findings, _ = p.Check()
	return b, nil
}

// name is the file as it is told.
func (b *baselined) name() string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(resolved(wd), resolved(filepath.Dir(b.file))); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(filepath.Join(rel, filepath.Base(b.file)))
		}
	}
	return b.file
}

func (b *baselined) write(next *suppress.Baseline) error {
	// Whoever is interrupted has the old one or the new one.
	tmp := b.file + ".new"
	if err := os.WriteFile(tmp, next.Bytes(), 0o666); err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	if err := os.Rename(tmp, b.file); err != nil {
		return errors.Join(fmt.Errorf("writing the baseline: %w", err), os.Remove(tmp))
	}
	return nil
}

func writeBaseline(c *cli.Context) error {
	f, err := readConfirmFlags(c)
	if err != nil {
		return usage(err)
	}
	reason := c.String("reason")
	if reason == "" {
		return usage(errors.New("--reason is empty: say why the findings stay"))
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	b, err := checkForBaseline(c, progress)
	if err != nil {
		return err
	}
	if f.confirm != "" {
		if b.findings, err = b.Confirm(c.Context, b.findings, f.ask); err != nil {
			return err
		}
	}
	was := b.baseline
	if was == nil {
		was = &suppress.Baseline{}
	}
	next, added, dropped := was.Update(b.findings, reason, b.Judged)
	if err := b.write(next); err != nil {
		return err
	}
	progress.Done()
	fmt.Fprintf(c.App.Writer, "%s: %s, %d new, %d dropped\n", b.name(), report.Plural(len(next.Entries), "finding"), added, dropped)
	left := 0
	for i := range b.findings {
		if !suppress.Takes(&b.findings[i]) {
			left++
		}
	}
	if left > 0 {
		fmt.Fprintf(c.App.Writer, "%s not taken: only possible, or refuted\n", report.Plural(left, "finding"))
	}
	return nil
}

func pruneBaseline(c *cli.Context) error {
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	b, err := checkForBaseline(c, progress)
	if err != nil {
		return err
	}
	if b.baseline == nil {
		return usage(fmt.Errorf("there is no baseline %s; `planvet baseline write` makes one", b.name()))
	}
	stale := b.ApplyBaseline(b.baseline, b.findings).Stale
	next := b.baseline.Without(stale)
	if err := b.write(next); err != nil {
		return err
	}
	progress.Done()
	for _, e := range stale {
		fmt.Fprintf(c.App.Writer, "dropped %s %s: %s\n", report.Printable(e.Path), report.Printable(e.Rule), report.Printable(e.Message))
	}
	fmt.Fprintf(c.App.Writer, "%s: %s, %d dropped\n", b.name(), report.Plural(len(next.Entries), "finding"), len(stale))
	return nil
}
