package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/report"
)

func memoryCommand(code *report.ExitCode) *cli.Command {
	store := []cli.Flag{&cli.StringFlag{Name: "store", EnvVars: []string{"PLANVET_MEMORY"}, Usage: "`PLACE` of the memory: a file, or the URL of a PostgreSQL", DefaultText: memory.DefaultFile + " under the project's root"}}
	shown := []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or markdown"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the report to `FILE`"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
	}
	filters := []cli.Flag{
		&cli.StringSliceFlag{Name: "tag", Usage: "entries that have the tag `NAME`; repeatable: all of them"},
		&cli.StringFlag{Name: "category", Usage: "entries of category `NAME`: skills, findings, benchmarks or your own"},
		&cli.StringFlag{Name: "rule", Usage: "entries on the rule `NAME`"},
		&cli.StringFlag{Name: "fingerprint", Usage: "entries on the statement with this `FINGERPRINT`"},
		&cli.StringFlag{Name: "sql", Usage: "entries on statements of the shape of `SQL`"},
		&cli.StringFlag{Name: "skill", Usage: "entries of skill `NAME`"},
		&cli.StringFlag{Name: "outcome", Usage: "entries with this outcome: " + strings.Join(memory.Outcomes, ", ")},
	}
	limit := func(n int) cli.Flag {
		return &cli.IntFlag{Name: "limit", Value: n, Usage: "at most `N` entries; 0 for all"}
	}
	sub := func(name, use, args, text string, flags []cli.Flag, do func(*cli.Context, *remembering) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: use, ArgsUsage: args, Description: text, Flags: slices.Concat(store, flags, auditFlags()),
			Action: func(c *cli.Context) error {
				if err := remember(c, do); err != nil {
					return err
				}
				*code = report.ExitClean
				return nil
			},
		}
	}
	dry := &cli.BoolFlag{Name: "dry-run", Usage: "print the SQL that makes the memory and what would be added, and change nothing"}
	return &cli.Command{
		Name:  "memory",
		Usage: "keep what was tried and what it gave, and find it again",
		Description: "A memory is an SQLite file, or the schema planvet_memory of a PostgreSQL that a team\n" +
			"shares. What it holds on the same statement or the same rule is shown by\n" +
			"check --confirm and by explain.",
		Subcommands: []*cli.Command{
			sub("add", "remember one thing that was tried, or what a report tells", "[-]",
				"By flags; by JSON with the fields of an entry on standard input (-); or from a report\n"+
					"of planvet check --confirm … --format json, planvet gate --format json, or\n"+
					"planvet bench --results, with --before. The improvement is computed. Secrets are\n"+
					"masked. The first entry makes the memory; --dry-run says with which SQL.",
				slices.Concat(entryFlags(), []cli.Flag{dry}, shown), memoryAdd),
			sub("search", "find entries by words", "WORD …",
				"An entry has to have one of the words, whatever their endings; one that has more of\n"+
					"them comes first, then by where they stand: in what it is about, in what was\n"+
					"learned, in the rest.",
				slices.Concat(filters, []cli.Flag{limit(10)}, shown), memorySearch),
			sub("list", "show entries, the newest first", "", "", slices.Concat(filters, []cli.Flag{limit(20)}, shown), memoryList),
			sub("export", "write all entries as JSON lines, for another memory", "",
				"The oldest first. Constants in SQL are masked, as are secrets and mail addresses.",
				slices.Concat(filters, []cli.Flag{limit(0), shown[1]}), memoryExport),
			sub("import", "add what export wrote", "FILE|-", "Entries that are there already stay as they are.",
				[]cli.Flag{dry}, memoryImport),
		},
	}
}

func entryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "task", Usage: "what was tried"},
		&cli.StringFlag{Name: "outcome", Usage: "what came of it: " + strings.Join(memory.Outcomes, ", ")},
		&cli.StringFlag{Name: "skill", Usage: "who did it: the `NAME` of a role"},
		&cli.StringFlag{Name: "pattern", Usage: "what was done, in words"},
		&cli.Float64Flag{Name: "p95-before", Usage: "p95 before, in `MS`"},
		&cli.Float64Flag{Name: "p95-after", Usage: "p95 after, in `MS`"},
		&cli.GenericFlag{Name: "result", Value: &texts{}, Usage: "another result of the validation, as `NAME=VALUE`; repeatable"},
		&cli.GenericFlag{Name: "file", Value: &texts{}, Usage: "`FILE` that was made or changed; repeatable"},
		&cli.GenericFlag{Name: "lesson", Value: &texts{}, Usage: "what was learned; repeatable"},
		&cli.StringSliceFlag{Name: "tag", Usage: "`NAME` to find it by; repeatable"},
		&cli.StringFlag{Name: "category", Usage: "`NAME` of its category"},
		&cli.StringFlag{Name: "rule", Usage: "`NAME` of the rule that it is about"},
		&cli.StringFlag{Name: "object", Usage: "what it is about: public.visits (casino_id, player_id)"},
		&cli.StringFlag{Name: "sql", Usage: "the statement that it is about, as `SQL`"},
		&cli.StringFlag{Name: "fingerprint", Usage: "planvet's fingerprint of the statement, without --sql"},
		&cli.GenericFlag{Name: "fix", Value: &texts{}, Usage: "`SQL` that was run; repeatable"},
		&cli.StringFlag{Name: "from", Usage: "take entries from the report `FILE`; - is standard input"},
		&cli.StringFlag{Name: "before", Usage: "with --from of results of a benchmark: those of before, in `FILE`"},
	}
}

