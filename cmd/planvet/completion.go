package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/config"
)

//go:embed completion
var completionScripts embed.FS

// shells are those that complete, with the ends of their scripts' names.
var shells = []struct{ name, script string }{
	{"bash", "planvet.bash"}, {"zsh", "planvet.zsh"}, {"fish", "planvet.fish"}, {"powershell", "planvet.ps1"},
}

func shellNames() []string {
	var out []string
	for _, s := range shells {
		out = append(out, s.name)
	}
	return out
}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands, flags, rules and formats: for bash, zsh, fish or powershell",
		ArgsUsage: "SHELL",
		Description: "bash:        source <(planvet completion bash)                       in ~/.bashrc\n" +
			"zsh:         source <(planvet completion zsh)                        in ~/.zshrc, after compinit\n" +
			"fish:        planvet completion fish | source                        in ~/.config/fish/config.fish\n" +
			"PowerShell:  planvet completion powershell | Out-String | Invoke-Expression   in $PROFILE",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage(fmt.Errorf("completion takes one shell: %s", strings.Join(shellNames(), ", ")))
			}
			at := slices.Index(shellNames(), c.Args().First())
			if at < 0 {
				return usage(fmt.Errorf("no completion for %q%s; there is one for %s", c.Args().First(), config.Hint(c.Args().First(), shellNames()), strings.Join(shellNames(), ", ")))
			}
			text, err := completionScripts.ReadFile("completion/" + shells[at].script)
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(text)
			return err
		},
	}
}

// completeCommand answers the scripts: a line for each word that may stand where the last
// one is, a tab and what it is; ":files" where a file may.
func completeCommand() *cli.Command {
	return &cli.Command{
		Name:            "__complete",
		Hidden:          true,
		SkipFlagParsing: true,
		ArgsUsage:       "SHELL word …",
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) < 2 || !slices.Contains(shellNames(), args[0]) {
				return usage(fmt.Errorf("__complete is asked by the scripts of planvet completion"))
			}
			words, prefix := wordsOf(args[0], args[1:])
			found := complete(c.App, words)
			var b strings.Builder
			for _, v := range found.values {
				fmt.Fprintf(&b, "%s%s\t%s\n", prefix, v.text, v.what)
			}
			if found.files {
				b.WriteString(":files\n")
			}
			_, err := io.WriteString(c.App.Writer, b.String())
			return err
		},
	}
}

// wordsOf are the words as planvet would get them, and what a shell wants before each
// answer. bash parts words at "=" and replaces what stands behind it, as zsh is told to;
// the others replace the word.
func wordsOf(shell string, words []string) (whole []string, prefix string) {
	last := len(words) - 1
	switch shell {
	case "powershell":
		words = slices.Clone(words)
		words[last] = strings.TrimPrefix(words[last], "=")
		fallthrough
	case "fish":
		if name, _, ok := strings.Cut(words[last], "="); ok && strings.HasPrefix(name, "-") {
			prefix = name + "="
		}
		return words, prefix
	case "bash":
		for i := 0; i < len(words); i++ {
			n := len(whole)
			if words[i] == "=" && n > 0 && strings.HasPrefix(whole[n-1], "-") {
				whole[n-1] += "="
				if i < last {
					i++
					whole[n-1] += words[i]
				}
				continue
			}
			whole = append(whole, words[i])
		}
		return whole, ""
	}
	return words, ""
}
