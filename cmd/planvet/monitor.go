package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/otlp"
	"github.com/planvet/planvet/internal/report"
)

func monitorCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "monitor",
		Usage:     "show what the statements of a database cost, by pg_stat_statements",
		ArgsUsage: "[url ...]",
		Description: "Reads pg_stat_statements in whatever schema it is, and ranks statements. Without\n" +
			"--interval the figures count from the last reset of the counters; with it they are\n" +
			"those between two readings. Nothing on the server is changed or reset.\n" +
			"Several servers are read at once: those of --targets, and URLs as arguments.",
		Flags: slices.Concat(serverFlags(), []cli.Flag{
			&cli.IntFlag{Name: "top", Value: 20, Usage: "show the first `N` statements; 0 shows all"},
			&cli.StringFlag{Name: "sort", Value: "total", Usage: "rank by " + strings.Join(monitor.Sorts, ", ")},
			&cli.DurationFlag{Name: "interval", Usage: "read twice, `DURATION` apart (10s), and show what happened between"},
			&cli.BoolFlag{Name: "watch", Usage: "show each --interval (10s) anew until interrupted: live on a terminal, else a report each"},
			&cli.StringFlag{Name: "targets", Usage: "read the servers of `FILE`: a line has NAME URL, with ${VARIABLE} from the environment"},
			&cli.BoolFlag{Name: "pool-stats", Usage: "show connections by state, and the pools of --pgbouncer and --supavisor"},
			&cli.StringFlag{Name: "listen", Usage: "serve the figures as Prometheus text at `ADDRESS`/metrics (127.0.0.1:9187) until interrupted"},
			ownStatementsFlag(),
			&cli.BoolFlag{Name: "rls-overhead", Usage: "run the SELECTs on tables with policies, as --role and without row security, and show what that costs a call"},
			&cli.StringFlag{Name: "role", Usage: "with --rls-overhead: the `ROLE` that pays (default: authenticated, or one that the policies name)"},
			&cli.StringSliceFlag{Name: "allow-functions", Usage: "with --rls-overhead: functions that may be called though nobody can tell what they do: `NAME[,NAME]`"},
			&cli.BoolFlag{Name: "allow-remote-analyze", Usage: "with --rls-overhead: run statements on a server that is not on this machine"},
			&cli.BoolFlag{Name: "locks", Usage: "show who waits for whom, and deadlocks"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json, csv, markdown or prometheus"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
			&cli.StringFlag{Name: "otlp", Usage: "send the figures since the counters were reset to an OpenTelemetry receiver at `URL` (http://host:4318), or env for that of OTEL_EXPORTER_OTLP_ENDPOINT"},
			&cli.StringFlag{Name: "json-output", Aliases: []string{"history"}, Usage: "append the readings to the history in `FILE`, or in the PostgreSQL at this URL; monitor trends reads it"},
			&cli.StringFlag{Name: "csv-output", Usage: "write the statements to `FILE` as CSV too"},
			&cli.Float64Flag{Name: "primary-key-ms", Value: monitor.DefaultLimits.PrimaryKeyMS, Usage: "flag lookups by key whose mean is over `MS`"},
			&cli.Float64Flag{Name: "range-ms", Value: monitor.DefaultLimits.RangeMS, Usage: "flag range scans whose mean is over `MS`"},
			&cli.Float64Flag{Name: "hit-ratio", Value: monitor.DefaultLimits.HitRatio, Usage: "flag statements that find less than this `SHARE` of their blocks in shared buffers"},
			&cli.Int64Flag{Name: "min-blocks", Value: monitor.DefaultLimits.Blocks, Usage: "ask that only of statements that touched `N` blocks"},
			&cli.Int64Flag{Name: "min-calls", Value: monitor.DefaultLimits.Calls, Usage: "flag times only of statements with `N` calls"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
		}, identityFlags(), ownerFlags(), poolerFlags(), auditFlags()),
		Subcommands: []*cli.Command{trendsCommand(code), slopeCommand(code)},
		Action: func(c *cli.Context) error {
			*code = report.ExitClean
			return watchStatements(c)
		},
	}
}

