package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/report"
)

func sloCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:        "slo",
		Usage:       "hold a benchmark's results against what services promise",
		Subcommands: []*cli.Command{sloCheckCommand(code), sloBudgetCommand(code), sloExportCommand(code), sloInitCommand(code)},
	}
}

// formatFlags are those of a report for people and programs.
func formatFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or markdown"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
	}
}

func sloCheckCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "say which objectives a run kept",
		Description: "A target is broken where chance does not explain what was measured: by the binomial\n" +
			"distribution at 1 %. Under 60 answers a p95 is inconclusive, under 300 a p99. Exits 1\n" +
			"where an objective is broken, 4 where one is inconclusive.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "slo-file", Value: ".perf/slos.json", Usage: "`FILE` with objectives"},
			&cli.StringFlag{Name: "results", Usage: "`FILE` with the results of a benchmark"},
			&cli.BoolFlag{Name: "require-coverage", Usage: "exit 1 too where an objective has no case, or a case no objective"},
			&cli.StringFlag{Name: "fail-on", Value: "minor", Usage: "the least state of a broken objective that exits 1: minor, warning, critical, alert or never"},
			&cli.StringFlag{Name: "inconclusive", Value: "fail", Usage: "pass or fail: whether an inconclusive objective exits 4"},
			&cli.StringFlag{Name: "history", Usage: "append the report to `FILE`, a line each; slo budget reads it"},
		}, formatFlags(), auditFlags()),
		Action: func(c *cli.Context) error { return sloCheck(c, code) },
	}
}

func sloCheck(c *cli.Context, code *report.ExitCode) error {
	err := errors.Join(checkRLSFormat(c), oneOf("fail-on", c.String("fail-on"), "minor", "warning", "critical", "alert", "never"), oneOf("inconclusive", c.String("inconclusive"), "pass", "fail"))
	if err == nil && c.String("results") == "" {
		err = errors.New("slo check needs --results FILE")
	}
	if err != nil {
		return usage(err)
	}
	var objectives []slo.Objective
	var run *results.Results
	if err := errors.Join(fileOf(c, "slo-file", slo.Read, &objectives), fileOf(c, "results", results.Read, &run)); err != nil {
		return usage(err)
	}
	id, log, err := audited(c, "slo check")
	if err != nil {
		return err
	}
	out := slo.Check(objectives, run)
	if out.CorrelationID == "" || c.IsSet("correlation-id") {
		out.CorrelationID = id
	}
	if log != nil {
		if err := log.Append(out.Events()...); err != nil {
			return err
		}
	}
	if path := c.String("history"); path != "" {
		if err := appendTo(path, out.Append); err != nil {
			return fmt.Errorf("writing the history: %w", err)
		}
	}
	if *code = out.Exit(c.String("fail-on"), c.Bool("require-coverage")); *code == report.ExitInconclusive && c.String("inconclusive") == "pass" {
		*code = report.ExitClean
	}
	return writeFormat(c, out)
}

// writeFormat writes a report as formatFlags say.
func writeFormat(c *cli.Context, out interface {
	rlsReport
	JSON(w io.Writer) error
}) error {
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch c.String("format") {
		case "json":
			return out.JSON(w)
		case "markdown":
			return out.Markdown(w)
		}
		return out.Text(w, report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))})
	})
}

func appendTo(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func sloBudgetCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "budget",
		Usage: "say what past runs spent of what objectives allow to be slow, or to fail",
		Description: "A p95 allows 5 % of answers to be over its target. The counts of all runs that ended\n" +
			"in the window are summed and held against that.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "history", Usage: "`FILE` that slo check --history appended to"},
			&cli.IntFlag{Name: "window", Value: 28, Usage: "look `DAYS` back"},
			&cli.TimestampFlag{Name: "until", Layout: time.RFC3339, Usage: "from `TIME` (2026-03-02T10:05:00Z; default: now)"},
			&cli.BoolFlag{Name: "freeze-on-empty", Usage: "exit 1 where a budget is spent"},
		}, formatFlags(), auditFlags()),
		Action: func(c *cli.Context) error { return sloBudget(c, code) },
	}
}