// remembering is a store that a command has open.
type remembering struct {
	memory.Store
	place string // without secrets
	log   *audit.Log
}

func (r *remembering) note(events ...audit.Event) error {
	if r.log == nil {
		return nil
	}
	return r.log.Append(events...)
}

// remember does what stands around a command on a memory: the flags that all have, the
// store, the log.
func remember(c *cli.Context, do func(*cli.Context, *remembering) error) (err error) {
	for _, f := range []struct {
		name    string
		allowed []string
	}{{"format", []string{"text", "json", "markdown"}}, {"color", []string{"auto", "always", "never"}}} {
		if v := c.String(f.name); v != "" {
			if err := oneOf(f.name, v, f.allowed...); err != nil {
				return usage(err)
			}
		}
	}
	if c.Int("limit") < 0 {
		return usage(fmt.Errorf("--limit %d: use 0 or more", c.Int("limit")))
	}
	_, log, err := audited(c, "memory "+c.Command.Name)
	if err != nil {
		return err
	}
	place := c.String("store")
	if place == "" {
		place = projectMemory(".")
	}
	s, err := memory.Open(c.Context, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = do(c, &remembering{s, report.Redact(shownPath(place)), log})
	if errors.Is(err, memory.ErrNone) {
		return usage(err)
	}
	return err
}

// projectMemory is the file of the project that a path is in.
func projectMemory(path string) string {
	root, _ := config.Find(path)
	return filepath.Join(root, filepath.FromSlash(memory.DefaultFile))
}

// shownPath is a path from here, where that is shorter.
func shownPath(path string) string {
	if memory.IsURL(path) || !filepath.IsAbs(path) {
		return path
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
			return rel
		}
	}
	return path
}

func memoryQuery(c *cli.Context) (memory.Query, error) {
	q := memory.Query{
		Tags: c.StringSlice("tag"), Category: c.String("category"), Rule: c.String("rule"), Fingerprint: c.String("fingerprint"),
		Skill: c.String("skill"), Outcome: c.String("outcome"), Limit: c.Int("limit"),
	}
	if q.Outcome != "" {
		if err := oneOf("outcome", q.Outcome, memory.Outcomes...); err != nil {
			return q, err
		}
	}
	if sql := c.String("sql"); sql != "" {
		shape := memory.Shape(sql)
		switch {
		case len(shape) == 0:
			return q, errors.New("--sql: the statement cannot be read")
		case q.Fingerprint != "":
			return q, errors.New("--sql and --fingerprint exclude each other")
		}
		q.Fingerprint = shape[0].Fingerprint
	}
	return q, nil
}

func memorySearch(c *cli.Context, r *remembering) error {
	q, err := memoryQuery(c)
	q.Text = strings.Join(c.Args().Slice(), " ")
	if err == nil && strings.TrimSpace(q.Text) == "" {
		err = errors.New("memory search needs words; planvet memory list shows what there is")
	}
	if err != nil {
		return usage(err)
	}
	return r.show(c, "search", q)
}

func memoryList(c *cli.Context, r *remembering) error {
	q, err := memoryQuery(c)
	if err == nil && c.Args().Present() {
		err = fmt.Errorf("memory list takes no argument %q: use planvet memory search for words", c.Args().First())
	}
	if err != nil {
		return usage(err)
	}
	return r.show(c, "list", q)
}

func (r *remembering) show(c *cli.Context, what string, q memory.Query) error {
	entries, err := r.Find(c.Context, q)
	if err != nil {
		return err
	}
	if err := r.note(memory.Found(what, len(entries))); err != nil {
		return err
	}
	if len(entries) == 0 && c.String("format") != "json" {
		fmt.Fprintln(c.App.ErrWriter, "planvet: no entry of "+r.place+" matches")
	}
	return writeEntries(c, &memory.Document{Entries: entries})
}

func writeEntries(c *cli.Context, d *memory.Document) error {
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		switch c.String("format") {
		case "json":
			return d.JSON(w)
		case "markdown":
			return d.Markdown(w)
		}
		return d.Text(w, report.TextOptions{Color: c.String("output") == "" && report.ColorFor(w, c.String("color"))})
	})
}

func memoryExport(c *cli.Context, r *remembering) error {
	q, err := memoryQuery(c)
	if err == nil && c.Args().Present() {
		err = fmt.Errorf("memory export takes no argument %q", c.Args().First())
	}
	if err != nil {
		return usage(err)
	}
	q.Oldest = true
	entries, err := r.Find(c.Context, q)
	if err != nil {
		return err
	}
	if err := r.note(memory.Found("export", len(entries))); err != nil {
		return err
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error { return memory.Export(w, entries) })
}
