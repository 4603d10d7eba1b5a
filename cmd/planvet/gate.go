package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/baseline"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/launch"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/versions"
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
	if always && !g.live() && !c.IsSet("slo-file") && there(defaultSLOs) {
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

// sides are what is measured side by side.
type sides struct {
	files [2]*suite.File // expanded for each arm
	db    func(arm int) string
	has   map[string]bool // suites that have another version
	a, b  verdict.Side
	notes []string
	renew func(ctx context.Context) error
	stop  func() error
}

// sides finds or makes both versions. written is the file of suites as it was read, f
// expanded; server is what it says to start, nil for none.
func (g *gating) sides(c *cli.Context, written, f *suite.File, server *launch.Server, o *load.Options, progress *report.Progress) (*sides, error) {
	s := &sides{files: [2]*suite.File{f, f}, has: map[string]bool{}, b: verdict.Side{Name: "what the suites name"}, stop: func() error { return nil }}
	switch {
	case g.baseRef != "" && server != nil:
		return s, g.serveRef(c, s, written, server, o.Suites, progress)
	case g.baseRef != "":
		fixtures := slices.Clone(f.DB.Fixture)
		for i := range fixtures {
			if !filepath.IsAbs(fixtures[i]) {
				fixtures[i] = filepath.Join(filepath.Dir(c.String("suite-file")), fixtures[i])
			}
		}
		pair, err := versions.Start(c.Context, versions.Options{Rev: g.baseRef, Fixtures: fixtures, Seed: g.seed, Progress: progress.Step})
		if err != nil {
			return nil, err
		}
		s.db, s.renew, s.stop, s.notes, s.has["db"] = pair.URL, pair.Renew, pair.Stop, pair.Notes, true
		s.a, s.b = verdict.Side{Name: g.baseRef, Commit: pair.Commit}, verdict.Side{Name: "this tree"}
		return s, nil
	}
	before := *f
	if f.API != nil && g.baseURL != "" {
		a := *f.API
		a.BaseURL, before.API, s.has["api"] = g.baseURL, &a, true
	}
	if f.DB != nil && g.baseDSN != "" {
		d := *f.DB
		d.URL, before.DB, s.has["db"] = g.baseDSN, &d, true
	}
	if f.E2E != nil {
		e := *f.E2E
		e.BaseURL, e.DatabaseURL = cmp.Or(g.baseURL, e.BaseURL), cmp.Or(g.baseDSN, e.DatabaseURL)
		before.E2E, s.has["e2e"] = &e, true
	}
	s.files[ab.A] = &before
	s.db = func(arm int) string { return s.files[arm].DB.URL }
	var names []string
	for _, n := range []string{g.baseURL, g.baseDSN} {
		if n != "" {
			names = append(names, report.Redact(n))
		}
	}
	s.a.Name = strings.Join(names, " and ")
	return s, nil
}

// serveRef starts the version before as the file of suites says, that of its revision where
// there is one.
func (g *gating) serveRef(c *cli.Context, s *sides, written *suite.File, server *launch.Server, suites []string, progress *report.Progress) (err error) {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	tree, err := versions.Checkout(c.Context, dir, g.baseRef)
	if err != nil {
		return usage(err)
	}
	var before *launch.Server
	s.stop = func() error { return errors.Join(before.Stop(), tree.Remove()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	path := c.String("suite-file")
	if rel, err := filepath.Rel(dir, path); filepath.IsAbs(path) && err == nil {
		path = rel
	}
	path = filepath.Join(tree.Dir, path)
	serve := written.Serve
	if text, err := os.ReadFile(path); err == nil {
		if own, err := suite.Parse(path, text); err == nil && own.Serve != nil {
			serve = own.Serve
		}
	}
	if before, err = launch.Start(c.Context, serve, launch.Options{Dir: launch.Root(path), Progress: func(line string) { progress.Step(g.baseRef+": "+line, 0, 0) }}); err != nil {
		return fmt.Errorf("%s: %w", g.baseRef, err)
	}
	for _, n := range before.Notes {
		s.notes = append(s.notes, g.baseRef+": "+n)
	}
	if s.files[ab.A], err = written.Expand(before.Values, suites...); err != nil {
		return err
	}
	for _, name := range suites {
		s.has[name] = true
	}
	s.db = func(arm int) string { return s.files[arm].DB.URL }
	first, random := true, mathrand.New(mathrand.NewPCG(g.seed, 0x5e))
	s.renew = func(ctx context.Context) error {
		if first { // both have just started
			first = false
			return nil
		}
		both := []*launch.Server{before, server}
		if random.IntN(2) == 1 { // who starts first has the older process
			slices.Reverse(both)
		}
		for _, one := range both {
			if err := one.Restart(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	s.a, s.b = verdict.Side{Name: g.baseRef, Commit: tree.Commit}, verdict.Side{Name: "this tree"}
	return nil
}

// side measures both versions.
func (g *gating) side(c *cli.Context, written, f *suite.File, server *launch.Server, o *load.Options, progress *report.Progress) (_ *verdict.Report, err error) {
	s, err := g.sides(c, written, f, server, o, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	run := ab.Options{Gate: gate.Options{Threshold: g.threshold, Seed: g.seed}, Iterations: o.Iterations, Renew: s.renew, Progress: remaining(progress)}
	var cases []ab.Case
	var not []verdict.NotCompared
	for _, name := range o.Suites {
		var more []ab.Case
		switch {
		case !s.has[name]:
			not = append(not, verdict.NotCompared{Suite: name, Why: "no other version of it is named"})
		case name == "api":
			more, err = ab.API([2]*suite.API{s.files[ab.A].API, s.files[ab.B].API}, o.CorrelationID)
		case name == "db":
			more, err = ab.DB(f.DB, s.db, o.CorrelationID)
			run.Facts = ab.FactsAt(s.db)
		case name == "e2e":
			more, err = ab.E2E(c.Context, [2]*suite.E2E{s.files[ab.A].E2E, s.files[ab.B].E2E}, o.CorrelationID)
		}
		if err != nil {
			return nil, err
		}
		for i := range more {
			more[i].Reproduce = g.again(c, name, more[i].Name)
		}
		cases = append(cases, more...)
	}
	out, err := ab.Run(c.Context, cases, run)
	if err != nil {
		return nil, err
	}
	out.A, out.B, out.CorrelationID = s.a, s.b, o.CorrelationID
	out.NotCompared, out.Notes = append(out.NotCompared, not...), append(out.Notes, s.notes...)
	return out, nil
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
