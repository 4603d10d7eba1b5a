package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/scaffold"
)

func configCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "what planvet.yaml may say",
		Subcommands: []*cli.Command{{
			Name:  "schema",
			Usage: "print the JSON Schema of planvet.yaml, for editors",
			Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"}},
			Action: func(c *cli.Context) error {
				*code = report.ExitClean
				return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
					_, err := w.Write(scaffold.Schema())
					return err
				})
			},
		}},
	}
}
