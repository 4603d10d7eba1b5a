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
		Usage: "the planner's statistics of a server, sizes and frequencies: dump them, load them",
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
		}, loadCommand(code)},
	}
}

func loadCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "load",
		Usage:     "put a file of stats dump into a throwaway server of planvet's",
		ArgsUsage: "[path]",
		Description: "The database plans like the one that the file is of, and is empty: statistics, the\n" +
			"planner's settings, and files of the same lengths, which take no space. --database-url\n" +
			"is one that `planvet shadow` printed; other servers are refused. With --shadow a server\n" +
			"is started that has the schema of the project at path, and waits for an interrupt.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "the `FILE` to load"},
			&cli.StringFlag{Name: "database-url", Usage: "`URL` that planvet shadow printed"},
			&cli.BoolFlag{Name: "shadow", Usage: "start a server with the project's schema"},
			&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "list what found no place one by one"},
		},
		Action: func(c *cli.Context) error {
			file, url := c.String("file"), c.String("database-url")
			switch {
			case file == "":
				return usage(errors.New("stats load needs --file FILE, which planvet stats dump wrote"))
			case (url == "") == !c.Bool("shadow"):
				return usage(errors.New("stats load needs --database-url, one that planvet shadow printed, or --shadow, and not both"))
			}
			f, err := engine.ReadStatistics(file)
			if err != nil {
				return err
			}
			if c.Bool("shadow") {
				progress := report.NewProgress(c.App.ErrWriter)
				defer progress.Done()
				p, err := loaded(c, progress)
				if err != nil {
					return err
				}
				p.UseStatistics(f)
				return serve(c, p, engine.ShadowOptions{Plan: true}, progress, code)
			}
			left, err := engine.LoadStatistics(c.Context, url, f)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "tables loaded: %d, left out: %d\n", len(f.Tables), len(left))
			for i, l := range left {
				if i > 0 && !c.Bool("verbose") {
					fmt.Fprintf(c.App.Writer, "left out: %d more, --verbose lists them\n", len(left)-1)
					break
				}
				fmt.Fprintf(c.App.Writer, "left out: %s\n", l)
			}
			*code = report.ExitClean
			return nil
		},
	}
}
