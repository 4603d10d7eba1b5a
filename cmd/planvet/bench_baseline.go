package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/baseline"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

func benchBaselineCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "baseline",
		Usage: "keep what runs measured, for runs to come to be held against",
		Subcommands: []*cli.Command{{
			Name:  "update",
			Usage: "add a run to a baseline",
			Description: "Adds the results of planvet bench --results to the runs of a baseline, which keeps\n" +
				"those of each environment. Only from the main branch, unless --force: what a pull\n" +
				"request measures is what is to be judged. Prints how each case moved.",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "results", Value: ".perf/results.json", Usage: "`FILE` with the results of a benchmark"},
				&cli.StringFlag{Name: "baseline", Value: defaultBaseline, Usage: "add them to `FILE`"},
				&cli.IntFlag{Name: "keep", Value: 30, Usage: "keep `N` runs of an environment, at least " + fmt.Sprint(baseline.MinRuns)},
				&cli.StringFlag{Name: "branch", Usage: "`NAME` of the main branch; main or master by default"},
				&cli.BoolFlag{Name: "force", Usage: "update from another branch, too"},
			},
			Action: func(c *cli.Context) error { return updateBaseline(c, code) },
		}},
	}
}

func updateBaseline(c *cli.Context, code *report.ExitCode) error {
	path := c.String("baseline")
	switch {
	case c.Args().Len() > 0:
		return usage(fmt.Errorf("baseline update takes no arguments, got %q", c.Args().First()))
	case c.Int("keep") < baseline.MinRuns:
		return usage(fmt.Errorf("--keep %d: a verdict needs %d runs", c.Int("keep"), baseline.MinRuns))
	}
	if err := onMain(c.String("branch")); err != nil && !c.Bool("force") {
		return usage(fmt.Errorf("%w: --force updates the baseline all the same", err))
	}
	var run *results.Results
	stored := &baseline.File{}
	err := fileOf(c, "results", results.Read, &run)
	if err == nil {
		if err = fileOf(c, "baseline", baseline.Read, &stored); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return usage(err)
	}
	for i := range stored.Runs {
		if stored.Runs[i].Finished.Equal(run.Finished) && stored.Runs[i].CorrelationID == run.CorrelationID {
			return usage(fmt.Errorf("%s: run %s is in it already", path, cmp.Or(run.CorrelationID, run.Finished.String())))
		}
	}
	stored.Add(baseline.Of(run), c.Int("keep"))
	// Whoever is interrupted has the old one or the new one.
	next := path + ".new"
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := writeTo(nil, next, func(w io.Writer) error { return stored.Write(w) }); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	*code = report.ExitClean
	for _, d := range stored.Drift() {
		fmt.Fprintln(c.App.Writer, report.Printable(d.String()))
	}
	fmt.Fprintf(c.App.Writer, "%s: %s\n", path, report.Plural(len(stored.Runs), "run"))
	return nil
}

// onMain says why what is checked out is not the main branch: as a runner says, else git.
func onMain(branch string) error {
	on := cmp.Or(os.Getenv("GITHUB_REF_NAME"), os.Getenv("CI_COMMIT_REF_NAME"))
	if on == "" {
		out, err := exec.Command("git", "symbolic-ref", "--short", "HEAD").Output()
		if err != nil {
			return errors.New("no branch is checked out here")
		}
		on = strings.TrimSpace(string(out))
	}
	mains := []string{"main", "master"}
	if branch != "" {
		mains = []string{branch}
	}
	if !slices.Contains(mains, on) {
		return fmt.Errorf("the branch is %s, a baseline is of %s", on, mains[0])
	}
	return nil
}