func sloBudget(c *cli.Context, code *report.ExitCode) error {
	err := checkRLSFormat(c)
	switch {
	case err != nil:
		return err
	case c.String("history") == "":
		return usage(errors.New("slo budget needs --history FILE"))
	case c.Int("window") < 1 || c.Int("window") > 36500:
		return usage(fmt.Errorf("--window %d: use days from 1 to 36500", c.Int("window")))
	}
	var history []*slo.Compliance
	if err := fileOf(c, "history", slo.ReadHistory, &history); err != nil {
		return usage(err)
	}
	_, log, err := audited(c, "slo budget")
	if err != nil {
		return err
	}
	until := time.Now()
	if t := c.Timestamp("until"); t != nil {
		until = *t
	}
	out := slo.BudgetOf(history, until.UTC(), time.Duration(c.Int("window"))*24*time.Hour)
	if log != nil {
		if err := log.Append(out.Events()...); err != nil {
			return err
		}
	}
	if *code = report.ExitClean; out.Empty() && c.Bool("freeze-on-empty") {
		*code = report.ExitFindings
	}
	return writeFormat(c, out)
}

func sloExportCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write objectives for monitoring: as OpenSLO, or as rules of Prometheus",
		Description: "Requests are counted by a histogram of seconds with the labels service and operation;\n" +
			"each target of latency must be the end of one of its buckets.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "slo-file", Value: ".perf/slos.json", Usage: "`FILE` with objectives"},
			&cli.StringFlag{Name: "format", Value: "openslo", Usage: "openslo or prometheus"},
			&cli.StringFlag{Name: "histogram", Value: "http_request_duration_seconds", Usage: "`NAME` of the histogram, without _bucket"},
			&cli.StringFlag{Name: "errors", Value: `code=~"5.."`, Usage: "`LABEL=~VALUE` of its series for requests that failed"},
			&cli.IntFlag{Name: "window", Value: 28, Usage: "`DAYS` of the budget"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
		},
		Action: func(c *cli.Context) error { return sloExport(c, code) },
	}
}

func sloExport(c *cli.Context, code *report.ExitCode) error {
	if err := oneOf("format", c.String("format"), "openslo", "prometheus"); err != nil {
		return usage(err)
	}
	if c.Int("window") < 1 {
		return usage(fmt.Errorf("--window %d: use 1 day or more", c.Int("window")))
	}
	var objectives []slo.Objective
	if err := fileOf(c, "slo-file", slo.Read, &objectives); err != nil {
		return usage(err)
	}
	write := slo.OpenSLO
	if c.String("format") == "prometheus" {
		write = slo.Prometheus
	}
	var text bytes.Buffer
	if err := write(&text, objectives, slo.ExportOptions{Histogram: c.String("histogram"), Errors: c.String("errors"), Days: c.Int("window")}); err != nil {
		return usage(err)
	}
	*code = report.ExitClean
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
}

func sloInitCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "propose objectives from the results of a benchmark",
		Description: "The tier is the fastest that leaves a quarter of room over the upper end of the\n" +
			"interval of the measured p95; the type is by the verb that a case's name begins with.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "results", Usage: "`FILE` with the results of a benchmark"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which must promise nothing yet: .perf/slos.json"},
		},
		Action: func(c *cli.Context) error { return sloInit(c, code) },
	}
}

func sloInit(c *cli.Context, code *report.ExitCode) error {
	path := c.String("output")
	if c.String("results") == "" {
		return usage(errors.New("slo init needs --results FILE"))
	}
	if _, err := os.Lstat(path); path != "" && err == nil && promises(path) {
		return usage(fmt.Errorf("--output %s: the file is there, and what it promises is not replaced", path))
	}
	var run *results.Results
	if err := fileOf(c, "results", results.Read, &run); err != nil {
		return usage(err)
	}
	all, skipped := slo.Propose(run)
	for _, n := range skipped {
		fmt.Fprintf(c.App.ErrWriter, "planvet: %s %s has no p95, and no objective: too few answers\n", report.Printable(n.Service), report.Printable(n.Operation))
	}
	if len(all) == 0 {
		*code = report.ExitInconclusive
		return nil
	}
	*code = report.ExitClean
	return writeTo(c.App.Writer, path, func(w io.Writer) error { return slo.WriteProposal(w, all) })
}

// promises reports whether a file has objectives, or is one that cannot be read, of
// which somebody has to be told.
func promises(path string) bool {
	if !there(path) {
		return false
	}
	var objectives []slo.Objective
	err := fileAt("slo-file", path, slo.Read, &objectives)
	return !errors.Is(err, slo.ErrNone)
}
