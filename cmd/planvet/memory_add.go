package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/report"
)

func memoryAdd(c *cli.Context, r *remembering) error {
	entries, left, err := newEntries(c)
	if err != nil {
		return usage(err)
	}
	return r.add(c, entries, left)
}

// add stores entries, or says with --dry-run what that would be, and writes them.
func (r *remembering) add(c *cli.Context, entries []memory.Entry, left []string) error {
	entries, err := memory.Settled(entries, time.Now())
	if err != nil {
		return usage(err)
	}
	if c.Bool("dry-run") {
		sql, err := r.Plan(c.Context)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c.App.Writer, sql); err != nil {
			return err
		}
		for i := range entries {
			line, err := json.Marshal(&entries[i])
			if err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "-- would add: %s\n", line)
		}
		for _, l := range left {
			fmt.Fprintf(c.App.Writer, "-- left out: %s\n", report.Printable(l))
		}
		return nil
	}
	added := 0
	if len(entries) > 0 { // an empty list makes no memory
		if added, err = r.Add(c.Context, entries); err != nil {
			return err
		}
	}
	if err := r.note(memory.Added(entries)...); err != nil {
		return err
	}
	d := &memory.Document{Entries: entries, Added: &added, LeftOut: left}
	if f := c.String("format"); f == "json" || f == "markdown" {
		return writeEntries(c, d)
	}
	return writeTo(c.App.Writer, c.String("output"), func(w io.Writer) error {
		line := fmt.Sprintf("added %d of %d entries to %s", added, len(entries), r.place)
		if len(entries) == 1 && added == 1 {
			line = fmt.Sprintf("added %s to %s", entries[0].ID, r.place)
		}
		if n := len(entries) - added; n > 0 {
			line += fmt.Sprintf("; %d there already", n)
		}
		_, err := fmt.Fprintln(w, line)
		for _, l := range left {
			_, e := fmt.Fprintf(w, "left out: %s\n", report.Printable(l))
			err = errors.Join(err, e)
		}
		return err
	})
}

// newEntries are those that the flags, standard input or a report tell of.
func newEntries(c *cli.Context) ([]memory.Entry, []string, error) {
	args := c.Args().Slice()
	if c.IsSet("before") && c.String("from") == "" {
		return nil, nil, errors.New("--before goes with --from")
	}
	switch {
	case slices.Equal(args, []string{"-"}) && c.String("from") == "":
		entries, err := memory.Read(c.App.Reader)
		if err == nil && len(entries) == 0 {
			err = errors.New("standard input has no entry")
		}
		for i := range entries {
			if err == nil {
				err = overlay(c, &entries[i])
			}
		}
		return entries, nil, err
	case len(args) > 0:
		return nil, nil, fmt.Errorf("memory add takes no argument %q: give the entry by flags, or - for JSON on standard input, or --from", args[0])
	case c.String("from") != "":
		return fromReport(c)
	}
	var e memory.Entry
	if err := overlay(c, &e); err != nil {
		return nil, nil, err
	}
	if e.Task == "" {
		return nil, nil, errors.New("memory add needs --task TEXT and --outcome, or - for JSON on standard input, or --from FILE")
	}
	return []memory.Entry{e}, nil, nil
}

func fromReport(c *cli.Context) ([]memory.Entry, []string, error) {
	text, err := fileOrInput(c, c.String("from"))
	if err != nil {
		return nil, nil, fmt.Errorf("--from: %w", err)
	}
	var before []byte
	if b := c.String("before"); b != "" {
		if before, err = os.ReadFile(b); err != nil {
			return nil, nil, fmt.Errorf("--before: %w", err)
		}
	}
	for _, f := range []string{"p95-before", "p95-after"} {
		if c.IsSet(f) {
			return nil, nil, fmt.Errorf("--%s and --from exclude each other: the report has the figures", f)
		}
	}
	t, err := memory.From(text, before)
	if err != nil {
		return nil, nil, fmt.Errorf("--from %s: %w", c.String("from"), err)
	}
	for i := range t.Entries {
		if err := overlay(c, &t.Entries[i]); err != nil {
			return nil, nil, err
		}
	}
	return t.Entries, t.LeftOut, nil
}

func fileOrInput(c *cli.Context, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.App.Reader)
	}
	return os.ReadFile(name)
}

// overlay puts what the flags say on an entry: texts instead of its own, lists beside
// them.
func overlay(c *cli.Context, e *memory.Entry) error {
	for _, f := range []struct {
		flag string
		to   *string
	}{
		{"task", &e.Task}, {"outcome", &e.Outcome}, {"skill", &e.Skill}, {"pattern", &e.Pattern}, {"category", &e.Category},
		{"rule", &e.Rule}, {"object", &e.Object}, {"sql", &e.Query}, {"fingerprint", &e.Fingerprint},
	} {
		*f.to = cmp.Or(c.String(f.flag), *f.to)
	}
	e.Tags = append(e.Tags, c.StringSlice("tag")...)
	e.Files = append(e.Files, textsOf(c, "file")...)
	e.Lessons = append(e.Lessons, textsOf(c, "lesson")...)
	e.Fix = append(e.Fix, textsOf(c, "fix")...)
	v := e.Validation
	if v == nil {
		v = &memory.Validation{}
	}
	for _, f := range []struct {
		flag string
		to   **float64
	}{{"p95-before", &v.P95Before}, {"p95-after", &v.P95After}} {
		if c.IsSet(f.flag) {
			x := c.Float64(f.flag)
			*f.to, e.Validation = &x, v
		}
	}
	for _, s := range textsOf(c, "result") {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return fmt.Errorf("--result %s: write NAME=VALUE", s)
		}
		if v.Results == nil {
			v.Results = map[string]string{}
		}
		v.Results[name], e.Validation = value, v
	}
	return nil
}

func memoryImport(c *cli.Context, r *remembering) error {
	if c.Args().Len() != 1 {
		return usage(errors.New("memory import takes one file, or -"))
	}
	name := c.Args().First()
	text, err := fileOrInput(c, name)
	if err != nil {
		return usage(fmt.Errorf("reading the entries: %w", err))
	}
	entries, err := memory.Read(bytes.NewReader(text))
	if err != nil {
		return usage(fmt.Errorf("%s: %w", name, err))
	}
	return r.add(c, entries, nil)
}
