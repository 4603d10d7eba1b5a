package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
)

func statsCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "stats",
		Usage: "read the planner's statistics of a server: sizes and frequencies",
		Subcommands: []*cli.Command{{
			Name:  "dump",
			Usage: "write the planner's statistics of a server to a file",
			Description: "Reads pg_class and pg_stats in a read-only transaction. The file has row counts,\n" +
				"sizes, distinct counts, null fractions and frequencies; values of columns are\n" +
				"personal data and are left out without --values. planvet.yaml names the file:\n" +
				"statistics: FILE.",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "`URL` of the server"},
				&cli.BoolFlag{Name: "values", Usage: "write common values and histogram bounds too"},
				&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
			},
			Action: func(c *cli.Context) error {
				url := c.String("database-url")
				if url == "" {
					return usage(errors.New("stats dump needs --database-url, or PLANVET_DATABASE_URL"))
				}
				f, err := engine.DumpStatistics(c.Context, url, c.Bool("values"))
				if err != nil {
					return err
				}
				for _, t := range f.Hidden {
					fmt.Fprintf(c.App.ErrWriter, "planvet: this role may not see all statistics of %s: grant it pg_read_all_data, or select on the table\n", t)
				}
				*code = report.ExitClean
				return writeTo(c.App.Writer, c.String("output"), f.Write)
			},
		}},
	}
}
