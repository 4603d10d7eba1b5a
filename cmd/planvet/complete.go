package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/scaffold"
	"github.com/planvet/planvet/rules/all"
)

// word is one that may stand somewhere, and what it is, on one line.
type word struct{ text, what string }

// completion is what may stand where a command line ends.
type completion struct {
	values []word
	// files says that a file or a folder may stand there too.
	files bool
}

// complete says what the last of some words may become, all without the program's name.
// It reads the words before as planvet does: commands first, then flags and positionals
// in any order.
func complete(app *cli.App, words []string) completion {
	commands, flags, path := app.Commands, app.Flags, []string(nil)
	var cmd *cli.Command
	var pending cli.Flag
	begun, ended := false, false // positionals, and flags by --
	cur := words[len(words)-1]
	for _, w := range words[:len(words)-1] {
		switch c := findCommand(commands, w); {
		case pending != nil:
			pending = nil
		case ended:
		case w == "--":
			ended = true
		case strings.HasPrefix(w, "-") && w != "-":
			name, _, valued := strings.Cut(strings.TrimLeft(w, "-"), "=")
			if f := flagNamed(flags, name); f != nil && !valued && takesOne(f) {
				pending = f
			}
			begun = true
		case c != nil && !begun:
			cmd, commands, flags, path = c, c.Subcommands, c.Flags, append(path, c.Name)
			if c.SkipFlagParsing {
				return completion{files: true}
			}
		default:
			begun = true
		}
	}
	name, value, valued := strings.Cut(cur, "=")
	switch {
	case pending != nil:
		return valuesOf(path, pending, cur)
	case !ended && strings.HasPrefix(cur, "-") && valued:
		if f := flagNamed(flags, strings.TrimLeft(name, "-")); f != nil && takesOne(f) {
			return valuesOf(path, f, value)
		}
		return completion{}
	case !ended && strings.HasPrefix(cur, "-"):
		return completion{values: matching(flagAnswers(flags), cur)}
	}
	out := positional(cmd, path, cur)
	if !begun {
		out.values = append(matching(commandAnswers(commands), cur), out.values...)
	}
	return out
}

// positional is what may stand as an argument of a command.
func positional(cmd *cli.Command, path []string, cur string) completion {
	switch strings.Join(path, " ") {
	case "":
		return completion{}
	case "rules show":
		return completion{values: matching(ruleAnswers(), cur)}
	case "completion":
		return completion{values: matching(plain(shellNames()), cur)}
	}
	return completion{files: regexp.MustCompile(`path|FILE|DIR|json`).MatchString(cmd.ArgsUsage)}
}

// valuesOf is what may stand as the value of a flag.
func valuesOf(path []string, f cli.Flag, cur string) completion {
	name, what := f.Names()[0], flagUsage(f)
	switch {
	case name == "rules":
		return commaListed(append(groupAnswers(), ruleAnswers()...), cur)
	case name == "output" && path[0] == "check":
		var out []word
		for _, format := range report.FormatNames() {
			out = append(out, word{format + "=", "in a file"}, word{format, "to stdout"})
		}
		return completion{values: matching(out, cur), files: true}
	case name == "without" && path[0] == "init":
		return commaListed(plain(append(slices.Clone(scaffold.Parts), firstCheck)), cur)
	case name == "confirm" && path[0] == "check":
		return completion{values: matching(plain([]string{"shadow", "live"}), cur)}
	case name == "format" && path[0] == "dashboard":
		return completion{values: matching(plain([]string{"html", "json", "prometheus"}), cur)}
	case name == "workflow":
		return completion{values: matching(plain([]string{"github"}), cur)}
	case choosesOne[name]:
		return completion{values: matching(plain(enumerated(what)), cur)}
	}
	return completion{files: strings.Contains(what, "`FILE`") || strings.Contains(what, "`DIR`")}
}

// choosesOne are the flags whose usage lists all that they take.
var choosesOne = map[string]bool{
	"format": true, "color": true, "fail-on": true, "inconclusive": true, "outcome": true, "sort": true,
	"suite": true, "scenario": true, "noise": true, "with": true,
}

// list is a list in words: text, json or markdown.
var list = regexp.MustCompile(`[a-z0-9][a-z0-9-]*(?:, [a-z0-9][a-z0-9-]*)+(?:,? or [a-z0-9][a-z0-9-]*)?|[a-z0-9][a-z0-9-]* or [a-z0-9][a-z0-9-]*`)

// enumerated are the words of the first list in a flag's usage.
func enumerated(usage string) []string {
	found := list.FindString(usage)
	return strings.FieldsFunc(strings.Replace(found, " or ", ", ", 1), func(r rune) bool { return r == ',' || r == ' ' })
}

// commaListed completes the last word of a list with commas, without those that stand there.
func commaListed(all []word, cur string) completion {
	before := ""
	if i := strings.LastIndexByte(cur, ','); i >= 0 {
		before = cur[:i+1]
	}
	var out []word
	for _, a := range all {
		if !slices.Contains(strings.Split(before, ","), a.text) {
			out = append(out, word{before + a.text, a.what})
		}
	}
	return completion{values: matching(out, cur)}
}

func matching(all []word, cur string) []word {
	var out []word
	for _, a := range all {
		if strings.HasPrefix(a.text, cur) {
			out = append(out, a)
		}
	}
	return out
}

func plain(words []string) []word {
	var out []word
	for _, w := range words {
		out = append(out, word{text: w})
	}
	return out
}

func ruleAnswers() []word {
	var out []word
	for _, r := range all.All() {
		out = append(out, word{r.Name, r.Summary})
	}
	return out
}

func groupAnswers() []word {
	out := []word{{all.Everything, "all rules"}}
	for _, g := range all.Groups() {
		out = append(out, word{g.Name, "the group of " + g.Summary})
	}
	return out
}

func commandAnswers(cs []*cli.Command) []word {
	var out []word
	for _, c := range cs {
		if !c.Hidden {
			out = append(out, word{c.Name, c.Usage})
		}
	}
	return out
}

func flagAnswers(fs []cli.Flag) []word {
	var out []word
	for _, f := range fs {
		if v, ok := f.(cli.VisibleFlag); !ok || v.IsVisible() {
			out = append(out, word{"--" + f.Names()[0], strings.ReplaceAll(flagUsage(f), "`", "")})
		}
	}
	return append(out, word{"--help", "say what the command does"})
}

func flagNamed(fs []cli.Flag, name string) cli.Flag {
	for _, f := range fs {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesOne(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func flagUsage(f cli.Flag) string {
	if d, ok := f.(cli.DocGenerationFlag); ok {
		return d.GetUsage()
	}
	return ""
}
