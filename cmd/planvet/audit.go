package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/report"
)

func auditCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "check a log that --audit wrote",
		Subcommands: []*cli.Command{{
			Name:      "verify",
			Usage:     "check that no line of an audit log was changed, taken out or put in",
			ArgsUsage: "FILE",
			Description: "Each line holds the hash of the line before. Prints how many events there are and\n" +
				"the hash of the last one: who keeps it can tell later that none was cut off.\n" +
				"Exits 1 where the log is not as it was written.",
			Action: func(c *cli.Context) error {
				if c.Args().Len() != 1 {
					return usage(errors.New("audit verify takes one file"))
				}
				path := c.Args().First()
				f, err := os.Open(path)
				if err != nil {
					return usage(fmt.Errorf("opening the audit log: %w", err))
				}
				defer f.Close()
				s, err := audit.Verify(f)
				switch {
				case errors.Is(err, audit.ErrBroken):
					*code = report.ExitFindings
					fmt.Fprintf(c.App.Writer, "%s: %v\n", path, err)
					return nil
				case err != nil:
					return fmt.Errorf("reading %s: %w", path, err)
				}
				fmt.Fprintf(c.App.Writer, "%s: %d events, unbroken; last %s\n", path, s.Events, s.Head)
				return nil
			},
		}},
	}
}
