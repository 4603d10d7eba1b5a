package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page, planvet.1",
		Description: "planvet man | man -l -  shows it; where man looks for pages, a file of it is found as planvet.1.",
		Flags:       []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"}},
		Action: func(c *cli.Context) error {
			return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
				_, err := io.WriteString(w, manPage(c.App))
				return err
			})
		},
	}
}

// exitCodes are those of all commands.
var exitCodes = [][2]string{
	{"0", "clean"},
	{"1", "findings at or above --fail-on; an objective or a gate is broken"},
	{"2", "a flag, an argument or a config is wrong"},
	{"3", "it could not finish, or with --strict something could not be read"},
	{"4", "inconclusive, where that is not let pass"},
	{"5", "an invalid measurement"},
}

// environment are the variables that no flag lists.
var environment = [][2]string{
	{"PLANVET_CONFIG", "the config, in place of the planvet.yaml that is nearest upward"},
	{"PLANVET_PG_BIN", "the folder of PostgreSQL's programs, for throwaway servers"},
	{"NO_COLOR", "no colours"},
}

// manPage is planvet's manual in roff with the macros of man(7). It has no date and no
// version, so that the same commands give the same page.
func manPage(app *cli.App) string {
	m := &manual{}
	m.macro(".TH PLANVET 1 \"\" planvet \"User Commands\"")
	m.macro(".SH NAME")
	m.text("planvet - " + app.Usage)
	m.macro(".SH SYNOPSIS")
	m.macro(".B planvet")
	m.macro(".I command")
	m.text("[flags] [arguments]")
	m.macro(".SH DESCRIPTION")
	m.text(app.Description)
	m.text("Flags may stand before and after arguments. planvet COMMAND --help says what a command does.")
	m.macro(".SH COMMANDS")
	env := map[string][]string{}
	m.commands("planvet", app.Commands, env)
	m.macro(".SH EXIT STATUS")
	for _, e := range exitCodes {
		m.item(e[0], e[1])
	}
	m.macro(".SH ENVIRONMENT")
	for _, e := range environment {
		m.item(e[0], e[1])
	}
	names := make([]string, 0, len(env))
	for name := range env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(env[name])
		m.item(name, "stands for "+strings.Join(slices.Compact(env[name]), ", "))
	}
	m.macro(".SH FILES")
	m.item("planvet.yaml", "the config; planvet init writes one, planvet config schema prints what it may say")
	m.item(".perf/", "objectives, stored runs, suites of benchmarks, reference documents")
	m.macro(".SH SEE ALSO")
	m.text("https://github.com/planvet/planvet")
	return m.b.String()
}

// manual writes roff.
type manual struct{ b strings.Builder }

func (m *manual) macro(line string) { m.b.WriteString(line + "\n") }

// text writes paragraphs as they are, line by line.
func (m *manual) text(s string) {
	for line := range strings.Lines(s) {
		line = roff(strings.TrimSpace(line))
		// A control character begins no line of text.
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		if line != "" {
			m.macro(line)
		}
	}
}

func (m *manual) item(term, text string) {
	m.macro(".TP")
	m.macro(`\fB` + roff(term) + `\fR`)
	m.text(text)
}

func (m *manual) commands(path string, cs []*cli.Command, env map[string][]string) {
	for _, c := range cs {
		if c.Hidden {
			continue
		}
		name := path + " " + c.Name
		m.macro(".SS \"" + roff(strings.TrimSpace(name+" "+c.ArgsUsage)) + "\"")
		m.text(strings.ToUpper(c.Usage[:1]) + c.Usage[1:] + ".")
		if c.Description != "" {
			m.macro(".PP")
			m.text(c.Description)
		}
		for _, f := range c.VisibleFlags() {
			if slices.Contains(f.Names(), "help") {
				continue
			}
			term, text := flagWords(f)
			m.item(term, text)
			if d, ok := f.(cli.DocGenerationFlag); ok {
				for _, v := range d.GetEnvVars() {
					env[v] = append(env[v], "--"+f.Names()[0])
				}
			}
		}
		m.commands(name, c.Subcommands, env)
	}
}

// flagWords are how a flag is written, and what it is.
func flagWords(f cli.Flag) (term, text string) {
	var names []string
	for _, n := range f.Names() {
		if len(n) == 1 {
			n = "-" + n
		} else {
			n = "--" + n
		}
		names = append(names, n)
	}
	term, text = strings.Join(names, ", "), flagUsage(f)
	if takesOne(f) {
		placeholder := "VALUE"
		if _, rest, ok := strings.Cut(text, "`"); ok {
			placeholder, _, _ = strings.Cut(rest, "`")
		}
		term += " " + placeholder
	}
	text = strings.ReplaceAll(text, "`", "")
	if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() {
		if v := strings.Trim(d.GetValue(), `"`); !slices.Contains([]string{"", "0", "0s", "[]", "false"}, v) {
			text += fmt.Sprintf(" (default: %s)", v)
		}
	}
	return term, text
}

// roff escapes what roff reads as its own: backslashes and hyphens that are copied.
func roff(s string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s) }
