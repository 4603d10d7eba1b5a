package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

func benchMergeCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "put the results of one benchmark that ran on several machines together",
		ArgsUsage: "A.json B.json …",
		Description: "Latencies are pooled and rates add up. Runs of other suites, cases, loads or commits\n" +
			"are refused. Exits 5 where one of the runs is no measurement.",
		Flags: append([]cli.Flag{&cli.StringFlag{Name: "results", Usage: "write the merged results to `FILE`"}}, formatFlags()...),
		Action: func(c *cli.Context) error {
			if err := oneOf("format", c.String("format"), "text", "json", "markdown"); err != nil {
				return usage(err)
			}
			if c.Args().Len() < 2 {
				return usage(errors.New("bench merge needs the results of two runs or more"))
			}
			var all []*results.Results
			for _, path := range c.Args().Slice() {
				r, err := resultsAt(path)
				if err != nil {
					return usage(err)
				}
				all = append(all, r)
			}
			merged, err := load.Merge(c.Args().Slice(), all)
			if err != nil {
				return usage(err)
			}
			switch *code = report.ExitClean; {
			case !merged.Valid():
				*code = report.ExitInvalid
			case merged.Partial:
				*code = report.ExitUnfinished
			}
			if file := c.String("results"); file != "" {
				if err := writeTo(nil, file, func(w io.Writer) error { return results.Write(w, merged.Results) }); err != nil {
					return err
				}
			}
			return writeBench(c, merged, nil)
		},
	}
}

func resultsAt(path string) (*results.Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	defer f.Close()
	r, err := results.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
