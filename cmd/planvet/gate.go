package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/baseline"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

// The files that planvet init writes, and gate reads where nothing else is said.
const (
	defaultBaseline = ".perf/baseline.json"
	defaultSLOs     = ".perf/slos.json"
)

// gateFlags are those that hold what is measured against something.
func gateFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "case", Usage: "measure the case `NAME` alone; repeatable"},
		&cli.StringFlag{Name: "base-url", Usage: "measure suites api and e2e at `URL` too, side by side: the version before"},
		&cli.StringFlag{Name: "base-dsn", Usage: "measure suites db and e2e on the database `URL` too, side by side: the version before"},
		&cli.StringFlag{Name: "base-ref", Usage: "measure git's `REV` and what is here side by side: what the file of suites serves, else suite db on the migrations of both on a throwaway server"},
		&cli.StringFlag{Name: "baseline", Usage: "hold the run against the stored runs in `FILE`"},
		&cli.Float64Flag{Name: "threshold", Value: 10, Usage: "`PERCENT` that a p95 may be slower"},
		&cli.StringFlag{Name: "slo-file", Usage: "hold the run against the objectives in `FILE`"},
		&cli.BoolFlag{Name: "fail-on-slo", Usage: "exit 3 where an objective is broken; of " + defaultSLOs + " unless --slo-file names another file"},
		&cli.StringFlag{Name: "inconclusive", Value: "fail", Usage: "pass or fail: whether an inconclusive case exits 4"},
		&cli.BoolFlag{Name: "force", Usage: "compare with stored runs of another environment, too"},
		&cli.Uint64Flag{Name: "seed", Usage: "`N` that orders the arms; by default another one each time"},
	}
}

func gateCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:  "gate",
		Usage: "fail where a version is slower than the one before, or breaks its objectives",
		Description: "Measures the suites as bench does and holds them against the stored runs of\n" +
			defaultBaseline + ", or measures two versions side by side: --base-url, --base-dsn,\n" +
			"--base-ref. Objectives of " + defaultSLOs + ", where it is there, are checked and fail the\n" +
			"run. Exits 0 where nothing is slower, 1 where something is, 3 where an objective is\n" +
			"broken or the run was interrupted, 4 where it cannot be told, 5 where what was\n" +
			"measured is no measurement.",
		Flags:       slices.Concat(benchFlags(), gateFlags()),
		Action:      func(c *cli.Context) error { return bench(c, code, true) },
		Subcommands: []*cli.Command{selftestCommand(code)},
	}
}

// gating is what the flags of a gate say.
type gating struct {
	baseURL, baseDSN, baseRef string
	baseline, slos            string
	policy                    verdict.Policy
	threshold                 float64
	seed                      uint64
	force                     bool
}

// gatingOf reads the flags. always says that the command is gate, and not bench.
func gatingOf(c *cli.Context, f *suite.File, o *load.Options, always bool) (*gating, error) {
	g := &gating{
		baseURL: c.String("base-url"), baseDSN: c.String("base-dsn"), baseRef: c.String("base-ref"), baseline: c.String("baseline"), slos: c.String("slo-file"),
		policy:    verdict.Policy{SLO: c.Bool("fail-on-slo"), Inconclusive: c.String("inconclusive")},
		threshold: c.Float64("threshold") / 100, seed: c.Uint64("seed"), force: c.Bool("force"),
	}
	if !c.IsSet("seed") {
		var b [8]byte
		rand.Read(b[:])
		g.seed = uint64(binary.LittleEndian.Uint32(b[:]))
	}
	if g.slos == "" && g.policy.SLO {
		g.slos = defaultSLOs
	}
	if always && !g.live() && !c.IsSet("slo-file") && promises(defaultSLOs) {
		g.slos = defaultSLOs
	}
	if always && !c.IsSet("fail-on-slo") {
		g.policy.SLO = g.slos != ""
	}
	if always && g.baseline == "" && !g.live() {
		g.baseline = defaultBaseline
	}
	err := oneOf("inconclusive", g.policy.Inconclusive, "pass", "fail")
	switch {
	case err != nil:
	case !(g.threshold > 0):
		err = fmt.Errorf("--threshold %g: use a percentage over 0", c.Float64("threshold"))
	case g.live() && g.baseline != "":
		err = errors.New("--baseline and --base-url, --base-dsn or --base-ref exclude each other: what is measured side by side needs no stored runs")
	case g.baseRef != "" && g.baseDSN != "":
		err = errors.New("--base-ref and --base-dsn exclude each other: both are the database of the version before")
	case g.live() && o.Duration > 0:
		err = errors.New("--duration and --base-url, --base-dsn or --base-ref exclude each other: the gate says how long it needs; --iterations bounds it")
	case g.baseURL != "" && !slices.Contains(o.Suites, "api") && !slices.Contains(o.Suites, "e2e"):
		err = errors.New("--base-url needs suite api or e2e")
	case g.baseDSN != "" && !slices.Contains(o.Suites, "db") && !slices.Contains(o.Suites, "e2e"):
		err = errors.New("--base-dsn needs suite db or e2e")
	case g.baseRef != "" && g.baseURL != "":
		err = errors.New("--base-ref and --base-url exclude each other: both are the server of the version before")
	case g.baseRef != "" && f.Serve == nil && !slices.Contains(o.Suites, "db"):
		err = errors.New("--base-ref needs suite db, or serve in the file of suites")
	}
	return g, err
}

