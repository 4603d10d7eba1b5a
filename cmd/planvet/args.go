package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/config"
)

// reorder moves flags before positionals, because the library takes what follows
// the first positional as positionals. What follows -- stays where it is. For
// vet everything after the command belongs to go vet. Who asks for help gets it,
// whatever else stands there, and "help x" is "x --help".
func reorder(app *cli.App, args []string) ([]string, error) {
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
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
		name, _, valued := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name == "help" || name == "h" {
			return append(cmds, "--help"), nil
		}
		full, takes, err := takesValue(known, name, len(cmds) == 0)
		if err != nil {
			return nil, usage(fmt.Errorf("%w; `%s --help` lists the flags", err, strings.Join(append([]string{"planvet"}, cmds...), " ")))
		}
		// The library takes -o and --output of one command line for a mistake.
		flags = append(flags, "--"+full+strings.TrimPrefix(strings.TrimLeft(a, "-"), name))
		if valued || !takes {
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

// takesValue is a flag's full name and whether it takes a value. It fails on one that
// is not among the command's, or, before any command, not among the library's own.
func takesValue(flags []cli.Flag, name string, top bool) (string, bool, error) {
	var names []string
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return f.Names()[0], ok && d.TakesValue(), nil
		}
		names = append(names, f.Names()...)
	}
	if top {
		names = append(names, "version", "v")
	}
	if slices.Contains(names, name) {
		return name, false, nil
	}
	return "", false, fmt.Errorf("unknown flag %q%s", "--"+name, config.Hint(name, names))
}

// oneLine is an error's text on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}