func monitorOptions(c *cli.Context) (monitor.Options, error) {
	o := monitor.Options{Sort: c.String("sort"), Top: c.Int("top"), Limits: monitor.DefaultLimits}
	o.Limits.PrimaryKeyMS, o.Limits.RangeMS = c.Float64("primary-key-ms"), c.Float64("range-ms")
	o.Limits.HitRatio, o.Limits.Blocks, o.Limits.Calls = c.Float64("hit-ratio"), c.Int64("min-blocks"), c.Int64("min-calls")
	switch {
	case o.Top < 0:
		return o, usage(fmt.Errorf("--top %d: use 0 or more", o.Top))
	case o.Limits.HitRatio < 0 || o.Limits.HitRatio > 1:
		return o, usage(fmt.Errorf("--hit-ratio %g: use a share from 0 to 1", o.Limits.HitRatio))
	case c.Duration("interval") < 0:
		return o, usage(errors.New("--interval: use a positive duration, like 10s"))
	case c.Bool("watch") && c.IsSet("interval") && c.Duration("interval") < time.Second:
		return o, usage(errors.New("--interval: a watch reads once a second at most"))
	case c.Bool("watch") && c.String("listen") != "":
		return o, usage(errors.New("--watch and --listen: a watch shows, --listen serves; use one"))
	case c.Bool("rls-overhead") && (c.Bool("watch") || c.String("listen") != ""):
		return o, usage(errors.New("--rls-overhead runs statements, which a watch and --listen never do: ask for it in a run of its own"))
	case c.String("otlp") != "" && c.String("listen") != "":
		return o, usage(errors.New("--otlp and --listen: the one sends figures, the other is asked for them; use one, and --watch with --otlp to send again and again"))
	case c.String("format") == "prometheus" && (c.Bool("watch") || c.Duration("interval") > 0):
		return o, usage(errors.New("--format prometheus is of counters since their reset, not of an interval: leave --interval and --watch out, or serve it by --listen"))
	case c.Bool("watch") && c.String("format") == "csv":
		return o, usage(errors.New("--watch --format csv: rows of several intervals cannot be told apart; use json, or --csv-output for the last interval"))
	}
	for flag, allowed := range map[string][]string{"sort": monitor.Sorts, "format": {"text", "json", "csv", "markdown", "prometheus"}, "color": {"auto", "always", "never"}} {
		if err := oneOf(flag, c.String(flag), allowed...); err != nil {
			return o, usage(err)
		}
	}
	return o, nil
}

func watchStatements(c *cli.Context) error {
	o, err := monitorOptions(c)
	if err != nil {
		return err
	}
	if o.Owners, err = codeOwners(c); err != nil {
		return err
	}
	f, named, err := fleet(c)
	if err != nil {
		return err
	}
	defer f.Close(context.WithoutCancel(c.Context))
	if c.String("listen") != "" {
		return serveMetrics(c, f, o)
	}
	w := &recorder{c: c, f: f}
	if w.otlp, err = exporter(c); err != nil {
		return err
	}
	f.KeepTotals, f.TotalsTop = w.otlp != nil, o.Top
	if w.id, w.log, err = audited(c, "monitor"); err != nil {
		return err
	}
	if c.Bool("watch") {
		return watch(w, o)
	}
	targets := f.Read(c.Context, o)
	if d := c.Duration("interval"); d > 0 && answered(targets) > 0 {
		select {
		case <-time.After(d):
		case <-c.Context.Done():
			return c.Context.Err()
		}
		targets = f.Read(c.Context, o)
	}
	if err := rowSecurity(c, f, named, targets); err != nil {
		return err
	}
	if err := unread(c, targets); err != nil {
		return err
	}
	if err := w.record(targets); err != nil {
		return err
	}
	write := func(out io.Writer) error { return writeMonitor(c, out, targets, w.id) }
	if c.String("format") == "prometheus" && c.String("output") != "" {
		// A collector of text files reads at any moment.
		err = replaceFile(c.String("output"), write)
	} else {
		err = writeTo(c.App.Writer, c.String("output"), write)
	}
	if err != nil {
		return err
	}
	if err := w.send(targets); err != nil {
		return err
	}
	return blind(targets)
}