func there(path string) bool { _, err := os.Stat(path); return err == nil }

// live says that two versions are measured side by side.
func (g *gating) live() bool { return g.baseURL != "" || g.baseDSN != "" || g.baseRef != "" }

// asked says that there is something to hold a run against.
func (g *gating) asked() bool { return g.live() || g.baseline != "" || g.slos != "" }

// alone says that the suites are measured by themselves: not only side by side.
func (g *gating) alone(c *cli.Context) bool {
	return !g.live() || g.slos != "" || c.String("results") != ""
}

// files are the baseline and the objectives.
func (g *gating) files(c *cli.Context) (*baseline.File, []slo.Objective, error) {
	var stored *baseline.File
	var objectives []slo.Objective
	err := fileAt("baseline", g.baseline, baseline.Read, &stored)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: planvet bench baseline update writes one, or use --base-ref, --base-url or --base-dsn", err)
	}
	return stored, objectives, errors.Join(err, fileAt("slo-file", g.slos, slo.Read, &objectives))
}

// again is the command that measures one case again, or all.
func (g *gating) again(c *cli.Context, name, only string) string {
	line := []string{"planvet", c.Command.Name}
	add := func(flag, value string) {
		if value != "" {
			line = append(line, "--"+flag, quoted(report.Redact(value)))
		}
	}
	if c.IsSet("suite-file") {
		add("suite-file", c.String("suite-file"))
	}
	if only != "" {
		add("suite", name)
		add("case", only)
	}
	if name != "db" {
		add("base-url", g.baseURL)
	}
	if name != "api" {
		add("base-dsn", g.baseDSN)
	}
	add("base-ref", g.baseRef)
	add("baseline", g.baseline)
	for _, flag := range []string{"slo-file", "iterations", "duration"} {
		if c.IsSet(flag) {
			add(flag, fmt.Sprint(c.Value(flag)))
		}
	}
	if c.Bool("closed") {
		line = append(line, "--closed")
	}
	if c.IsSet("threshold") {
		add("threshold", fmt.Sprint(c.Float64("threshold")))
	}
	if g.live() {
		add("seed", fmt.Sprint(g.seed))
	}
	return strings.Join(line, " ")
}

// quoted is a word of a shell.
func quoted(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// gated holds what was measured, side by side and by itself, nil where it was not, against
// what the flags name.
func (g *gating) gated(c *cli.Context, out *verdict.Report, r *load.Report, stored *baseline.File, objectives []slo.Objective) *verdict.Report {
	switch {
	case out != nil:
	case stored != nil:
		out = stored.Judge(r.Results, baseline.Options{Threshold: g.threshold, Force: g.force, Invalid: r.Invalid, Only: len(c.StringSlice("case")) > 0})
	default:
		out = alone(r)
	}
	if r != nil {
		out.Results, out.Partial = r.Results, out.Partial || r.Partial
		if g.slos != "" {
			out.SLO = slo.Check(objectives, r.Results)
		}
	}
	for i := range out.Cases {
		if k := &out.Cases[i]; k.Reproduce == "" {
			k.Reproduce = g.again(c, k.Suite, k.Case)
		}
	}
	out.Reproduce = g.again(c, "", "")
	out.Decide(g.policy)
	if r != nil && !r.Valid() {
		out.Exit = verdict.Worst(out.Exit, report.ExitInvalid)
	}
	return out
}

// alone is the report of a run that has nothing but objectives to be held against. What is
// no measurement is a case of its own.
func alone(r *load.Report) *verdict.Report {
	out := (&baseline.File{}).Judge(r.Results, baseline.Options{Threshold: 1, Invalid: r.Invalid})
	out.Mode, out.LowConfidence, out.A, out.Notes = verdict.Alone, false, verdict.Side{}, []string{}
	out.Cases = slices.DeleteFunc(out.Cases, func(k verdict.Case) bool { return k.Verdict != gate.Invalid })
	return out
}
