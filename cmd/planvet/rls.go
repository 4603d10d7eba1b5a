package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow"
)

func rlsCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:        "rls",
		Usage:       "measure what row security costs, and who sees whose rows",
		Subcommands: []*cli.Command{rlsOverheadCommand(code), rlsMatrixCommand(code), rlsGuideCommand(code)},
	}
}

// rlsFlags are those of the commands that ask a server about policies.
func rlsFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
		&cli.StringFlag{Name: "database-url", Aliases: []string{"conn"}, EnvVars: []string{"PLANVET_DATABASE_URL", "DATABASE_URL"}, Usage: "`URL` of the server; its role must bypass row security"},
		&cli.BoolFlag{Name: "shadow", Usage: "start a throwaway PostgreSQL with the project's schema; the default without --database-url"},
		&cli.Int64Flag{Name: "rows", Value: 10_000, Usage: "rows made in each table of the throwaway PostgreSQL: `N`"},
		&cli.StringFlag{Name: "role", Usage: "measure as `ROLE` (default: authenticated, or one that the policies name)"},
		&cli.GenericFlag{Name: "set", Value: &texts{}, Usage: "session setting that policies read, as `NAME=VALUE`; repeatable"},
		&cli.StringSliceFlag{Name: "table", Usage: "measure this `TABLE` only; repeatable"},
		&cli.StringSliceFlag{Name: "allow-functions", Usage: "functions of a named server that may be called though nobody can tell what they do: `NAME[,NAME]`"},
		&cli.BoolFlag{Name: "allow-remote-analyze", Usage: "run statements on a named server that is not on this machine"},
		&cli.DurationFlag{Name: "timeout", Usage: "end a statement after this `TIME`"},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or markdown"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
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
			o.Vet = vetOf(c)
			out := &explain.OverheadReport{Version: explain.FormatVersion, Tables: []explain.TableOverhead{}}
			err := withPolicyServer(c, func(t rlsTarget) error {
				o.Own, o.Settings, o.Progress = t.own, t.settings, t.progress
				if !t.own {
					o.Estimate = &explain.Estimator{Start: shadow.Options{Progress: t.progress}}
					defer o.Estimate.Close()
				}
				tables, err := explain.MeasureTables(c.Context, t.session, t.cat, o)
				out.Server, out.Where, out.Tables = t.session.Version(), t.where, append(out.Tables, tables...)
				return err
			})
			if err != nil {
				return err
			}
			explain.SortOverheads(out.Tables)
			*code = report.ExitClean
			return writeRLS(c, out)
		},
	}
}

func rlsMatrixCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "matrix",
		Usage:     "try each verb on each table as each identity, and count rows of other tenants",
		ArgsUsage: "[path]",
		Description: "Identities are anon, where it exists, and the role with each --claims. Whose a row is,\n" +
			"the column tells that the policies compare with the session, or --tenant-column.\n" +
			"Exits 1 where a row of another tenant is seen or changed. All writes are rolled back.",
		Flags: rlsFlags(
			&cli.GenericFlag{Name: "claims", Value: &texts{}, Usage: "JWT claims of one identity, as a `JSON` object; repeatable"},
			&cli.StringFlag{Name: "tenant-column", Usage: "`COLUMN[=CLAIM]` that tells whose a row is"},
			&cli.StringSliceFlag{Name: "shared", Usage: "`TABLE` whose rows are meant for other tenants too; repeatable"},
			&cli.BoolFlag{Name: "analyze-writes", Usage: "try writes on a named server too, rolled back, where it is on this machine"},
			&cli.StringFlag{Name: "inconclusive", Value: "pass", Usage: "pass or fail: whether inconclusive cells exit 4"},
		),
		Action: func(c *cli.Context) error {
			o := explain.MatrixOptions{
				Role: c.String("role"), Claims: textsOf(c, "claims"), Tables: c.StringSlice("table"),
				Tenant: c.String("tenant-column"), Shared: c.StringSlice("shared"), Vet: vetOf(c),
			}
			for _, claims := range o.Claims {
				if err := checkClaims(claims); err != nil {
					return err
				}
			}
			if v := c.String("inconclusive"); v != "pass" && v != "fail" {
				return usage(fmt.Errorf("--inconclusive %s: use pass or fail", v))
			}
			out := &explain.Matrix{Version: explain.FormatVersion, Cells: []explain.Cell{}}
			err := withPolicyServer(c, func(t rlsTarget) error {
				o.Own, o.Settings, o.Writes = t.own, t.settings, t.own || c.Bool("analyze-writes")
				cells, err := explain.MeasureMatrix(c.Context, t.session, t.cat, o)
				out.Server, out.Where, out.Cells = t.session.Version(), t.where, append(out.Cells, cells...)
				return err
			})
			if err != nil {
				return err
			}
			switch {
			case out.Leaks() > 0:
				*code = report.ExitFindings
			case out.Open() > 0 && c.String("inconclusive") == "fail":
				*code = report.ExitInconclusive
			default:
				*code = report.ExitClean
			}
			return writeRLS(c, out)
		},
	}
}

func checkRLSFormat(c *cli.Context) error {
	err := errors.Join(oneOf("format", c.String("format"), "text", "json", "markdown"), oneOf("color", c.String("color"), "auto", "always", "never"))
	if err != nil {
		return usage(err)
	}
	return nil
}

// rlsReport is what the subcommands write.
type rlsReport interface {
	Text(w io.Writer, o report.TextOptions) error
	Markdown(w io.Writer) error
	JSON(w io.Writer) error
}

func writeRLS(c *cli.Context, r rlsReport) error {
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch c.String("format") {
		case "json":
			return r.JSON(w)
		case "markdown":
			return r.Markdown(w)
		}
		return r.Text(w, report.TextOptions{Color: report.ColorFor(w, c.String("color")), Width: report.Width(w)})
	})
}

// vetOf is what may run on a named server.
func vetOf(c *cli.Context) live.VetOptions {
	return live.VetOptions{Allow: c.StringSlice("allow-functions"), Foreign: c.Bool("allow-remote-analyze"), Writes: c.Bool("analyze-writes")}
}

// texts is a repeatable flag whose values may hold commas.
type texts []string

// copied is what the library hands from a flag to its aliases, which share the value.
const copied = "\x00"

// Set adds a value.
func (t *texts) Set(v string) error {
	if v != copied {
		*t = append(*t, v)
	}
	return nil
}

// Serialize is what the library copies by.
func (t *texts) Serialize() string { return copied }

func (t *texts) String() string { return strings.Join(*t, " ") }

func textsOf(c *cli.Context, name string) []string {
	if t, ok := c.Generic(name).(*texts); ok {
		return *t
	}
	return nil
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
	if err := checkRLSFormat(c); err != nil {
		return err
	}
	t := rlsTarget{settings: map[string]string{}}
	for _, s := range textsOf(c, "set") {
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
		return askPolicies(c, url, live.Options{Writable: c.Bool("analyze-writes"), Vetted: c.Bool("analyze-writes")}, t, ask)
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
	s, err := engine.Connect(c.Context, url, o)
	if err != nil {
		return err
	}
	defer s.Close(c.Context)
	if !t.own {
		t.where = s.Where()
		if !s.Local() && (c.Bool("analyze-writes") || !c.Bool("allow-remote-analyze")) {
			return usage(errors.New("the server is not on this machine: statements run there with --allow-remote-analyze, and writes not at all"))
		}
	}
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
