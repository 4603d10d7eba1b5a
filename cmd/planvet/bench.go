package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/launch"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/reactquery"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/report"
)

func benchCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure requests and statements under load",
		Description: "Suites are read from a file: api has HTTP requests, db SQL statements, e2e flows. Requests\n" +
			"arrive at a rate and their latency counts from when they were due; --closed has each\n" +
			"client wait for its answer. Statements run in transactions that are rolled back.\n" +
			"Exits 5 where the run is no measurement: more than 1 % of a case failed, or arrivals\n" +
			"were dropped; 3 where it was interrupted. With --baseline, --slo-file or --base-...\n" +
			"it is a gate, and exits as planvet gate does.",
		Flags: slices.Concat(benchFlags(), []cli.Flag{
			&cli.StringFlag{Name: "sweep-clients", Usage: "measure each case as closed loops of these numbers of `CLIENTS` (1-16, or 1,2,4,8) and find where p95 doubles"},
			&cli.StringFlag{Name: "rq-trace", Usage: "judge what perf-rq-probe.mjs wrote to `FILE`: queries of TanStack Query, from invalidated to settled"},
			&cli.DurationFlag{Name: "rq-target", Value: reactquery.DefaultTarget, Usage: "`TIME` that the p95 of a set of keys has to stay within where --slo-file does not say one"},
			&cli.BoolFlag{Name: "max-rps", Usage: "find the highest rate at which the p95 of a case stays within its target: --target-p95, or that of --slo-file"},
			&cli.DurationFlag{Name: "target-p95", Usage: "`TIME` that the p95 of each case has to stay within for --max-rps, like 80ms"},
		}, gateFlags()),
		Action:      func(c *cli.Context) error { return bench(c, code, false) },
		Subcommands: []*cli.Command{benchBaselineCommand(code), benchMergeCommand(code), benchExportCommand(), benchProbeCommand()},
	}
}

