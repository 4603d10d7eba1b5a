package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/report"
)

func rlsCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:        "rls",
		Usage:       "measure what row security costs, and who sees whose rows",
		Subcommands: []*cli.Command{rlsOverheadCommand(code)},
	}
}

// rlsFlags are those of the commands that ask a server about policies.
func rlsFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
		&cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "`URL` of the server; its role must bypass row security"},
		&cli.BoolFlag{Name: "shadow", Usage: "start a throwaway PostgreSQL with the project's schema; the default without --database-url"},
		&cli.Int64Flag{Name: "rows", Value: 10_000, Usage: "rows made in each table of the throwaway PostgreSQL: `N`"},
		&cli.StringSliceFlag{Name: "set", Usage: "session setting that policies read, as `NAME=VALUE`; repeatable"},
		&cli.StringSliceFlag{Name: "table", Usage: "measure this `TABLE` only; repeatable"},
		&cli.DurationFlag{Name: "timeout", Usage: "end a statement after this `TIME`"},
		&cli.StringFlag{Name: "format", Value: explain.FormatText, Usage: "text, json or markdown"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
	}, more...)
}

func rlsOverheadCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "overhead",
		Usage:     "compare each table's policies with the same rows read without them",
		ArgsUsage: "[path]",
		Description: "Runs a select on each table with policies as the role, and the same rows by a role\n" +
			"that bypasses row security with the policies' conditions written into the statement.\n" +
			"On a throwaway PostgreSQL what would make them cheaper is applied and measured too.",
		Flags: rlsFlags(
			&cli.StringFlag{Name: "role", Usage: "measure as `ROLE` (default: authenticated, or one that the policies name)"},
			&cli.StringFlag{Name: "claims", Usage: "JWT claims that policies read, as a `JSON` object"},
			&cli.StringFlag{Name: "sql", Usage: "measure this `SELECT` instead of each table"},
		),
		Action: func(c *cli.Context) error {
			o := explain.TablesOptions{
				Role: c.String("role"), Claims: c.String("claims"), Tables: c.StringSlice("table"), SQL: c.String("sql"), Timeout: c.Duration("timeout"),
			}
			if err := checkClaims(o.Claims); err != nil {
				return err
			}
			out := &explain.OverheadReport{Version: explain.FormatVersion, Tables: []explain.TableOverhead{}}
			err := withPolicyServer(c, func(t rlsTarget) error {
				o.Own, o.Settings, o.Progress = t.own, t.settings, t.progress
				tables, err := explain.MeasureTables(c.Context, t.session, t.cat, o)
				out.Server, out.Where, out.Tables = t.session.Version(), t.where, append(out.Tables, tables...)
				return err
			})
			if err != nil {
				return err
			}
			explain.SortOverheads(out.Tables)
			*code = report.ExitClean
			return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error { return out.Write(w, c.String("format")) })
		},
	}
}

// rlsTarget is a database that is asked about policies.
type rlsTarget struct {
	session  *live.Session
	cat      *catalog.Catalog
	where    string
	own      bool
	settings map[string]string
	progress func(string)
}

// withPolicyServer hands on the named server, or each database of a throwaway one
// with made rows.
func withPolicyServer(c *cli.Context, ask func(rlsTarget) error) (err error) {
	if f := c.String("format"); !slices.Contains([]string{explain.FormatText, explain.FormatJSON, explain.FormatMarkdown}, f) {
		return usage(fmt.Errorf("--format %s: use text, json or markdown", f))
	}
	t := rlsTarget{settings: map[string]string{}}
	for _, s := range c.StringSlice("set") {
		name, v, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return usage(fmt.Errorf("--set %s: write NAME=VALUE", s))
		}
		t.settings[name] = v
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	t.progress = func(what string) { progress.Step(what, 0, 0) }
	if url := c.String("database-url"); url != "" && !c.Bool("shadow") {
		t.where = "the named server"
		return askPolicies(c, url, live.Options{}, t, ask)
	}
	if c.Int64("rows") < 1 {
		return usage(errors.New("--rows: use a positive number"))
	}
	p, err := loaded(c, progress)
	if err != nil {
		return err
	}
	for name, v := range p.Config.Settings {
		if _, given := t.settings[name]; !given {
			t.settings[name] = v
		}
	}
	s, err := p.Shadow(c.Context, engine.ShadowOptions{Rows: c.Int64("rows")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	t.own, t.where = true, "shadow"
	for _, db := range s.Databases {
		if err := askPolicies(c, db.URL, live.Options{Writable: true}, t, ask); err != nil {
			return err
		}
	}
	return nil
}

func askPolicies(c *cli.Context, url string, o live.Options, t rlsTarget, ask func(rlsTarget) error) error {
	s, err := live.Connect(c.Context, url, o)
	switch {
	case errors.Is(err, live.ErrURL):
		return usage(err)
	case err != nil:
		return &engine.Error{Kind: engine.Unfinished, Err: err}
	}
	defer s.Close(c.Context)
	if t.cat, err = s.LoadCatalog(c.Context); err != nil {
		return err
	}
	t.session = s
	return ask(t)
}

// checkClaims refuses claims that no server would take.
func checkClaims(claims string) error {
	var object map[string]any
	if claims != "" && json.Unmarshal([]byte(claims), &object) != nil {
		return usage(errors.New(`--claims: write a JSON object: {"sub": "…"}`))
	}
	return nil
}

