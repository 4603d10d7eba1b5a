package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/scaffold"
)

func initCommand(code *report.ExitCode) *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "set planvet up in a repository: its config, objectives, reference documents, hooks and CI; and run a first check",
		ArgsUsage: "[DIR]",
		Description: "Looks at what is there and writes what belongs to it; asks nothing. A file that is there\n" +
			"already is never changed: what it needs is printed. Run again, it writes what is missing,\n" +
			"and makes documents anew that an earlier planvet made and nobody changed.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be written, and write nothing"},
			&cli.StringSliceFlag{Name: "with", Usage: "write the file of a program that was not found: pre-commit, lefthook, github, gitlab, golangci-lint or golangci-lint-build"},
			&cli.StringSliceFlag{Name: "without", Usage: "leave out config, perf, references, hooks, ci or check, the first check"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "auto, always or never"},
		},
		Action: func(c *cli.Context) error {
			r, err := initialise(c)
			*code = r
			return err
		},
	}
}

// firstCheck is the name by which --without leaves the check out.
const firstCheck = "check"

func initialise(c *cli.Context) (report.ExitCode, error) {
	dir, o, err := initFlags(c)
	if err != nil {
		return report.ExitUsage, usage(err)
	}
	progress := report.NewProgress(c.App.ErrWriter)
	defer progress.Done()
	// What the files depend on is known without the Go code, in a moment.
	p, err := engine.Open(engine.Options{Dir: dir, NoGo: true, Progress: progress.Step})
	if err == nil {
		err = p.Load(c.Context)
	}
	if err != nil {
		return report.ExitUnfinished, err
	}
	facts := scaffold.Look(p)
	files, err := scaffold.Files(facts, o)
	if err != nil {
		return report.ExitUsage, usage(err)
	}
	steps, err := scaffold.Write(p.Root, files, c.Bool("dry-run"))
	progress.Done()
	out := report.NewPrinter(c.App.Writer, report.TextOptions{Color: report.ColorFor(c.App.Writer, c.String("color"))})
	told(out, facts)
	becameOf(out, steps, c.Bool("dry-run"))
	if err != nil {
		return report.ExitUnfinished, err
	}
	if c.Bool("dry-run") || slices.Contains(o.Without, firstCheck) {
		return report.ExitClean, out.Err()
	}
	return report.ExitClean, checkFirst(c, out, dir, progress)
}

func initFlags(c *cli.Context) (dir string, o scaffold.Options, err error) {
	if c.NArg() > 1 {
		return "", o, fmt.Errorf("init takes one folder, got %s", strings.Join(c.Args().Slice(), ", "))
	}
	if err := oneOf("color", c.String("color"), "auto", "always", "never"); err != nil {
		return "", o, err
	}
	parts := append(slices.Clone(scaffold.Parts), firstCheck)
	for _, part := range c.StringSlice("without") {
		if !slices.Contains(parts, part) {
			return "", o, fmt.Errorf("--without %s: there are %s%s", part, strings.Join(parts, ", "), config.Hint(part, parts))
		}
	}
	if dir, err = directory(c.Args().First()); err != nil {
		return "", o, err
	}
	return dir, scaffold.Options{With: c.StringSlice("with"), Without: c.StringSlice("without"), Release: released(version())}, nil
}

