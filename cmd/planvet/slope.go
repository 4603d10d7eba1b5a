package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/slope"
)

func slopeCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "slope",
		Usage:     "run a flow over two numbers of items and find statements that run once for each",
		ArgsUsage: "[path]",
		Description: "Runs the command of --flow once for each size, with the size in PLANVET_ITEMS, and\n" +
			"counts by pg_stat_statements which statements were called more often. The command\n" +
			"must make its items itself, or find them made, and the server must have nothing else\n" +
			"to do meanwhile. Exits 1 where a statement is called once for each item. Places in\n" +
			"the code come from the project at path.",
		Flags: slices.Concat(serverFlags(), []cli.Flag{
			&cli.StringFlag{Name: "flow", Usage: "`COMMAND` of the shell that runs the flow: curl -s localhost:8080/visits?n=$PLANVET_ITEMS"},
			&cli.StringFlag{Name: "sizes", Value: "2,20", Usage: "numbers of items, `N,M`: more than any page or batch of the flow"},
			&cli.Float64Flag{Name: "limit", Value: slope.Limit, Usage: "calls an `ITEM` that count as one for each"},
			&cli.BoolFlag{Name: "no-owners", Usage: "do not look into the code"},
			&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
		}, auditFlags()),
		Action: func(c *cli.Context) error { return slopes(c, code) },
	}
}

// sizes are the numbers of items of --sizes.
func sizes(text string) ([]int, error) {
	var out []int
	for _, s := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("--sizes %s: write positive numbers: 2,20", text)
		}
		out = append(out, n)
	}
	if _, err := slope.Sizes(out); err != nil {
		return nil, fmt.Errorf("--sizes %s: %w", text, err)
	}
	return out, nil
}

func slopes(c *cli.Context, code *report.ExitCode) error {
	if err := errors.Join(oneOf("format", c.String("format"), "text", "json"), oneOf("color", c.String("color"), "auto", "always", "never")); err != nil {
		return usage(err)
	}
	items, err := sizes(c.String("sizes"))
	if err != nil {
		return usage(err)
	}
	if c.String("flow") == "" {
		return usage(errors.New("monitor slope needs --flow COMMAND"))
	}
	id, log, err := audited(c, "monitor slope")
	if err != nil {
		return err
	}
	url := c.String("database-url")
	if url == "" {
		return usage(errors.New("monitor slope needs --database-url, or DATABASE_URL"))
	}
	s, err := source(c, monitor.Named{URL: url})
	if err != nil {
		return err
	}
	defer s.Close(c.Context)
	var runs []monitor.FlowRun
	for _, n := range items {
		run, err := flowRun(c, s, n, id)
		if errors.Is(err, live.ErrNoStatements) {
			return usage(err)
		} else if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	found, err := monitor.Slopes(runs, c.Float64("limit"))
	if err != nil {
		return err
	}
	r := found.Report(owners(c))
	r.CorrelationID = id
	if log != nil {
		if err := log.Append(r.Events()...); err != nil {
			return err
		}
	}
	if *code = report.ExitClean; r.Failed {
		*code = report.ExitFindings
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		if c.String("format") == "json" {
			return report.WriteJSON(w, r)
		}
		return monitor.SlopeText(w, r, report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))})
	})
}

// flowRun runs the flow over n items between two readings.
func flowRun(c *cli.Context, s *monitor.Source, n int, id string) (monitor.FlowRun, error) {
	out := monitor.FlowRun{Items: n}
	before, err := s.Read(c.Context)
	if err != nil {
		return out, err
	}
	cmd := exec.CommandContext(c.Context, "sh", "-c", c.String("flow"))
	cmd.Env = append(os.Environ(), fmt.Sprintf("PLANVET_ITEMS=%d", n), "PLANVET_CORRELATION_ID="+id)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if err := cmd.Run(); err != nil {
		return out, fmt.Errorf("the flow over %d items: %w: %s", n, err, lastLine(said.String()))
	}
	after, err := s.Read(c.Context)
	if err != nil {
		return out, err
	}
	out.Delta = monitor.Between(before.Statements, after.Statements)
	return out, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
