package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules/all"
)

func rulesCommand() *cli.Command {
	format := &cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"}
	return &cli.Command{
		Name:  "rules",
		Usage: "list the rules with their groups; rules show NAME prints a rule's page",
		Flags: []cli.Flag{format},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage(fmt.Errorf("unknown argument %q: planvet rules lists rules, planvet rules show NAME prints one", c.Args().First()))
			}
			if err := oneOf("format", c.String("format"), "text", "json"); err != nil {
				return usage(err)
			}
			if c.String("format") == "json" {
				return report.RulesJSON(c.App.Writer, all.All())
			}
			return report.RulesText(c.App.Writer, all.All())
		},
		Subcommands: []*cli.Command{{
			Name:      "show",
			Usage:     "print a rule's page",
			ArgsUsage: "NAME",
			Action: func(c *cli.Context) error {
				if c.NArg() != 1 {
					return usage(fmt.Errorf("planvet rules show takes one rule's name"))
				}
				name := c.Args().First()
				r := all.Lookup(name)
				if r == nil {
					return usage(fmt.Errorf("unknown rule %q%s; `planvet rules` lists them", name, config.Hint(name, all.Names())))
				}
				return report.RuleText(c.App.Writer, r, report.TextOptions{})
			},
		}},
	}
}
