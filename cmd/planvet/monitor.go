package main

import (
	"cmp"
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
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
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

func trendsCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "trends",
		Usage: "show the statements of a history whose mean time changed",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "history", Usage: "`FILE`, or URL of a PostgreSQL, that monitor --json-output wrote"},
			targetFlag(),
			&cli.StringFlag{Name: "snapshots", Usage: "read the snapshots that planvet's companion keeps in the database at this `URL` instead"},
			&cli.Float64Flag{Name: "min-change", Value: monitor.DefaultTrendOptions.Change, Usage: "list changes by at least this `SHARE`"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or markdown"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
		},
		Action: func(c *cli.Context) error {
			*code = report.ExitClean
			return trends(c)
		},
	}
}

func trends(c *cli.Context) error {
	o, where := monitor.DefaultTrendOptions, c.String("history")
	o.Change = c.Float64("min-change")
	switch {
	case where == "" && c.String("snapshots") == "":
		return usage(errors.New("monitor trends needs --history FILE, or the URL of a team's PostgreSQL, or --snapshots URL of a database with planvet's companion"))
	case where != "" && c.String("snapshots") != "":
		return usage(errors.New("--history and --snapshots: read one of them"))
	case o.Change <= 0:
		return usage(fmt.Errorf("--min-change %g: use a positive share: 0.2", o.Change))
	}
	for flag, allowed := range map[string][]string{"format": {"text", "json", "markdown"}, "color": {"auto", "always", "never"}} {
		if err := oneOf(flag, c.String(flag), allowed...); err != nil {
			return usage(err)
		}
	}
	readings, done, err := readingsOf(c)
	if err != nil {
		return err
	}
	defer done()
	t, err := monitor.FindTrends(c.Context, readings, o)
	if err != nil {
		return err
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch c.String("format") {
		case "json":
			return monitor.TrendsJSON(w, t)
		case "markdown":
			return monitor.TrendsMarkdown(w, t)
		}
		return monitor.TrendsText(w, t, report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))})
	})
}

// readingsOf are those of --history, or of the companion that --snapshots names.
func readingsOf(c *cli.Context) (monitor.Readings, func(), error) {
	url := c.String("snapshots")
	if url == "" {
		h, err := readHistory(c.Context, c.String("history"), c.String("target"))
		if err != nil {
			return nil, nil, err
		}
		return h, func() { h.Close(c.Context) }, nil
	}
	s, err := engine.Connect(c.Context, url, live.Options{})
	if err != nil {
		return nil, nil, err
	}
	p, err := monitor.OpenSnapshots(c.Context, s)
	if err != nil {
		s.Close(c.Context)
		if errors.Is(err, monitor.ErrNoSnapshots) {
			err = usage(err)
		}
		return nil, nil, err
	}
	return p, func() { s.Close(c.Context) }, nil
}

// targetFlag names one server of a fleet.
func targetFlag() cli.Flag {
	return &cli.StringFlag{Name: "target", Usage: "with a --history in a PostgreSQL: the server `NAME` of a fleet"}
}

// serverFlags name a server.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "database-url", Aliases: []string{"conn"}, EnvVars: []string{"PLANVET_DATABASE_URL", "DATABASE_URL"}, Usage: "`URL` of the server"},
	}
}

// ownStatementsFlag is of a role that may not see others' statements and knows it.
func ownStatementsFlag() cli.Flag {
	return &cli.BoolFlag{Name: "own-statements", Usage: "count the statements of the role that connects alone: it needs no pg_read_all_stats then"}
}

// ownerFlags say where the code is that sends statements.
func ownerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "code", Usage: "name the file:line that sends each statement, from the project at `PATH`"},
		&cli.StringFlag{Name: "querytrace", Usage: "the same from what querytrace recorded in `FOLDER` (QUERYTRACE_OUT)"},
	}
}

// poolerFlags name the poolers in front of a server.
func poolerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "pgbouncer", EnvVars: []string{"PLANVET_PGBOUNCER_URL"}, Usage: "`URL` of PgBouncer's console: postgres://stats@host:6432/pgbouncer"},
		&cli.StringFlag{Name: "supavisor", EnvVars: []string{"PLANVET_SUPAVISOR_URL"}, Usage: "`URL` of Supavisor's metrics; PLANVET_SUPAVISOR_TOKEN has the token"},
	}
}

// poolers has the pools read of a PgBouncer's console and of Supavisor's metrics, each
// where it is named; without a token the environment's is shown.
func poolers(console, supavisor, token string, a *monitor.Activity) {
	a.Supavisor, a.Token = supavisor, cmp.Or(token, os.Getenv("PLANVET_SUPAVISOR_TOKEN"))
	if console != "" {
		a.PgBouncer = func(ctx context.Context) (*live.Session, error) { return engine.Connect(ctx, console, live.Options{}) }
	}
}

// readHistory opens a history that must be there, of a server without a name or of the
// target of a fleet.
func readHistory(ctx context.Context, where, target string) (*monitor.History, error) {
	if target != "" && !monitor.InDatabase(where) {
		return nil, usage(fmt.Errorf("--target %s: a file is of one server: name the one of this server, like history.%s.jsonl", target, target))
	}
	if _, err := os.Stat(where); err != nil && !strings.Contains(where, "://") {
		return nil, usage(fmt.Errorf("opening the history: %w", err))
	}
	return monitor.OpenTarget(ctx, where, target)
}

// auditFlags are those of commands that measure.
func auditFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "correlation-id", Usage: "`ID` that joins this run with others: pr-123 (default: a new one)"},
		&cli.StringFlag{Name: "audit", Aliases: []string{"dump-audit"}, Usage: "append what was found to `FILE`, a hash-chained log"},
	}
}

// audited reads auditFlags: the run's correlation id, and the log; nil where none was
// asked for.
func audited(c *cli.Context, command string) (string, *audit.Log, error) {
	id := cmp.Or(c.String("correlation-id"), audit.NewID())
	if err := audit.CheckID(id); err != nil {
		return "", nil, usage(err)
	}
	path := c.String("audit")
	if path == "" {
		return id, nil, nil
	}
	actor, commit := audit.Origin("")
	log, err := audit.Open(path, audit.Event{ID: id, Actor: actor, Commit: commit, Command: command})
	return id, log, err
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
