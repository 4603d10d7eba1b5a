package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

func topQueriesCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "top-queries",
		Usage:     "keep a document of the most expensive statements, with who sends them and what changed",
		ArgsUsage: "[path]",
		Description: "Rewrites what stands between its marks; text around them and the notes of each\n" +
			"statement stay. Owners are found in the code of the project at path. --check looks at\n" +
			"the document's age alone and needs no server, and neither does --workflow github, which\n" +
			"prints what goes into .github/workflows/top-queries.yml.",
		Flags: slices.Concat(serverFlags(), []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "docs/50-ops/TOP_10_QUERIES.md", Usage: "the document, a `FILE`"},
			&cli.IntFlag{Name: "top", Value: 10, Usage: "list `N` statements"},
			&cli.StringFlag{Name: "sort", Value: "total", Usage: "rank by total or mean execution time"},
			ownStatementsFlag(),
			&cli.BoolFlag{Name: "no-owners", Usage: "do not look into the code"},
			&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
			&cli.BoolFlag{Name: "check", Usage: "exit 1 where the document is older than --max-age"},
			&cli.StringFlag{Name: "workflow", Usage: "print a workflow for a `CI`, github, that keeps the document"},
			&cli.DurationFlag{Name: "max-age", Value: 7 * 24 * time.Hour, Usage: "how old the document may be"},
		}),
		Action: func(c *cli.Context) error {
			*code = report.ExitClean
			if err := oneOf("sort", c.String("sort"), "total", "mean"); err != nil {
				return usage(err)
			}
			if c.Int("top") < 1 {
				return usage(fmt.Errorf("--top %d: use a positive number", c.Int("top")))
			}
			if ci := c.String("workflow"); ci != "" {
				if err := oneOf("workflow", ci, "github"); err != nil {
					return usage(err)
				}
				return monitor.Workflow{Document: c.String("output"), Top: c.Int("top"), Sort: c.String("sort"), MaxAge: c.Duration("max-age")}.GitHub(c.App.Writer)
			}
			if c.Bool("check") {
				return checkTopQueries(c, code)
			}
			return updateTopQueries(c)
		},
	}
}

func checkTopQueries(c *cli.Context, code *report.ExitCode) error {
	path := c.String("output")
	doc, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		*code = report.ExitFindings
		fmt.Fprintf(c.App.Writer, "%s is not there: planvet top-queries makes it\n", path)
		return nil
	}
	if err != nil {
		return err
	}
	at, err := monitor.Age(doc)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", path, err))
	}
	age := time.Since(at)
	if age <= c.Duration("max-age") {
		fmt.Fprintf(c.App.Writer, "%s is of %s\n", path, at.Format(time.DateOnly))
		return nil
	}
	*code = report.ExitFindings
	fmt.Fprintf(c.App.Writer, "%s is of %s, %d days old: run planvet top-queries\n", path, at.Format(time.DateOnly), int(age.Hours()/24))
	return nil
}

func updateTopQueries(c *cli.Context) error {
	url := c.String("database-url")
	if url == "" {
		return usage(errors.New("top-queries needs --database-url, or DATABASE_URL; --check needs neither"))
	}
	path := c.String("output")
	doc, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s, err := engine.Connect(c.Context, url, live.Options{})
	if err != nil {
		return err
	}
	defer s.Close(c.Context)
	o := monitor.Options{Sort: c.String("sort"), Top: c.Int("top"), Limits: monitor.DefaultLimits}
	if o.Catalog, err = s.LoadCatalog(c.Context); err != nil {
		return fmt.Errorf("reading the server's schema: %w", err)
	}
	read := monitor.Read
	if c.Bool("own-statements") {
		read = monitor.ReadOwn
	}
	reading, err := read(c.Context, s)
	if errors.Is(err, live.ErrNoStatements) {
		return usage(err)
	} else if err != nil {
		return err
	}
	r := reading.Report(o)
	if err := blind([]monitor.Target{{Report: r}}); err != nil {
		return err
	}
	out, err := monitor.UpdateTop(doc, r, owners(c))
	if errors.Is(err, monitor.ErrDocument) {
		return usage(fmt.Errorf("%s: %w; repair them, or move the file away", path, err))
	} else if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, out, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "planvet: wrote %s\n", path)
	return nil
}

// owners are the places of the code that send each statement. The document is worth
// having without them, so that a project that cannot be read is told and no more.
func owners(c *cli.Context) map[string]string {
	if c.Bool("no-owners") {
		return nil
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	p, err := loaded(c, progress)
	if err != nil {
		progress.Done()
		fmt.Fprintf(c.App.ErrWriter, "planvet: owners are not known: %s\n", report.Redact(oneLine(err)))
		return nil
	}
	return engine.Owners(p)
}
