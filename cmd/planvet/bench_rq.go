package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/reactquery"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/report"
)

func benchProbeCommand() *cli.Command {
	return &cli.Command{
		Name:  "rq-probe",
		Usage: "write the module of JavaScript that times queries of TanStack Query (perf-rq-probe.mjs)",
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 0 {
				return usage(fmt.Errorf("bench rq-probe takes no arguments, got %q", c.Args().First()))
			}
			_, err := io.WriteString(c.App.Writer, reactquery.Probe)
			return err
		},
	}
}

// benchTrace holds what a probe wrote against objectives.
func benchTrace(c *cli.Context, code *report.ExitCode) error {
	for _, flag := range []string{"suite", "iterations", "duration", "closed", "sweep-clients", "max-rps", "baseline", "base-url", "base-dsn", "base-ref"} {
		if c.IsSet(flag) {
			return usage(fmt.Errorf("--rq-trace reads what a page measured, and does not go with --%s", flag))
		}
	}
	err := errors.Join(oneReport(c, "what a page measured"), oneOf("inconclusive", c.String("inconclusive"), "pass", "fail"))
	if err == nil && c.Duration("rq-target") <= 0 {
		err = errors.New("--rq-target: use a positive duration, like 100ms")
	}
	var run *results.Results
	if err == nil {
		err = fileOf(c, "rq-trace", reactquery.Read, &run)
	}
	var objectives []slo.Objective
	if path := c.String("slo-file"); err == nil && path != "" {
		err = fileAt("slo-file", path, slo.Read, &objectives)
	}
	if err != nil {
		return usage(err)
	}
	id, log, err := audited(c, "bench")
	if err != nil {
		return err
	}
	run.CorrelationID = id
	_, run.Commit = audit.Origin("")
	out := slo.Check(reactquery.Objectives(run, objectives, c.Duration("rq-target")), run)
	if log != nil {
		if err := log.Append(out.Events()...); err != nil {
			return err
		}
	}
	if *code = out.Exit("minor", false); *code == report.ExitInconclusive && c.String("inconclusive") == "pass" {
		*code = report.ExitClean
	}
	if file := c.String("results"); file != "" {
		if err := writeTo(nil, file, func(w io.Writer) error { return results.Write(w, run) }); err != nil {
			return err
		}
	}
	if c.Bool("report") {
		return writeTo(c.App.Writer, c.String("output"), out.Markdown)
	}
	return writeFormat(c, out)
}
