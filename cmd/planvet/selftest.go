package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/selftest"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/report"
)

func selftestCommand(code *report.ExitCode) *cli.Command {
	var scenarios []string
	for _, s := range selftest.Scenarios {
		scenarios = append(scenarios, s.Name)
	}
	cases, usual := selftest.Cases()
	return &cli.Command{
		Name:  "selftest",
		Usage: "examine the gate: how often it fails where nothing changed, and where something did",
		Description: "Starts a PostgreSQL and over it a small HTTP service twice, the second slower by what\n" +
			"is known, and gates the two as bench --base-url does, with noise of processor and\n" +
			"disk beside them. Says how long it will take, and goes on where it was ended.\n" +
			"With --traces it draws its runs from recorded ones, thousands in a minute.\n" +
			"The rule with a stored p95 and +10 % is held against the same requests.\n" +
			"Exits 1 where the gate does not do what it should.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "gates", Value: 300, Usage: "hold `N` gates of each scenario, under the noises in turn; with --traces on each trace"},
			&cli.StringSliceFlag{Name: "scenario", Usage: "hold gates of scenario `NAME`: " + strings.Join(scenarios, ", ") + "; repeatable; all but drift by default"},
			&cli.StringSliceFlag{Name: "noise", Usage: "measure under `NOISE`: " + strings.Join(selftest.Noises, ", ") + "; repeatable; all by default"},
			&cli.StringSliceFlag{Name: "case", Usage: "measure the case `NAME`: " + strings.Join(cases, ", ") + "; repeatable; " + strings.Join(usual, ", ") + " by default"},
			&cli.StringFlag{Name: "state", Value: "planvet-selftest.json", Usage: "keep what was decided in `FILE`, and go on from it"},
			&cli.StringFlag{Name: "traces", Usage: "draw from the recorded traces in the folder `DIR` instead of measuring"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT` of the table: text, markdown or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the table to `FILE`"},
		},
		Action: func(c *cli.Context) error { return selftestGate(c, code) },
	}
}

// some are the wanted names of all, the usual ones where none is wanted.
func some(what string, wanted, all, usual []string) ([]string, error) {
	for _, name := range wanted {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("unknown %s %q%s: there are %s", what, name, config.Hint(name, all), strings.Join(all, ", "))
		}
	}
	if len(wanted) == 0 {
		return usual, nil
	}
	return wanted, nil
}

func selftestPlan(c *cli.Context) (p selftest.Plan, err error) {
	p = selftest.Plan{Gates: c.Int("gates"), State: c.String("state")}
	var all, usual []string
	for _, s := range selftest.Scenarios {
		all = append(all, s.Name)
		// A machine that slows down cannot be ordered, but recorded runs can be made to.
		if s.Ramp == 0 || c.String("traces") != "" {
			usual = append(usual, s.Name)
		}
	}
	wanted, err := some("scenario", c.StringSlice("scenario"), all, usual)
	for _, s := range selftest.Scenarios {
		if slices.Contains(wanted, s.Name) {
			p.Scenarios = append(p.Scenarios, s)
			if s.Ramp > 0 && c.String("traces") == "" {
				err = errors.Join(err, fmt.Errorf("scenario %s needs --traces: a machine cannot be told to slow down", s.Name))
			}
		}
	}
	if err == nil {
		p.Noises, err = some("noise", c.StringSlice("noise"), selftest.Noises, selftest.Noises)
	}
	if err == nil {
		cases, usual := selftest.Cases()
		p.Cases, err = some("case", c.StringSlice("case"), cases, usual)
	}
	switch {
	case err != nil:
	case c.Args().Present():
		err = fmt.Errorf("gate selftest takes no arguments, got %q", c.Args().First())
	case p.Gates < 1:
		err = fmt.Errorf("--gates %d: use 1 or more", p.Gates)
	default:
		err = oneOf("format", c.String("format"), "text", "markdown", "json")
	}
	return p, err
}

func selftestGate(c *cli.Context, code *report.ExitCode) error {
	p, err := selftestPlan(c)
	if err != nil {
		return usage(err)
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	p.Progress = remaining(progress)
	p.Say = func(line string) {
		progress.Done()
		fmt.Fprintln(c.App.ErrWriter, line)
	}
	outcomes, err := selftestOutcomes(c, p)
	progress.Done()
	if err != nil && len(outcomes) == 0 {
		return err
	}
	rows := selftest.Rows(outcomes)
	*code = report.ExitClean
	for _, r := range rows {
		if r.Broken != "" {
			*code = report.ExitFindings
		}
	}
	written := writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch c.String("format") {
		case "json":
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(rows)
		case "markdown":
			return selftest.Markdown(w, rows)
		}
		if err := selftest.Text(w, rows); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, "\n"+selftest.Summary(rows))
		return err
	})
	return errors.Join(err, written)
}

func selftestOutcomes(c *cli.Context, p selftest.Plan) (out []selftest.Outcome, err error) {
	if dir := c.String("traces"); dir != "" {
		traces, err := selftest.Traces(dir)
		if err != nil {
			return nil, err
		}
		traces = slices.DeleteFunc(traces, func(t selftest.Trace) bool {
			return !slices.Contains(p.Noises, t.Noise) || !slices.Contains(p.Cases, t.Case)
		})
		return selftest.Examine(c.Context, traces, p.Scenarios, p.Gates, p.Progress)
	}
	a, err := selftest.Open(c.Context, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.Live(c.Context, p)
}
