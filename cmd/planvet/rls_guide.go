package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/rlsguide"
	"github.com/planvet/planvet/internal/shadow"
)

func rlsGuideCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "guide",
		Usage: "run the pairs of Supabase's guide to row security, slow form and fast form, on this machine",
		Description: "Starts a throwaway PostgreSQL and takes under a minute. Exits 1 where a pair gains less\n" +
			"than tenfold, or the slow forms do not rank as in the guide.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "postgres", Usage: "major `VERSION` of PostgreSQL, 13 to 18 (default: what is here)"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or markdown"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
		},
		Action: func(c *cli.Context) (err error) {
			if err := checkRLSFormat(c); err != nil {
				return err
			}
			progress := report.NewProgress(c.App.ErrWriter)
			defer progress.Done()
			step := func(what string) { progress.Step(what, 0, 0) }
			srv, err := shadow.Start(c.Context, shadow.Options{Major: c.Int("postgres"), Progress: step})
			if err != nil {
				return fmt.Errorf("starting a throwaway PostgreSQL: %w", err)
			}
			defer func() { err = errors.Join(err, srv.Stop()) }()
			url, err := srv.NewDatabase(c.Context, "planvet_guide")
			if err != nil {
				return err
			}
			rs, version, err := rlsguide.Run(c.Context, url, step)
			if err != nil {
				return err
			}
			progress.Done()
			r := rlsguide.NewReport(rs, version)
			*code = report.ExitClean
			if len(r.Differs) > 0 {
				*code = report.ExitFindings
			}
			return writeRLS(c, r)
		},
	}
}
