package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/investigate"
	"github.com/planvet/planvet/internal/report"
)

func investigateCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "investigate",
		Usage:     "follow one slow query or endpoint from its baseline to checked fixes",
		ArgsUsage: "[-]",
		Description: "Five steps in one report under one correlation id: baseline, EXPLAIN, plan, row\n" +
			"security's overhead, fixes. With --url an endpoint is requested, one request after the\n" +
			"other, and what it had the database do is found by pg_stat_statements. Statements are\n" +
			"asked about as planvet explain does.",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "request this `URL` and investigate the statements that it causes"},
			&cli.StringFlag{Name: "method", Value: "GET", Usage: "with --url: HTTP `METHOD`"},
			&cli.StringSliceFlag{Name: "header", Usage: "with --url: `NAME: VALUE`; repeatable"},
			&cli.StringFlag{Name: "body", Usage: "with --url: `TEXT` to send"},
			&cli.IntFlag{Name: "requests", Value: 20, Usage: "with --url: measure `N` requests"},
			&cli.IntFlag{Name: "top", Value: 3, Usage: "with --url: explain the `N` statements that took most time"},
		}, explainFlags()),
		Action: func(c *cli.Context) error {
			if err := investigateSubject(c); err != nil {
				return err
			}
			*code = report.ExitClean
			return nil
		},
	}
}

func investigateOptions(c *cli.Context) (investigate.Options, error) {
	o := investigate.Options{Top: c.Int("top")}
	var err error
	if o.Query, err = explainOptions(c); err != nil {
		return o, err
	}
	o.Query.RLSOverhead = o.Query.Identity.Role != ""
	if c.String("url") == "" {
		return o, nil
	}
	switch {
	case c.IsSet("sql") || c.IsSet("file") || c.IsSet("queryid") || c.Args().Len() > 0:
		return o, errors.New("--url and a statement exclude each other")
	case c.Bool("shadow"):
		return o, errors.New("--url needs the server that the endpoint uses: name it with --database-url instead of --shadow")
	case c.Int("requests") < 1 || o.Top < 1:
		return o, fmt.Errorf("--requests %d, --top %d: use positive numbers", c.Int("requests"), o.Top)
	}
	o.Endpoint = &investigate.Endpoint{
		URL: c.String("url"), Method: c.String("method"), Headers: c.StringSlice("header"), Body: c.String("body"), Requests: c.Int("requests"), Warmup: 2,
	}
	return o, nil
}

func investigateSubject(c *cli.Context) error {
	o, err := investigateOptions(c)
	if err != nil {
		return usage(err)
	}
	return asked(c, "investigate", &o.Query, func() (answer, error) {
		r, err := investigate.Run(c.Context, o)
		if err != nil {
			return answer{}, err
		}
		return answer{r.Events(), func(w io.Writer) error { return writeInvestigated(c, w, r) }}, nil
	})
}

// writeInvestigated writes a report in the format that was asked for.
func writeInvestigated(c *cli.Context, w io.Writer, r *investigate.Report) error {
	switch c.String("format") {
	case "json":
		return investigate.JSON(w, r)
	case "markdown":
		return investigate.Markdown(w, r)
	case "html":
		return investigate.HTML(w, r)
	}
	return investigate.Text(w, r, report.TextOptions{Color: report.ColorFor(w, c.String("color")), Width: report.Width(w)})
}
