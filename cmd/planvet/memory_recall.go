package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/report"
)

// recalled is what the memory tells of subjects, where there is one: PLANVET_MEMORY, or the
// file of the project that path is in. What is wrong with it is a line on standard error,
// and nothing else: a memory decides nothing.
func recalled(c *cli.Context, path string, subjects []memory.Subject) [][]report.Remembered {
	place := os.Getenv("PLANVET_MEMORY")
	if place == "" {
		if place = projectMemory(path); !there(place) {
			return nil
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.Context, 10*time.Second)
	defer cancel()
	s, err := memory.Open(ctx, place)
	var out [][]report.Remembered
	if err == nil {
		out, err = memory.Recall(ctx, s, subjects)
		err = errors.Join(err, s.Close())
	}
	if err != nil && !errors.Is(err, memory.ErrNone) {
		fmt.Fprintln(c.App.ErrWriter, "planvet: "+report.Redact(oneLine(err))+"; nothing is recalled")
	}
	return out
}

// rememberFindings puts beside findings what the memory tells of their statement or rule.
func rememberFindings(c *cli.Context, root string, d *report.Document) {
	subjects := make([]memory.Subject, len(d.Findings))
	for i := range d.Findings {
		f := &d.Findings[i]
		subjects[i] = memory.Subject{Finding: f.ID, Rule: f.Rule}
		if f.Query != nil {
			subjects[i].Fingerprint = f.Query.Fingerprint
		}
	}
	for i, told := range recalled(c, root, subjects) {
		if len(told) > 0 {
			if d.Remembered == nil {
				d.Remembered = map[string][]report.Remembered{}
			}
			d.Remembered[d.Findings[i].ID] = told
		}
	}
}