// benchFlags are those that say what is measured, and what is written of it.
func benchFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "suite", Usage: "measure suite `NAME`: api, db or e2e; repeatable; all that the file has by default"},
		&cli.StringFlag{Name: "suite-file", Value: ".perf/suites.yaml", Usage: "read the suites from `FILE`"},
		&cli.IntFlag{Name: "iterations", Usage: "measure `N` requests of each case; by default as many as a p99 needs"},
		&cli.DurationFlag{Name: "duration", Usage: "measure each case for `TIME` instead"},
		&cli.BoolFlag{Name: "closed", Usage: "have each client wait for its answer, whatever the rates"},
		&cli.StringFlag{Name: "results", Usage: "write the results to `FILE`, for planvet dashboard"},
		&cli.BoolFlag{Name: "report", Usage: "write the report as Markdown, where no --output says otherwise"},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT` of the report: " + strings.Join(benchFormats, ", ") + "; json is the results, of a gate its verdicts"},
		&cli.GenericFlag{
			Name: "output", Aliases: []string{"o"}, Value: &texts{},
			Usage: "write the report to `FILE`, in the format of its ending (.md, .html, .xml for junit, .json, .txt), or FORMAT=FILE, or FORMAT to stdout; repeatable",
		},
		&cli.BoolFlag{Name: "comment", Usage: "write the report into one comment of the pull request, by GITHUB_TOKEN"},
		&cli.IntFlag{Name: "pull-request", Usage: "comment on pull request `N`; by default on that which the workflow runs for"},
		&cli.StringFlag{Name: "correlation-id", Usage: "`ID` of the run in headers, application_name and the audit log; a ULID by default"},
		&cli.StringFlag{Name: "audit", Aliases: []string{"dump-audit"}, Usage: "append what was measured to the audit log `FILE`"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`WHEN` to colour: auto, always or never"},
	}
}

func benchOptions(c *cli.Context) (*suite.File, load.Options, error) {
	o := load.Options{Iterations: c.Int("iterations"), Duration: c.Duration("duration"), Closed: c.Bool("closed")}
	// What cannot be written is said before anything is measured.
	if _, err := benchOutputs(c); err != nil {
		return nil, o, err
	}
	if _, err := pullRequest(c); err != nil {
		return nil, o, err
	}
	switch format := c.String("format"); {
	case c.Args().Len() > 0:
		return nil, o, fmt.Errorf("%s takes no arguments, got %q", c.Command.Name, c.Args().First())
	case c.Bool("report") && c.IsSet("format") && format != "markdown":
		return nil, o, fmt.Errorf("--report is Markdown and --format %s is not: use one of them", format)
	case c.IsSet("iterations") && o.Iterations < 1:
		return nil, o, fmt.Errorf("--iterations %d: use 1 or more", o.Iterations)
	case c.IsSet("duration") && o.Duration <= 0:
		return nil, o, errors.New("--duration: use a positive duration, like 30s")
	case o.Iterations > 0 && o.Duration > 0:
		return nil, o, errors.New("--iterations and --duration exclude each other")
	}
	path := c.String("suite-file")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, o, fmt.Errorf("reading the suites: %w", err)
	}
	f, err := suite.Parse(path, text)
	if err != nil {
		return nil, o, err
	}
	wanted := c.StringSlice("suite")
	for _, name := range wanted {
		if !slices.Contains(suite.Names, name) {
			return nil, o, fmt.Errorf("unknown suite %q%s: there are api, db and e2e", name, config.Hint(name, suite.Names))
		} else if !f.Has(name) {
			return nil, o, fmt.Errorf("%s has no suite %s", path, name)
		}
	}
	for _, name := range suite.Names {
		if f.Has(name) && (len(wanted) == 0 || slices.Contains(wanted, name)) {
			o.Suites = append(o.Suites, name)
		}
	}
	if err := only(f, &o, c.StringSlice("case")); err != nil {
		return nil, o, fmt.Errorf("%s: %w", path, err)
	}
	if f.DB != nil && f.Serve == nil && c.String("base-ref") != "" && c.String("slo-file") == "" && c.String("results") == "" && !c.Bool("fail-on-slo") {
		f.DB.URL = "" // both databases are made
	}
	return f, o, nil
}

// only leaves the named cases, and the suites that have one.
func only(f *suite.File, o *load.Options, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	keep := func(name string) bool { return slices.Contains(names, name) }
	o.Suites = slices.DeleteFunc(o.Suites, func(s string) bool {
		n := 0
		switch s {
		case "api":
			for _, k := range f.API.Cases {
				known = append(known, k.Name)
			}
			f.API.Cases = slices.DeleteFunc(f.API.Cases, func(k suite.Request) bool { return !keep(k.Name) })
			n = len(f.API.Cases)
		case "db":
			for _, k := range f.DB.Cases {
				known = append(known, k.Name)
			}
			f.DB.Cases = slices.DeleteFunc(f.DB.Cases, func(k suite.Statement) bool { return !keep(k.Name) })
			n = len(f.DB.Cases)
		case "e2e":
			for _, k := range f.E2E.Flows {
				known = append(known, k.Name)
			}
			f.E2E.Flows = slices.DeleteFunc(f.E2E.Flows, func(k suite.Flow) bool { return !keep(k.Name) })
			n = len(f.E2E.Flows)
		}
		return n == 0
	})
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("no case is named %q%s", name, config.Hint(name, known))
		}
	}
	return nil
}

func bench(c *cli.Context, code *report.ExitCode, always bool) (failed error) {
	if c.String("rq-trace") != "" {
		return benchTrace(c, code)
	}
	f, o, err := benchOptions(c)
	if err != nil {
		return usage(err)
	}
	g, err := gatingOf(c, f, &o, always)
	if err != nil {
		return usage(err)
	}
	stored, objectives, err := g.files(c)
	if err != nil {
		return usage(err)
	}
	if o.TargetP95, err = targets(c, objectives); err != nil {
		return usage(err)
	}
	if (o.TargetP95 != nil || c.String("sweep-clients") != "") && slices.Equal(o.Suites, []string{"e2e"}) {
		return usage(errors.New("--max-rps and --sweep-clients are of suites api and db: a flow is many requests"))
	}
	var log *audit.Log
	if o.CorrelationID, log, err = audited(c, c.Command.Name); err != nil {
		return err
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	written := f
	f, server, err := served(c, f, o.Suites, progress)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, server.Stop()) }()
	o.Progress = remaining(progress)
	if c.String("sweep-clients") != "" {
		if g.asked() {
			return usage(errors.New("--sweep-clients and the flags of a gate exclude each other"))
		}
		return sweepClients(c, f, o, log, progress, code)
	}
	// Side by side first: what a run by itself writes would be in one of both databases.
	var out *verdict.Report
	if g.live() {
		if out, err = g.side(c, written, f, server, &o, progress); err != nil {
			return err
		}
	}
	var r *load.Report
	if g.alone(c) && (out == nil || !out.Partial) {
		if r, err = load.Bench(c.Context, f, o); err != nil {
			return err
		}
	}
	if g.asked() {
		out = g.gated(c, out, r, stored, objectives)
	}
	progress.Done()
	switch *code = report.ExitClean; {
	case out != nil:
		*code = out.Exit
	case !r.Valid():
		*code = report.ExitInvalid
	case r.Partial:
		*code = report.ExitUnfinished
	}
	if err := logged(log, r, out); err != nil {
		return err
	}
	if file := c.String("results"); file != "" && r != nil {
		if err := writeTo(nil, file, func(w io.Writer) error { return results.Write(w, r.Results) }); err != nil {
			return err
		}
	}
	return writeBench(c, r, out)
}

// served starts what a file of suites says, nil where it says nothing, and puts the
// environment's values into the suites, and those of what was started.
func served(c *cli.Context, f *suite.File, suites []string, progress *report.Progress) (*suite.File, *launch.Server, error) {
	path := c.String("suite-file")
	var s *launch.Server
	var values map[string]string
	if f.Serve != nil {
		var err error
		if s, err = launch.Start(c.Context, f.Serve, launch.Options{Dir: launch.Root(path), Progress: func(line string) { progress.Step(line, 0, 0) }}); err != nil {
			return nil, nil, err
		}
		values = s.Values
		for _, n := range s.Notes {
			fmt.Fprintln(c.App.ErrWriter, "planvet: "+n)
		}
	}
	out, err := f.Expand(values, suites...)
	if err != nil {
		return nil, nil, errors.Join(usage(fmt.Errorf("%s, %w", path, err)), s.Stop())
	}
	return out, s, nil
}

// targets are the p95 that cases have to hold for --max-rps; nil where that is not asked.
func targets(c *cli.Context, objectives []slo.Objective) (func(*suite.Case) time.Duration, error) {
	target := c.Duration("target-p95")
	switch {
	case c.IsSet("target-p95") && target <= 0:
		return nil, errors.New("--target-p95: use a positive duration, like 80ms")
	case !c.Bool("max-rps") && c.IsSet("target-p95"):
		return nil, errors.New("--target-p95 is for --max-rps")
	case !c.Bool("max-rps"):
		return nil, nil
	case c.String("sweep-clients") != "" || c.Bool("closed"):
		return nil, errors.New("--max-rps is of open loops: it goes with neither --closed nor --sweep-clients")
	case target == 0 && len(objectives) == 0:
		return nil, errors.New("--max-rps needs a target: --target-p95 TIME, or --slo-file FILE")
	}
	return func(k *suite.Case) time.Duration {
		if target > 0 {
			return target
		}
		for _, o := range objectives {
			if o.Service == k.Service && o.Operation == k.Operation {
				return time.Duration(o.P95Target * float64(time.Millisecond))
			}
		}
		return 0
	}, nil
}

// logged appends what was measured, and what was decided, to an audit log.
func logged(log *audit.Log, r *load.Report, out *verdict.Report) error {
	if log == nil {
		return nil
	}
	var events []audit.Event
	if r != nil {
		events = r.Events()
	}
	if out != nil {
		events = append(events, out.Events()...)
	}
	return log.Append(events...)
}

// remaining shows what is measured, and how long it will take at the pace so far.
func remaining(p *report.Progress) func(what string, done, total int) {
	var mu sync.Mutex // clients tell of their work at the same time
	began := time.Now()
	var current string
	return func(what string, done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if what != current {
			current, began = what, time.Now()
		}
		line := what
		if done > 0 && done < total {
			left := time.Since(began) * time.Duration(total-done) / time.Duration(done)
			line = fmt.Sprintf("%s, %s left", what, left.Round(time.Second))
		}
		p.Step(line, done, total)
	}
}
