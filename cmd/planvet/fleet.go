package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// fleet is what the flags and arguments name: one server without a name, or several.
// --database-url counts beside others where it is given, not where it comes from the
// environment.
func fleet(c *cli.Context) (*monitor.Fleet, []monitor.Named, error) {
	targets, err := targetsOf(c)
	if err != nil {
		return nil, nil, usage(err)
	}
	f, several := &monitor.Fleet{}, len(targets) > 1
	for _, flag := range []string{"pgbouncer", "supavisor"} {
		if several && c.IsSet(flag) && slices.Contains(c.FlagNames(), flag) {
			return nil, nil, usage(fmt.Errorf("--%s is of one server and there are %d: write %s=URL behind each server's URL in the file of --targets", flag, len(targets), flag))
		}
	}
	for i := range targets {
		t := &targets[i]
		if !several { // the environment's are those of one server
			t.PgBouncer, t.Supavisor = cmp.Or(t.PgBouncer, c.String("pgbouncer")), cmp.Or(t.Supavisor, c.String("supavisor"))
		}
		s, err := source(c, *t)
		if err != nil {
			f.Close(c.Context)
			return nil, nil, err
		}
		f.Sources = append(f.Sources, s)
	}
	return f, targets, nil
}

// targetsOf are the servers that the flags and arguments name, each with another name.
func targetsOf(c *cli.Context) ([]monitor.Named, error) {
	var urls []string
	var targets []monitor.Named
	if file := c.String("targets"); file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading the targets: %w", err)
		}
		defer f.Close()
		if targets, err = monitor.ParseTargets(file, f, os.LookupEnv); err != nil {
			return nil, err
		}
		if len(targets) == 0 {
			return nil, fmt.Errorf("%s names no server", file)
		}
	}
	url := c.String("database-url")
	if c.NArg() == 0 && len(targets) == 0 {
		if url == "" {
			return nil, errors.New("monitor needs --database-url, or DATABASE_URL")
		}
		targets = []monitor.Named{{URL: url}}
	} else if slices.Contains(c.FlagNames(), "database-url") {
		urls = append(urls, url)
	}
	named, err := monitor.NameTargets(append(urls, c.Args().Slice()...))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	targets = append(targets, named...)
	for _, t := range targets {
		if names[t.Name] {
			return nil, fmt.Errorf("two servers have the name %s", t.Name)
		}
		names[t.Name] = true
	}
	return targets, nil
}

// source is one server with what is asked of it.
func source(c *cli.Context, t monitor.Named) (*monitor.Source, error) {
	s := &monitor.Source{Name: t.Name, Connect: func(ctx context.Context) (*live.Session, error) { return engine.Connect(ctx, t.URL, live.Options{}) }}
	s.Own = c.Bool("own-statements")
	s.Activity = monitor.Activity{Connections: c.Bool("pool-stats"), Locks: c.Bool("locks"), Scans: c.String("json-output") != ""}
	poolers(t.PgBouncer, t.Supavisor, t.Token, &s.Activity)
	where := c.String("json-output")
	if where == "" {
		return s, nil
	}
	var err error
	s.History, err = monitor.OpenTarget(c.Context, where, t.Name)
	return s, err
}

// codeOwners are the places that send each statement, from the code and from records
// of tests, the former first.
func codeOwners(c *cli.Context) (map[string]string, error) {
	owners := map[string]string{}
	if dir := c.String("querytrace"); dir != "" {
		traced, err := monitor.ReadTraces(dir)
		if err != nil {
			return nil, usage(err)
		}
		maps.Copy(owners, traced)
	}
	if path := c.String("code"); path != "" {
		progress := report.NewProgress(c.App.ErrWriter)
		defer progress.Done()
		p, err := engine.Open(engine.Options{Paths: []string{path}, Progress: progress.Step})
		if err != nil {
			return nil, err
		}
		if err := p.Load(c.Context); err != nil {
			return nil, err
		}
		maps.Copy(owners, engine.Owners(p))
	}
	return owners, nil
}

func answered(targets []monitor.Target) int {
	n := 0
	for i := range targets {
		if targets[i].Report != nil {
			n++
		}
	}
	return n
}

// blind is the error where a role may not see the statements of others, and was not
// asked for its own alone: its figures are not what the server does.
func blind(targets []monitor.Target) error {
	var lines []string
	for i := range targets {
		t := &targets[i]
		if t.Report != nil && t.Report.Blind() != "" {
			lines = append(lines, strings.TrimPrefix(t.Name+": ", ": ")+t.Report.Blind())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return usage(fmt.Errorf("%s; --own-statements is content with its own", strings.Join(lines, "; ")))
}

// unread is the error where no server was read; where some were, the others are told.
func unread(c *cli.Context, targets []monitor.Target) error {
	failed := len(targets) - answered(targets)
	if len(targets) == 1 && failed == 1 && errors.Is(targets[0].Err(), live.ErrNoStatements) {
		return usage(targets[0].Err())
	} else if len(targets) == 1 {
		return targets[0].Err()
	}
	for i := range targets {
		if t := &targets[i]; t.Report == nil {
			fmt.Fprintf(c.App.ErrWriter, "planvet: %s was not read: %s\n", t.Name, t.Error)
		}
	}
	if failed == len(targets) {
		return fmt.Errorf("none of %d servers could be read", failed)
	}
	return nil
}
