package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// reorder moves flags before positionals, because the library takes what follows
// the first positional as positionals. What follows -- stays where it is. For
// vet everything after the command belongs to go vet.
func reorder(app *cli.App, args []string) ([]string, error) {
	var cmds []string
	var flags, rest []string
	commands, known := app.Commands, app.Flags
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			if c := findCommand(commands, a); c != nil && len(rest) == 0 && len(flags) == 0 {
				cmds = append(cmds, a)
				commands, known = c.Subcommands, c.Flags
				if c.SkipFlagParsing {
					return append(cmds, args[i+1:]...), nil
				}
				continue
			}
			rest = append(rest, a)
			continue
		}
		flags = append(flags, a)
		if strings.Contains(a, "=") || !takesValue(known, strings.TrimLeft(a, "-")) {
			continue
		}
		if i+1 == len(args) {
			return nil, usage(fmt.Errorf("flag %s needs a value", a))
		}
		i++
		flags = append(flags, args[i])
	}
	return slices.Concat(cmds, flags, rest), nil
}

func findCommand(cs []*cli.Command, name string) *cli.Command {
	for _, c := range cs {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && d.TakesValue()
		}
	}
	return false
}

// oneLine is an error's text on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}
