package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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
func fleet(c *cli.Context) (*monitor.Fleet, error) {
	var urls []string
	var targets []monitor.Named
	if file := c.String("targets"); file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage(fmt.Errorf("reading the targets: %w", err))
		}
		defer f.Close()
		if targets, err = monitor.ParseTargets(file, f, os.LookupEnv); err != nil {
			return nil, usage(err)
		}
		if len(targets) == 0 {
			return nil, usage(fmt.Errorf("%s names no server", file))
		}
	}
	url := c.String("database-url")
	if c.NArg() == 0 && len(targets) == 0 {
		if url == "" {
			return nil, usage(errors.New("monitor needs --database-url, or DATABASE_URL"))
		}
		targets = []monitor.Named{{URL: url}}
	} else if slices.Contains(c.FlagNames(), "database-url") {
		urls = append(urls, url)
	}
	named, err := monitor.NameTargets(append(urls, c.Args().Slice()...))
	if err != nil {
		return nil, usage(err)
	}
	f, several := &monitor.Fleet{}, len(targets)+len(named) > 1
	if several && (c.String("pgbouncer") != "" || c.String("supavisor") != "") {
		return nil, usage(errors.New("--pgbouncer and --supavisor are those of one server: watch it alone"))
	}
	names := map[string]bool{}
	for _, t := range append(targets, named...) {
		if names[t.Name] {
			return nil, usage(fmt.Errorf("two servers have the name %s", t.Name))
		}
		names[t.Name] = true
		s, err := source(c, t)
		if err != nil {
			f.Close(c.Context)
			return nil, err
		}
		f.Sources = append(f.Sources, s)
	}
	return f, nil
}

// source is one server with what is asked of it.
func source(c *cli.Context, t monitor.Named) (*monitor.Source, error) {
	s := &monitor.Source{Name: t.Name, Connect: func(ctx context.Context) (*live.Session, error) { return engine.Connect(ctx, t.URL, live.Options{}) }}
	s.Activity = monitor.Activity{Connections: c.Bool("pool-stats"), Locks: c.Bool("locks"), Scans: c.String("json-output") != ""}
	poolers(c, &s.Activity)
	where := c.String("json-output")
	if where == "" {
		return s, nil
	}
	if t.Name != "" {
		// A history is of one server.
		if strings.Contains(where, "://") {
			return nil, usage(errors.New("--json-output: a database keeps the history of one server; name a file, which each server gets one like"))
		}
		ext := filepath.Ext(where)
		where = strings.TrimSuffix(where, ext) + "." + strings.NewReplacer("/", "_", ":", "_", "#", "_").Replace(t.Name) + ext
	}
	var err error
	s.History, err = monitor.OpenHistory(c.Context, where)
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
