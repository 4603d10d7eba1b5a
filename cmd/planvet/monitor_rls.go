package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// rowSecurity measures what row security costs those statements of the reports that
// read tables with policies, where --rls-overhead asks for it: one after the other, as
// planvet explain --rls-overhead does, in READ ONLY transactions. What keeps one from
// being measured stands in its place.
func rowSecurity(c *cli.Context, f *monitor.Fleet, named []monitor.Named, targets []monitor.Target) error {
	if !c.Bool("rls-overhead") {
		for _, flag := range []string{"role", "claims", "set", "allow-functions", "allow-remote-analyze"} {
			if c.IsSet(flag) {
				return usage(fmt.Errorf("--%s is of --rls-overhead, which is not given", flag))
			}
		}
		return nil
	}
	o := explain.Options{Runs: 1, RLSOverhead: true, NoAdvice: true, AllowRemote: c.Bool("allow-remote-analyze"), AllowFunctions: c.StringSlice("allow-functions")}
	claims, settings, err := readIdentity(c)
	if err != nil {
		return usage(err)
	}
	if claims != "" {
		settings["request.jwt.claims"] = claims
	}
	o.Identity = explain.Identity{Role: c.String("role"), Settings: settings}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	for i := range targets {
		if targets[i].Report == nil {
			continue
		}
		secured := targets[i].Report.Secured(f.Sources[i].Catalog())
		for k, q := range secured {
			progress.Step("measuring row security", k, len(secured))
			o.URL, o.SQL = named[i].URL, q.SQL
			if q.RLS, err = rlsCost(c, o); err != nil {
				return err
			}
		}
		if len(secured) == 0 {
			targets[i].Report.Notes = append(targets[i].Report.Notes, "none of these statements reads a table whose policies are in force: there is no row security to measure")
		}
	}
	return nil
}

func rlsCost(c *cli.Context, o explain.Options) (*monitor.RLSCost, error) {
	r, err := explain.Explain(c.Context, o)
	if ctxErr := c.Context.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	out := &monitor.RLSCost{Role: o.Identity.Role}
	var wrong *explain.Usage
	if err != nil {
		// Of a text that pg_stat_statements normalised a mistake is nobody's.
		if errors.As(err, &wrong) {
			err = wrong.Err
		}
		out.Problem = report.Redact(oneLine(err))
		return out, nil
	}
	m := r.RLS
	out.Role, out.EnforcedMS, out.IdealMS, out.Problem = m.Role, m.Enforced.MS, m.Ideal.MS, m.Problem
	if m.SameRows {
		out.MS, out.Ratio = &m.MS, &m.Ratio
	}
	for _, p := range m.Policies {
		for _, f := range p.Functions {
			if f.Evaluated == explain.PerRow && !slices.Contains(out.PerRow, f.Function) {
				out.PerRow = append(out.PerRow, f.Function)
			}
		}
	}
	return out, nil
}