// exporter is the OpenTelemetry receiver that --otlp names; nil where none is.
func exporter(c *cli.Context) (*otlp.Exporter, error) {
	endpoint := c.String("otlp")
	if endpoint == "" {
		return nil, nil
	}
	e, err := otlp.New(endpoint, os.Getenv)
	if err != nil {
		return nil, usage(fmt.Errorf("--otlp: %w", err))
	}
	e.Version = version()
	return e, nil
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// recorder keeps what was read where the flags ask for that.
type recorder struct {
	c   *cli.Context
	f   *monitor.Fleet
	id  string
	log *audit.Log
	// screen is set while a live view holds the terminal.
	screen bool
	// otlp, where not nil, gets the figures.
	otlp *otlp.Exporter
	// unsent is what the receiver last said where it did not take them: that ends no
	// watch, in which the next interval has all again.
	unsent error
}

// send sends the figures where that is asked for.
func (w *recorder) send(targets []monitor.Target) error {
	if w.otlp == nil {
		return nil
	}
	return w.otlp.Export(w.c.Context, monitor.Metrics(monitor.SinceReset(targets)...).Metrics())
}

// keepSending is send in a watch: a receiver that does not answer is told once, where
// there is no screen, and again when it says something else.
func (w *recorder) keepSending(targets []monitor.Target) {
	err := w.send(targets)
	if err != nil && w.c.Context.Err() == nil && (w.unsent == nil || w.unsent.Error() != err.Error()) && !w.screen {
		fmt.Fprintf(w.c.App.ErrWriter, "planvet: %v\n", err)
	}
	w.unsent = err
}

func (w *recorder) record(targets []monitor.Target) error {
	for i := range targets {
		t := &targets[i]
		if t.Report == nil {
			continue
		}
		if t.Report.CorrelationID = w.id; w.log == nil {
			continue
		}
		events := t.Report.Events()
		for k := range events {
			if t.Name != "" {
				events[k].Subject = t.Name + ": " + events[k].Subject
			}
		}
		if err := w.log.Append(events...); err != nil {
			return err
		}
	}
	path := w.c.String("csv-output")
	if path == "" {
		return nil
	}
	return writeTo(nil, path, func(out io.Writer) error {
		if targets[0].Name == "" {
			return monitor.CSV(out, targets[0].Report)
		}
		return monitor.FleetCSV(out, targets)
	})
}

// serveMetrics answers scrapes until it is interrupted.
func serveMetrics(c *cli.Context, f *monitor.Fleet, o monitor.Options) error {
	read := func(ctx context.Context) []monitor.Target {
		f.Forget() // a scrape gets counters
		targets := f.Read(ctx, o)
		for i := range targets {
			if t := &targets[i]; t.Report == nil {
				fmt.Fprintf(c.App.ErrWriter, "planvet: %s\n", strings.TrimPrefix(t.Name+": "+t.Error, ": "))
			}
		}
		return targets
	}
	// A mistake in the URL, or a missing extension, is told at once, not at the first scrape.
	if err := unread(c, f.Read(c.Context, o)); err != nil {
		return err
	}
	return monitor.Serve(c.Context, c.String("listen"), read, func(a net.Addr) {
		fmt.Fprintf(c.App.ErrWriter, "planvet: serving http://%s/metrics; interrupt to stop\n", a)
	})
}

func writeMonitor(c *cli.Context, w io.Writer, targets []monitor.Target, id string) error {
	o := report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))}
	format, r := c.String("format"), targets[0].Report
	if format == "prometheus" {
		return monitor.Prometheus(w, targets...)
	}
	if targets[0].Name != "" {
		switch format {
		case "json":
			return monitor.FleetJSON(w, targets, id)
		case "csv":
			return monitor.FleetCSV(w, targets)
		case "markdown":
			return monitor.FleetMarkdown(w, targets)
		}
		return monitor.FleetText(w, targets, o)
	}
	switch format {
	case "json":
		return monitor.JSON(w, r)
	case "csv":
		return monitor.CSV(w, r)
	case "markdown":
		return monitor.Markdown(w, r)
	}
	return monitor.Text(w, r, o)
}
