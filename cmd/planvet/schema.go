package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
)

func schemaCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "schema",
		Usage:     "print the catalog that the migrations, or a server, give",
		ArgsUsage: "[path ...]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "read `FILE` instead of the planvet.yaml that is found"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
			&cli.StringFlag{Name: "database", Usage: "the database to print, where a project has several"},
			&cli.StringFlag{Name: "database-url", EnvVars: []string{"PLANVET_DATABASE_URL"}, Usage: "read a server's catalog instead of the migrations'"},
		},
		Action: func(c *cli.Context) error {
			if err := oneOf("format", c.String("format"), "text", "json"); err != nil {
				return usage(err)
			}
			progress := report.NewProgress(c.App.ErrWriter)
			defer progress.Done()
			doc, notes, err := schemaDocument(c, progress)
			if err != nil {
				return err
			}
			progress.Done()
			*code = report.ExitClean
			return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
				if c.String("format") == "json" {
					enc := json.NewEncoder(w)
					enc.SetEscapeHTML(false)
					enc.SetIndent("", "  ")
					return enc.Encode(doc)
				}
				return schemaText(w, doc, notes)
			})
		},
	}
}

func schemaDocument(c *cli.Context, progress *report.Progress) (*catalog.Document, []string, error) {
	if url := c.String("database-url"); url != "" {
		cat, err := engine.ServerCatalog(c.Context, url)
		if err != nil {
			return nil, nil, err
		}
		return cat.Document("server", nil), nil, nil
	}
	p, err := loaded(c, progress)
	if err != nil {
		return nil, nil, err
	}
	cat, err := p.SchemaOf(c.String("database"))
	if err != nil {
		return nil, nil, err
	}
	var bad []catalog.DocProblem
	for _, q := range slices.Concat(p.NotApplied, p.MigrationsUnparsed()) {
		bad = append(bad, catalog.DocProblem{
			Location: catalog.DocLocation{Path: q.Location.Path, Line: q.Location.Line}, Error: q.Text,
		})
	}
	return cat.Document("migrations", bad), p.DiscoveryNotes(), nil
}

// schemaText is a short listing: one line a relation, and how it was chosen.
func schemaText(w io.Writer, d *catalog.Document, notes []string) error {
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintln(&b, n)
	}
	for _, r := range d.Relations {
		fmt.Fprintf(&b, "%s %s.%s", r.Kind, r.Schema, r.Name)
		if r.RLSEnabled {
			b.WriteString(" rls")
		}
		b.WriteByte('\n')
		for _, c := range r.Columns {
			null := ""
			if c.NotNull {
				null = " not null"
			}
			fmt.Fprintf(&b, "  %s %s%s\n", c.Name, c.Type, null)
		}
		for _, x := range r.Indexes {
			unique := ""
			if x.Unique {
				unique = "unique "
			}
			fmt.Fprintf(&b, "  %sindex %s %s (%s)", unique, x.Name, x.Method, strings.Join(x.Keys, ", "))
			if len(x.Include) > 0 {
				fmt.Fprintf(&b, " include (%s)", strings.Join(x.Include, ", "))
			}
			if x.Predicate != nil {
				fmt.Fprintf(&b, " where %s", *x.Predicate)
			}
			b.WriteByte('\n')
		}
		for _, q := range r.Policies {
			fmt.Fprintf(&b, "  policy %q for %s to %s\n", q.Name, q.Command, strings.Join(q.Roles, ", "))
		}
	}
	fmt.Fprintf(&b, "%d relations, %d functions, %d types, %d extensions, %d not applied\n",
		len(d.Relations), len(d.Functions), len(d.Types), len(d.Extensions), len(d.NotApplied))
	_, err := io.WriteString(w, b.String())
	return err
}
