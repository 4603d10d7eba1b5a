package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/k6"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
)

func benchExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write suites as a script of another load tool",
		Description: "The script of k6 has the arrival rates of the suites api and e2e, one case after the\n" +
			"other, and objectives as thresholds. ${NAME} is taken from k6's environment.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "k6", Usage: "write a script of k6, the one format that there is"},
			&cli.StringSliceFlag{Name: "suite", Usage: "write suite `NAME`: api or e2e; repeatable; all that the file has by default"},
			&cli.StringFlag{Name: "suite-file", Value: ".perf/suites.yaml", Usage: "read the suites from `FILE`"},
			&cli.StringFlag{Name: "slo-file", Usage: "objectives for thresholds in `FILE`"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the script to `FILE`"},
		},
		Action: benchExport,
	}
}

func benchExport(c *cli.Context) error {
	if c.Args().Len() > 0 {
		return usage(fmt.Errorf("bench export takes no arguments, got %q", c.Args().First()))
	}
	path := c.String("suite-file")
	text, err := os.ReadFile(path)
	if err != nil {
		return usage(fmt.Errorf("reading the suites: %w", err))
	}
	f, err := suite.Parse(path, text)
	if err != nil {
		return usage(err)
	}
	names := c.StringSlice("suite")
	for _, name := range names {
		if !slices.Contains(suite.Names, name) || !f.Has(name) {
			return usage(fmt.Errorf("%s has no suite %s", path, name))
		}
	}
	if len(names) == 0 {
		names = suite.Names
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !f.Has(name) })
	}
	var objectives []slo.Objective
	if c.String("slo-file") != "" {
		if err := fileOf(c, "slo-file", slo.Read, &objectives); err != nil {
			return usage(err)
		}
	}
	var out bytes.Buffer
	left, err := k6.Write(&out, f, names, objectives)
	for _, l := range left {
		fmt.Fprintln(c.App.ErrWriter, "planvet: "+l)
	}
	if err != nil {
		return usage(fmt.Errorf("%s: %w", path, err))
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		_, err := out.WriteTo(w)
		return err
	})
}
