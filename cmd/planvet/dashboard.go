package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/dashboard"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

func dashboardCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "dashboard",
		Usage: "draw endpoints, the database, flows and objectives on one page that needs nothing else",
		Description: "The database comes from a history (planvet monitor --history) or from a server now,\n" +
			"or both; endpoints and flows from the results of a benchmark. What was not measured\n" +
			"is said to be so. Nothing on the server is changed or reset.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "history", Usage: "`FILE`, or URL of a PostgreSQL, that planvet monitor --history wrote"},
			targetFlag(),
			&cli.StringFlag{Name: "database-url", Aliases: []string{"conn"}, Usage: "`URL` of the server, to show it now; DATABASE_URL counts where no other source is named"},
			&cli.StringFlag{Name: "results", Usage: "`FILE` with the results of a benchmark"},
			&cli.StringFlag{Name: "slo-file", Usage: "`FILE` with objectives: .perf/slos.json"},
			&cli.StringFlag{Name: "rls-report", Usage: "`FILE` that planvet rls overhead --format json wrote, or planvet explain"},
			&cli.StringFlag{Name: "format", Value: "html", Usage: "html, or the same figures as json, or as Prometheus text for a collector of text files: prometheus"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` (default: planvet-dashboard.html; json goes to standard output)"},
			&cli.StringFlag{Name: "serve", Usage: "show the page at `ADDRESS` (8090, or HOST:PORT; this machine only where there is no host) until interrupted"},
			&cli.DurationFlag{Name: "interval", Usage: "with --serve how often it is refreshed (default: 10s); else read the server twice, `DURATION` apart"},
		}, ownerFlags(), poolerFlags()),
		Action: func(c *cli.Context) error {
			*code = report.ExitClean
			return showDashboard(c)
		},
	}
}

// dashboardURL is the server of the flags; the environment names it only where nothing
// else is shown.
func dashboardURL(c *cli.Context) string {
	if url := c.String("database-url"); url != "" || c.String("history") != "" || c.String("results") != "" {
		return url
	}
	return cmp.Or(os.Getenv("PLANVET_DATABASE_URL"), os.Getenv("DATABASE_URL"))
}

func showDashboard(c *cli.Context) error {
	b := &dashboardBuilder{c: c, interval: c.Duration("interval")}
	url := dashboardURL(c)
	switch {
	case url == "" && c.String("history") == "" && c.String("results") == "":
		return usage(errors.New("dashboard needs a source: --history, --database-url, or --results"))
	case b.interval < 0, c.IsSet("interval") && b.interval < time.Second:
		return usage(fmt.Errorf("--interval %s: use 1s or more", b.interval))
	case url == "" && (c.String("pgbouncer") != "" || c.String("supavisor") != "") && c.String("history") == "":
		return usage(errors.New("--pgbouncer and --supavisor need --database-url"))
	}
	if err := oneOf("format", c.String("format"), "html", "json", "prometheus"); err != nil {
		return usage(err)
	}
	if url != "" {
		b.source = &monitor.Source{
			Connect:  func(ctx context.Context) (*live.Session, error) { return engine.Connect(ctx, url, live.Options{}) },
			Activity: monitor.Activity{Connections: true, Locks: true, Scans: true},
		}
		poolers(c.String("pgbouncer"), c.String("supavisor"), "", &b.source.Activity)
		defer func() { b.source.Close(c.Context) }()
	}
	var err error
	if b.owners, err = codeOwners(c); err != nil {
		return err
	}
	if address := c.String("serve"); address != "" {
		return b.serve(address)
	}
	d, err := b.once()
	if err != nil {
		return err
	}
	path := c.String("output")
	if c.String("format") == "json" {
		return writeTo(c.App.Writer, path, func(w io.Writer) error { return dashboard.JSON(w, d) })
	}
	if c.String("format") == "prometheus" {
		write := func(w io.Writer) error { return dashboard.Prometheus(w, d) }
		if path != "" {
			return replaceFile(path, write)
		}
		return write(c.App.Writer)
	}
	path = cmp.Or(path, "planvet-dashboard.html")
	if err := writeTo(nil, path, func(w io.Writer) error { return dashboard.HTML(w, d, 0) }); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "planvet: wrote %s\n", path)
	return nil
}

// dashboardBuilder makes dashboards of what the flags name.
type dashboardBuilder struct {
	c        *cli.Context
	interval time.Duration
	source   *monitor.Source
	owners   map[string]string
	// course goes on from one dashboard to the next where a server is read; changed is
	// when its history file was, where there is none.
	course  *monitor.Course
	changed time.Time
}

// once makes one dashboard; with an interval, of two readings.
func (b *dashboardBuilder) once() (*dashboard.Dashboard, error) {
	ctx := b.c.Context
	if b.source != nil && b.interval > 0 {
		if err := b.read(ctx); err != nil {
			return nil, err
		}
		select {
		case <-time.After(b.interval):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return b.build(ctx)
}

func (b *dashboardBuilder) serve(address string) error {
	every := cmp.Or(b.interval, 10*time.Second)
	build := func(ctx context.Context) (*dashboard.Dashboard, error) {
		d, err := b.build(ctx)
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(b.c.App.ErrWriter, "planvet: %s\n", report.Redact(oneLine(err)))
		}
		return d, err
	}
	return dashboard.Serve(b.c.Context, address, every, build, func(a net.Addr) {
		fmt.Fprintf(b.c.App.ErrWriter, "planvet: showing http://%s/; interrupt to stop\n", a)
	})
}

// build reads everything that is named, and the server once.
func (b *dashboardBuilder) build(ctx context.Context) (*dashboard.Dashboard, error) {
	in := dashboard.Inputs{Made: time.Now(), Options: monitor.Options{Limits: monitor.DefaultLimits, Owners: b.owners}}
	if err := b.read(ctx); err != nil {
		return nil, err
	}
	in.Course = b.course
	if b.source != nil {
		in.Options.Catalog = b.source.Catalog()
	}
	if err := errors.Join(
		fileOf(b.c, "results", results.Read, &in.Results), fileOf(b.c, "slo-file", slo.Read, &in.Objectives), fileOf(b.c, "rls-report", dashboard.ReadRLS, &in.RLS),
	); err != nil {
		return nil, usage(err)
	}
	return dashboard.Build(in), nil
}

// fileOf reads the file that a flag names, where it names one.
func fileOf[T any](c *cli.Context, flag string, read func(io.Reader) (T, error), to *T) error {
	return fileAt(flag, c.String(flag), read, to)
}

// fileAt reads the file that a flag names, or stands for; nothing where that is "".
func fileAt[T any](flag, path string, read func(io.Reader) (T, error), to *T) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	defer f.Close()
	if *to, err = read(f); err != nil {
		return fmt.Errorf("--%s %s: %w", flag, path, err)
	}
	return nil
}

// read takes the history into the course, and the next reading of the server.
func (b *dashboardBuilder) read(ctx context.Context) error {
	where := b.c.String("history")
	if where != "" && (b.course == nil || b.source == nil) {
		if err := b.replay(ctx, where); err != nil {
			return err
		}
	}
	if b.source == nil {
		return nil
	}
	r, err := b.source.Read(ctx)
	if errors.Is(err, live.ErrNoStatements) {
		return usage(err)
	} else if err != nil {
		return err
	}
	if b.course == nil {
		b.course = &monitor.Course{}
	}
	if last := b.course.Last(); last != nil && last.Server.Where != r.Server.Where {
		return usage(fmt.Errorf("the history is of the database %s, --database-url names %s", last.Server.Where, r.Server.Where))
	}
	b.course.Add(r)
	return nil
}

// replay reads a history, a file only where it has changed.
func (b *dashboardBuilder) replay(ctx context.Context, where string) error {
	if st, err := os.Stat(where); err == nil {
		if b.course != nil && st.ModTime().Equal(b.changed) {
			return nil
		}
		b.changed = st.ModTime()
	}
	h, err := readHistory(ctx, where, b.c.String("target"))
	if err != nil {
		return err
	}
	defer h.Close(ctx)
	course, err := h.Course(ctx)
	if err == nil {
		b.course = course
	}
	return err
}
