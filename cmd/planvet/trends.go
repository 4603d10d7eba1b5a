package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

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
