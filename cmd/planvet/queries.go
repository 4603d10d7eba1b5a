package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/report"
)

func queriesCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "queries",
		Usage:     "list every statement that was found, and how",
		ArgsUsage: "[path ...]",
		Flags: append(projectFlags(),
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
		),
		Action: func(c *cli.Context) error {
			if err := oneOf("format", c.String("format"), "text", "json"); err != nil {
				return usage(err)
			}
			progress := report.NewProgress(c.App.ErrWriter)
			defer progress.Done()
			p, err := loaded(c, progress)
			if err != nil {
				return err
			}
			progress.Done()
			*code = report.ExitClean
			q := p.Queries()
			doc := &report.Queries{Unresolved: problems(q.Unresolved), Unparsed: problems(q.Unparsed)}
			for _, s := range q.Statements {
				doc.Queries = append(doc.Queries, report.Query{
					Location: s.Location, Source: string(s.Source), Symbol: s.Symbol, Call: s.Call, ResolvedBy: s.ResolvedBy,
					Text: s.Text, Fingerprint: s.Fingerprint, Role: s.Role, InLoop: s.InLoop,
				})
			}
			return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
				if c.String("format") == "json" {
					return report.QueriesJSON(w, doc)
				}
				return report.QueriesText(w, doc, report.TextOptions{})
			})
		},
	}
}
