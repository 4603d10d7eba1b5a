package main

import (
	"cmp"
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

// auditFlags are those of commands that measure.
func auditFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "correlation-id", Usage: "`ID` that joins this run with others: pr-123 (default: a new one)"},
		&cli.StringFlag{Name: "audit", Aliases: []string{"dump-audit"}, Usage: "append what was found to `FILE`, a hash-chained log"},
	}
}

// audited reads auditFlags: the run's correlation id, and the log; nil where none was
// asked for.
func audited(c *cli.Context, command string) (string, *audit.Log, error) {
	id := cmp.Or(c.String("correlation-id"), audit.NewID())
	if err := audit.CheckID(id); err != nil {
		return "", nil, usage(err)
	}
	path := c.String("audit")
	if path == "" {
		return id, nil, nil
	}
	actor, commit := audit.Origin("")
	log, err := audit.Open(path, audit.Event{ID: id, Actor: actor, Commit: commit, Command: command})
	return id, log, err
}
