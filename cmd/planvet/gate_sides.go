package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/launch"
	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/versions"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/revision"
)

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
	tree, err := revision.Checkout(c.Context, dir, g.baseRef)
	if err != nil {
		return usage(fmt.Errorf("--base-ref: %w", err))
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
