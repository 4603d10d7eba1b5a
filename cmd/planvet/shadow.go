package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
)

func shadowCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "shadow",
		Usage:     "start a throwaway PostgreSQL with the project's schema and print its URL",
		ArgsUsage: "[path]",
		Description: "Applies the migrations and waits until it is interrupted; then the server and all\n" +
			"of its files are gone. Without options the tables are empty.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
			&cli.Int64Flag{Name: "rows", Usage: "make `N` rows in each table, from the schema"},
			&cli.BoolFlag{Name: "plan", Usage: "plan like production: sizes and statistics of the file that planvet.yaml names"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "list what was not applied, and what was left out, one by one"},
		},
		Action: func(c *cli.Context) error {
			o := engine.ShadowOptions{Rows: c.Int64("rows"), Plan: c.Bool("plan")}
			switch {
			case o.Rows < 0:
				return usage(fmt.Errorf("--rows %d: use a positive number", o.Rows))
			case o.Rows > 0 && o.Plan:
				return usage(errors.New("--rows and --plan exclude each other: a database that plans like production has no rows"))
			}
			progress := report.NewProgress(c.App.ErrWriter)
			defer progress.Done()
			p, err := loaded(c, progress)
			if err != nil {
				return err
			}
			return serve(c, p, o, progress, code)
		},
	}
}

// serve starts a shadow, prints where it is, and waits for the interrupt that ends it.
func serve(c *cli.Context, p *engine.Project, o engine.ShadowOptions, progress *report.Progress, code *report.ExitCode) error {
	s, err := p.Shadow(c.Context, o)
	if err != nil {
		return err
	}
	progress.Done()
	printShadow(c, s)
	<-c.Context.Done()
	*code = report.ExitClean
	return s.Stop()
}

func printShadow(c *cli.Context, s *engine.Shadow) {
	for _, db := range s.Databases {
		fmt.Fprintf(c.App.Writer, "%s\n", db.URL)
	}
	w := c.App.ErrWriter
	fmt.Fprintf(w, "PostgreSQL %s; %d not applied, %d left out", s.Version, len(s.NotApplied), len(s.Left))
	if !c.Bool("verbose") && len(s.NotApplied)+len(s.Left) > 0 {
		fmt.Fprint(w, " (--verbose lists them)")
	}
	fmt.Fprintln(w, "; interrupt to stop it")
	if c.Bool("verbose") {
		for _, q := range s.NotApplied {
			fmt.Fprintf(w, "%s:%d: not applied: %s\n", q.Location.Path, q.Location.Line, q.Text)
		}
		for _, l := range s.Left {
			fmt.Fprintf(w, "left out: %s\n", l)
		}
	}
}