// tagged is a version that a tag of the repository has.
var tagged = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)$`)

// released is the tag of a version, "" of one that is between releases.
func released(version string) string {
	if m := tagged.FindStringSubmatch(version); m != nil {
		return "v" + m[1]
	}
	return ""
}

// fromHere is a folder as seen from the working directory, where it is at or below it.
func fromHere(dir string) string {
	wd, err := os.Getwd()
	if err != nil {
		return dir
	}
	rel, err := filepath.Rel(wd, dir)
	switch {
	case err != nil || strings.HasPrefix(rel, ".."):
		return dir
	case rel == ".":
		return "this folder"
	}
	return rel
}

// told prints what was found.
func told(t *report.Printer, f *scaffold.Facts) {
	t.Printf("%s\n", t.Styled(report.Bold, "found in "+report.Printable(fromHere(f.Root))))
	for _, d := range f.Databases {
		t.Printf("  database %s: %s\n", report.Printable(d.Name), report.Printable(d.String()))
	}
	switch {
	case len(f.Databases) > 0:
	case f.Go:
		t.Printf("  no migrations in files: DDL in Go code is read by the check\n")
	default:
		t.Printf("  no migrations and no dump of a schema: say in planvet.yaml where they are\n")
	}
	for _, c := range f.Chosen {
		t.Printf("  database %s: %s was taken of %s; planvet.yaml settles it\n", report.Printable(c.Database), report.Printable(c.Taken), report.Printable(strings.Join(c.Candidates, ", ")))
	}
	about := []string{report.Plural(f.Tables, "table"), report.Plural(f.Policies, "policy")}
	for _, w := range []struct {
		is   bool
		what string
	}{
		{f.Supabase, "Supabase"}, {f.Go, "Go"}, {len(f.SQLC) > 0, "sqlc"},
		{f.Postgres != 0, fmt.Sprintf("PostgreSQL %d (%s)", f.Postgres, f.PostgresFrom)},
	} {
		if w.is {
			about = append(about, w.what)
		}
	}
	for _, tool := range f.Tools {
		about = append(about, tool.File)
	}
	t.Printf("  %s\n", report.Printable(strings.Join(about, ", ")))
}

// becameOf prints what became of each file, and what to add to files of the user's.
func becameOf(t *report.Printer, steps []scaffold.Step, dry bool) {
	title := "files"
	if dry {
		title = "files, of which none is written (--dry-run)"
	}
	t.Printf("\n")
	t.Printf("%s\n", t.Styled(report.Bold, title))
	wide := 0
	for _, s := range steps {
		wide = max(wide, report.Cells(s.Path))
	}
	styles := map[scaffold.Did]report.Style{scaffold.Wrote: report.Green, scaffold.Renewed: report.Green, scaffold.Kept: report.Dim, scaffold.Add: report.Yellow}
	did := map[scaffold.Did]string{scaffold.Wrote: "wrote", scaffold.Renewed: "renewed", scaffold.Kept: "kept", scaffold.Add: "add to"}
	if dry {
		did[scaffold.Wrote], did[scaffold.Renewed] = "write", "renew"
	}
	for _, s := range steps {
		t.Printf("  %s %s  %s\n", t.Styled(styles[s.Did], report.Pad(did[s.Did], 7)), report.Printable(report.Pad(s.Path, wide)), report.Printable(s.Why))
	}
	for _, s := range steps {
		if s.Did != scaffold.Add {
			continue
		}
		t.Printf("\nadd to %s:\n", report.Printable(s.Path))
		for line := range strings.Lines(s.Part) {
			t.Printf("  %s\n", report.Printable(strings.TrimRight(line, "\n")))
		}
	}
}

// shownFirst is how many findings the first check shows in full.
const shownFirst = 3

// checkFirst runs the check as planvet check will, with the config that is there now.
func checkFirst(c *cli.Context, t *report.Printer, dir string, progress *report.Progress) error {
	p, err := engine.Open(engine.Options{Dir: dir, Progress: progress.Step})
	if err == nil {
		err = p.Load(c.Context)
	}
	if err != nil {
		return fmt.Errorf("the files are written; the first check: %w", err)
	}
	findings, suppressed := p.Check()
	progress.Done()
	doc := document(p, findings)
	doc.Suppressed = suppressed
	t.Printf("\n")
	t.Printf("%s\n", t.Styled(report.Bold, "first check"))
	if err := t.Err(); err != nil {
		return err
	}
	o := report.TextOptions{Color: report.ColorFor(c.App.Writer, c.String("color"))}
	if err := report.First(c.App.Writer, doc, shownFirst, o); err != nil {
		return err
	}
	return nextCommands(c.App.Writer, doc)
}

// nextCommands prints the two commands that come next.
func nextCommands(w io.Writer, d *report.Document) error {
	rows := [][2]string{
		{"planvet check", "each finding with its place and its fix"},
		{"planvet check --confirm shadow", "the same, each proved on a throwaway PostgreSQL"},
	}
	if len(d.Findings) == 0 {
		rows[0] = [2]string{"planvet check --verbose", "the same, with what could not be read"}
		rows[1] = [2]string{"planvet explain --sql 'select …' --shadow", "one query's plan, without a server"}
	}
	if _, err := fmt.Fprintf(w, "\nnext\n"); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "  %s  %s\n", report.Pad(r[0], 42), r[1]); err != nil {
			return err
		}
	}
	if len(d.Findings) < backlog {
		return nil
	}
	_, err := fmt.Fprintf(w, "  %s  %s\n", report.Pad("planvet baseline write", 42), "or: what is there today is known, later checks report what is new")
	return err
}

// backlog is from how many findings on it helps to begin with what is new.
const backlog = 10

// directory is the folder that an argument names, "" for the working directory.
func directory(arg string) (string, error) {
	if arg == "" {
		return "", nil
	}
	st, err := os.Stat(arg)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: no such folder", arg)
	case !st.IsDir():
		return "", fmt.Errorf("%s is no folder", arg)
	}
	return filepath.Abs(arg)
}
