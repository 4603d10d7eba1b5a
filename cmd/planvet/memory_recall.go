package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// recalled is what the memory tells of subjects, where there is one: PLANVET_MEMORY, or the
// file of the project that path is in. What is wrong with it is a line on standard error,
// and nothing else: a memory decides nothing.
func recalled(ctx context.Context, errs io.Writer, path string, subjects []memory.Subject) [][]report.Remembered {
	place := os.Getenv("PLANVET_MEMORY")
	if place == "" {
		if place = projectMemory(path); !there(place) {
			return nil
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := memory.Open(ctx, place)
	var out [][]report.Remembered
	if err == nil {
		out, err = memory.Recall(ctx, s, subjects)
		err = errors.Join(err, s.Close())
	}
	if err != nil && !errors.Is(err, memory.ErrNone) {
		fmt.Fprintln(errs, "planvet: "+report.Redact(oneLine(err))+"; nothing is recalled")
	}
	return out
}

// rememberFindings puts beside findings what the memory tells of their statement or rule.
func rememberFindings(c *cli.Context, root string, d *report.Document) {
	d.Remembered = remembered(c.Context, c.App.ErrWriter, root, d.Findings)
}

// remembered is what the memory tells of findings of the project at root, by their
// identities.
func remembered(ctx context.Context, errs io.Writer, root string, fs []rules.Finding) map[string][]report.Remembered {
	subjects := make([]memory.Subject, len(fs))
	for i := range fs {
		subjects[i] = memory.Subject{Finding: fs[i].ID, Rule: fs[i].Rule}
		if fs[i].Query != nil {
			subjects[i].Fingerprint = fs[i].Query.Fingerprint
		}
	}
	var out map[string][]report.Remembered
	for i, told := range recalled(ctx, errs, root, subjects) {
		if len(told) > 0 {
			if out == nil {
				out = map[string][]report.Remembered{}
			}
			out[fs[i].ID] = told
		}
	}
	return out
}
