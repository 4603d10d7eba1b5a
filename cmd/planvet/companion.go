package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/report"
)

func companionCommand(code *report.ExitCode) *cli.Command {
	url := &cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "`URL` of the server"}
	dry := &cli.BoolFlag{Name: "dry-run", Usage: "print the SQL and change nothing"}
	reader := &cli.StringSliceFlag{Name: "reader", Usage: "let `ROLE` read too, beside members of pg_monitor; repeatable"}
	change := func(name, use, text string, flags []cli.Flag, plan func(*cli.Context, *live.Session) (*companion.Change, error)) *cli.Command {
		return &cli.Command{
			Name: name, Usage: use, Description: text, Flags: append([]cli.Flag{url, dry}, flags...),
			Action: func(c *cli.Context) error {
				return onServer(c, func(s *live.Session) error {
					return applyChange(c, s, code, plan)
				})
			},
		}
	}
	return &cli.Command{
		Name:  "companion",
		Usage: "install, upgrade or remove planvet's schema on a server",
		Description: "The schema planvet has functions and views for roles that may read little: what\n" +
			"statements did between snapshots, foreign keys, policies, locks, connections, and\n" +
			"plans as another role. It is the SQL extension planvet, without files on the server\n" +
			"and without superuser. It writes DDL to the server that you name, and\n" +
			"never touches what it did not make.",
		Subcommands: []*cli.Command{
			change("install", "make the schema planvet in a database",
				"Needs the right to create in the database. Members of pg_monitor may read then, and\n"+
					"the roles of --reader. All is made in one transaction.",
				[]cli.Flag{reader}, func(c *cli.Context, s *live.Session) (*companion.Change, error) {
					return companion.Install(c.Context, s, "", c.StringSlice("reader"))
				}),
			change("upgrade", "bring the schema planvet to this planvet's version",
				"Snapshots and readers stay.", nil,
				func(c *cli.Context, s *live.Session) (*companion.Change, error) {
					return companion.Upgrade(c.Context, s)
				}),
			change("remove", "drop what install made, snapshots too",
				"Drops each object by its name and nothing else: what others built on them, or put\n"+
					"beside them, stops it.", nil,
				func(c *cli.Context, s *live.Session) (*companion.Change, error) {
					return companion.Remove(c.Context, s)
				}),
			{
				Name: "status", Usage: "tell what planvet has on a server, and what it would add",
				Description: "Only reads. Tells of the extension as well as of the schema.",
				Flags:       []cli.Flag{url, &cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"}},
				Action: func(c *cli.Context) error {
					format := c.String("format")
					if format != "text" && format != "json" {
						return usage(fmt.Errorf("--format %s: use text or json", format))
					}
					return onServer(c, func(s *live.Session) error {
						st, err := companion.Status(c.Context, s)
						if err != nil {
							return err
						}
						*code = report.ExitClean
						if format == "json" {
							e := json.NewEncoder(c.App.Writer)
							e.SetIndent("", "  ")
							return e.Encode(st)
						}
						printStatus(c.App.Writer, st)
						return nil
					})
				},
			},
		},
	}
}

// onServer runs f in a session on the server that the user named.
func onServer(c *cli.Context, f func(*live.Session) error) error {
	url := c.String("database-url")
	if url == "" {
		return usage(fmt.Errorf("companion %s needs --database-url, or PLANVET_DATABASE_URL", c.Command.Name))
	}
	if c.Args().Present() {
		return usage(fmt.Errorf("companion %s takes no arguments, got %q", c.Command.Name, c.Args().First()))
	}
	s, err := live.Connect(c.Context, url, live.Options{})
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(c.Context))
	return f(s)
}

func applyChange(c *cli.Context, s *live.Session, code *report.ExitCode, plan func(*cli.Context, *live.Session) (*companion.Change, error)) error {
	change, err := plan(c, s)
	if errors.Is(err, companion.ErrRefused) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	*code = report.ExitClean
	if c.Bool("dry-run") {
		if change.SQL == "" {
			fmt.Fprintln(c.App.ErrWriter, "planvet: there is nothing to do")
		}
		_, err := io.WriteString(c.App.Writer, change.SQL)
		return err
	}
	if err := change.Apply(c.Context, s); err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", c.Command.Name, err)
	}
	after, err := companion.Status(c.Context, s)
	if err != nil {
		return err
	}
	if change.SQL == "" {
		fmt.Fprintln(c.App.Writer, "nothing to do")
		return nil
	}
	after.Gains = nil // they are the status command's
	if after.Kind == companion.Absent {
		fmt.Fprintf(c.App.Writer, "planvet is not in database %s any more\n", after.Database)
		return nil
	}
	printStatus(c.App.Writer, after)
	return nil
}

func printStatus(w io.Writer, st *companion.State) {
	at := fmt.Sprintf("database %s (PostgreSQL %s)", st.Database, st.Server)
	switch {
	case st.Kind == companion.Absent:
		fmt.Fprintf(w, "planvet is not in %s\n", at)
	case st.Kind == companion.Foreign:
		fmt.Fprintf(w, "%s has a schema planvet of %s that planvet did not make\n", at, st.Owner)
	case st.Distrusted:
		fmt.Fprintf(w, "planvet %s is in %s as %s of %s, whose functions a superuser does not call\n", st.Version, at, st.Kind, st.Owner)
	case !st.MayUse:
		fmt.Fprintf(w, "planvet %s is in %s as %s of %s; %s may not use it\n", st.Version, at, st.Kind, st.Owner, st.Role)
	default:
		fmt.Fprintf(w, "planvet %s is in %s as %s, owned by %s\n", st.Version, at, st.Kind, st.Owner)
		fmt.Fprintf(w, "readers: %s\n", strings.Join(st.Readers, ", "))
		fmt.Fprintf(w, "snapshots of statements: %d\n", st.Snapshots)
	}
	if st.Statements == "" {
		fmt.Fprintln(w, "pg_stat_statements is not in this database: planvet.snapshot() needs it")
	} else {
		fmt.Fprintf(w, "pg_stat_statements: %s\n", st.Statements)
	}
	if len(st.Others) > 0 {
		fmt.Fprintf(w, "not planvet's: %s\n", strings.Join(st.Others, ", "))
	}
	if len(st.Gains) > 0 {
		fmt.Fprintf(w, "%s\n", gainTitle(st))
		for _, g := range st.Gains {
			fmt.Fprintf(w, "  %s\n", g)
		}
	}
}

// gainTitle says what has to be done for the gains.
func gainTitle(st *companion.State) string {
	switch {
	case st.Kind == companion.Absent:
		return "planvet companion install would add:"
	case st.Distrusted:
		return "connecting as another role would add:"
	case !st.MayUse:
		return "being let in (planvet companion install --reader " + st.Role + ", by its owner) would add:"
	}
	return "upgrading to " + st.Newest + " would add:"
}
