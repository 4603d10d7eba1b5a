package main

import (
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/report"
)

// sweepClients measures the suites under more and more clients.
func sweepClients(c *cli.Context, f *suite.File, o load.Options, log *audit.Log, progress *report.Progress, code *report.ExitCode) error {
	clients, err := load.ParseClients(c.String("sweep-clients"))
	switch {
	case err != nil:
		return usage(err)
	case c.String("results") != "":
		return usage(errors.New("--sweep-clients and --results: a sweep is no run that others are compared with; --format json --output FILE keeps it"))
	}
	if err := oneReport(c, "a sweep"); err != nil {
		return usage(err)
	}
	s, err := load.SweepClients(c.Context, f, o, clients)
	if err != nil {
		return err
	}
	progress.Done()
	*code = report.ExitClean
	switch {
	case !s.Valid():
		*code = report.ExitInvalid
	case s.Partial:
		*code = report.ExitUnfinished
	}
	if log != nil {
		if err := log.Append(s.Events()...); err != nil {
			return err
		}
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch {
		case c.String("format") == "json":
			return s.JSON(w)
		case c.Bool("report") || c.String("format") == "markdown":
			return s.Markdown(w)
		}
		return s.Text(w, report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))})
	})
}
