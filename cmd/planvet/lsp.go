package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/lsp"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

func lspCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "lsp",
		Usage: "serve editors: findings as diagnostics, explained on hover, with fixes and suppressions",
		Description: "Speaks the Language Server Protocol on standard input and output until the editor\n" +
			"ends it. Files are judged when they are saved. docs/editors.md shows how editors start it.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "stdio", Usage: "for editors that say so; there is no other way"},
			&cli.IntFlag{Name: "clientProcessId", Usage: "for editors that pass it; what initialize says counts", Hidden: true},
		},
		Action: func(c *cli.Context) error {
			// Whatever prints by mistake must not get between messages.
			out := c.App.Writer
			if out == os.Stdout {
				stdout := os.Stdout
				os.Stdout = os.Stderr
				defer func() { os.Stdout = stdout }()
			}
			errs := c.App.ErrWriter
			*code = report.ExitCode(lsp.Run(c.Context, os.Stdin, out, lsp.Options{
				Version: version(), Log: errs,
				Remember: func(ctx context.Context, root string, fs []rules.Finding) map[string][]report.Remembered {
					return remembered(ctx, errs, root, fs)
				},
			}))
			return nil
		},
	}
}
