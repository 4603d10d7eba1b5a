package main

import (
	"context"
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// scopeFlags say what change is reported alone. golangci-lint's names for them work too.
func scopeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "since", Aliases: []string{"new-from-rev"}, Usage: "report only what the change since git's revision `REV` brings: both trees are judged whole"},
		&cli.BoolFlag{Name: "staged", Usage: "report only what the staged change brings: the index against HEAD, or against --since"},
		&cli.StringFlag{Name: "new-from-merge-base", Usage: "as --since, from where HEAD left `REV`: a pull request's own change"},
	}
}

func scopeOf(c *cli.Context) (engine.Scope, error) {
	s := engine.Scope{Rev: c.String("since"), MergeBase: c.String("new-from-merge-base"), Staged: c.Bool("staged")}
	switch {
	case c.IsSet("since") && s.Rev == "":
		return s, errors.New("--since is empty: name a revision, such as main or HEAD~1")
	case c.IsSet("new-from-merge-base") && s.MergeBase == "":
		return s, errors.New("--new-from-merge-base is empty: name a branch, such as origin/main")
	case s.Rev != "" && s.MergeBase != "":
		return s, errors.New("--since and --new-from-merge-base both name a revision: use one of them")
	}
	return s, nil
}

// checkedProject is a project, whole or as a change made it.
type checkedProject struct {
	*engine.Project
	change *engine.Change
	// root is the project's folder in the work tree.
	root string
}

func (p *checkedProject) close() error { return p.change.Close() }

// checkProject checks a project, or what a change of it brings, and makes the document of it.
func checkProject(ctx context.Context, in engine.Options, s engine.Scope, b baselineFlags) (*checkedProject, *report.Document, error) {
	if s.Zero() {
		p, err := engine.Open(in)
		if err != nil {
			return nil, nil, err
		}
		baseline, err := b.read(p)
		if err != nil {
			return nil, nil, err
		}
		if err := p.Load(ctx); err != nil {
			return nil, nil, err
		}
		fs, suppressed := p.Check()
		fs, known := b.apply(p, baseline, fs)
		doc := document(p, fs)
		doc.Suppressed, doc.Silenced, doc.Summary.Baseline = suppressed, p.Silenced, known
		return &checkedProject{Project: p, root: p.Root}, doc, nil
	}
	c, err := engine.Since(ctx, in, s)
	if err != nil {
		return nil, nil, err
	}
	baseline, err := b.read(c.After.Project)
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	brought := c.New
	var known *report.Baseline
	if c.Before != nil { // else nobody looked at what the entries are about
		var kept []rules.Finding
		kept, known = b.apply(c.After.Project, baseline, c.After.Findings)
		brought = slices.DeleteFunc(slices.Clone(brought), func(f rules.Finding) bool {
			return !slices.ContainsFunc(kept, func(k rules.Finding) bool { return k.ID == f.ID })
		})
	}
	doc := document(c.After.Project, brought)
	doc.Suppressed, doc.Silenced, doc.Summary.Baseline = c.After.Suppressed, c.After.Silenced, known
	doc.Summary.Since = &report.Since{
		Revision: c.Rev, Commit: c.Commit, FilesChanged: c.Files, FilesRead: c.Read,
		Before: c.Old, Gone: len(c.Gone), Notes: c.Notes,
	}
	return &checkedProject{Project: c.After.Project, change: c, root: c.Root}, doc, nil
}
