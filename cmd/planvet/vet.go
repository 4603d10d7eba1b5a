package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/report"
)

// vetCommand is go vet -vettool=planvet for short. Everything after it belongs to
// go vet.
func vetCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:            "vet",
		Usage:           "run planvet under go vet: the same as go vet -vettool=planvet",
		ArgsUsage:       "[go vet flags] [packages]",
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding planvet's own path: %w", err)
			}
			args := append([]string{"vet", "-vettool=" + self}, c.Args().Slice()...)
			cmd := exec.CommandContext(c.Context, "go", args...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.App.Writer, c.App.ErrWriter
			err = cmd.Run()
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit):
				// go vet's own codes: 1 for diagnostics, 2 and more for its usage.
				*code = report.ExitFindings
				if exit.ExitCode() > 1 {
					*code = report.ExitUnfinished
				}
				return nil
			case err != nil:
				return fmt.Errorf("running go vet: %w", err)
			}
			return nil
		},
	}
}
