package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/revision"
	"github.com/planvet/planvet/rules"
)

// Scope says what a change is: from a revision to the work tree with the files that git
// does not know yet, or to the index. The zero value is no scope.
type Scope struct {
	// Rev is the revision before. MergeBase is a revision whose best common ancestor
	// with HEAD is the one before. With neither it is HEAD.
	Rev, MergeBase string
	// Staged takes what git commit would record as the tree after.
	Staged bool
}

// Zero reports whether no scope is asked for.
func (s Scope) Zero() bool { return s == Scope{} }

// Result is a checked project.
type Result struct {
	*Project
	// Findings are sorted and have their identities; Suppressed counts those that
	// comments silenced.
	Findings   []rules.Finding
	Suppressed int
}

// Change is a project before and after a change, and what the change brings. Close
// removes its files: After's are read until then.
type Change struct {
	// Before is nil where nothing that planvet reads differs; After has read nothing
	// then, and has no findings.
	Before, After *Result
	*Comparison

	// Rev is the revision as it was asked for, Commit what it is.
	Rev, Commit string
	// Root is the project's folder in the work tree; After's is another with Staged.
	Root string
	// Files are those of the repository that differ, Read those of them that planvet
	// reads. Renamed has the earlier path of files of the project that were renamed.
	Files, Read int
	Renamed     map[string]string
	// Notes say in a line each what of the tree before could not be judged as it was.
	Notes []string

	trees []func() error
}

// Close removes the trees of the change. It closes no nil.
func (c *Change) Close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, done := range c.trees {
		errs = append(errs, done())
	}
	c.trees = nil
	return errors.Join(errs...)
}

// Since checks a project as it was and as it is, and compares:
//
//  1. the config after the change judges both, so that a rule that is turned on reports
//     no old fault as new;
//  2. each side has its whole schema and all of its statements, so that a migration
//     that drops an index is held against queries that did not change;
//  3. where no file that planvet reads differs, neither is read: there is nothing new.
//
// A revision that git does not know, a project outside of a repository and errors of
// config are of kind Usage. A tree before that cannot be judged is Unfinished.
func Since(ctx context.Context, o Options, s Scope) (_ *Change, err error) {
	here, err := Open(o)
	if err != nil {
		return nil, err
	}
	repo, err := revision.Open(ctx, here.Root)
	if err != nil {
		return nil, usagef("a change is what git knows: %w", err)
	}
	prefix, ok := repo.Rel(here.Root)
	if !ok {
		return nil, usagef("the project %s is not within its git repository %s", here.Root, repo.Top)
	}
	c := &Change{Root: here.Root}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if err := c.resolve(ctx, repo, s); err != nil {
		return nil, err
	}
	here.progress("looking at what changed since " + c.Rev)
	staged := ""
	if s.Staged {
		var done func() error
		if staged, done, err = repo.Staged(ctx); err != nil {
			return nil, unfinishedf("reading the index: %w", err)
		}
		c.trees = append(c.trees, done)
	}
	changes, err := repo.Changes(ctx, c.Commit, staged)
	if err != nil {
		return nil, unfinishedf("looking at what changed since %s: %w", c.Rev, err)
	}
	after := here
	if s.Staged {
		if after, err = c.tree(ctx, repo, staged, here); err != nil {
			return nil, err
		}
	}
	c.After = &Result{Project: after}
	touched := here.touched(changes, prefix)
	c.Files, c.Read, c.Renamed = len(changes), touched.read, touched.renamed
	if c.Read == 0 {
		c.Comparison = &Comparison{}
		return c, nil
	}
	if err := after.Load(ctx); err != nil {
		return nil, err
	}
	c.After.Findings, c.After.Suppressed = after.Check()
	here.progress("judging " + c.Rev)
	before, err := c.tree(ctx, repo, c.Commit, here)
	if err != nil {
		return nil, err
	}
	before.twin, before.opts.Progress = after, nil
	if !touched.code {
		before.gopkgs = after.gopkgs
	}
	// A file that shows a pooler may be one that git does not hold.
	if pool := after.pooling(); pool != nil && !touched.files[pool.Evidence.Path] {
		before.pool, before.poolKnown = pool, true
	}
	before.filter, before.asked = nil, earlier(after.asked, c.Renamed)
	if before, err = c.loadBefore(ctx, before); err != nil {
		return nil, err
	}
	c.noteGo(before, after)
	c.Before = &Result{Project: before}
	c.Before.Findings, c.Before.Suppressed = before.Check()
	c.Comparison = Compare(c.Before, c.After, c.Renamed)
	return c, nil
}

func (c *Change) resolve(ctx context.Context, repo *revision.Repository, s Scope) (err error) {
	switch {
	case s.MergeBase != "":
		c.Rev = s.MergeBase
		c.Commit, err = repo.MergeBase(ctx, s.MergeBase)
	case s.Rev != "":
		c.Rev = s.Rev
		c.Commit, err = repo.Commit(ctx, s.Rev)
	default:
		c.Rev = "HEAD"
		c.Commit, err = repo.Head(ctx)
	}
	if err != nil {
		return &Error{Usage, err}
	}
	return nil
}

// tree opens the project of a commit or a tree. Its config is that of the work tree,
// with Staged that of the index.
func (c *Change) tree(ctx context.Context, repo *revision.Repository, commit string, here *Project) (*Project, error) {
	t, err := repo.Tree(ctx, commit)
	if err != nil {
		return nil, unfinishedf("reading %s: %w", c.Rev, err)
	}
	c.trees = append(c.trees, t.Remove)
	if err := repo.Furnish(ctx, t); err != nil {
		return nil, unfinishedf("reading %s: %w", c.Rev, err)
	}
	root, _ := t.Of(here.Root)
	if err := os.MkdirAll(root, 0o700); err != nil { // a project that is new has nothing
		return nil, unfinishedf("reading %s: %w", c.Rev, err)
	}
	p := &Project{Root: root, Config: atRoot(here, root, here.Config), opts: here.opts, filter: here.filter, asked: here.asked, fsys: newTree(root)}
	if commit == c.Commit {
		if c.After != nil {
			p.Config = atRoot(c.After.Project, root, c.After.Config)
		}
		return p, nil
	}
	own, err := ownConfig(t, here)
	if err != nil {
		return nil, err
	}
	if own != nil {
		p.Config = own
	}
	return p, nil
}

// atRoot is a config for another root: messages name its file relative to that.
func atRoot(p *Project, root string, c *config.Config) *config.Config {
	moved := *c
	if rel, err := filepath.Rel(p.Root, c.File); err == nil && c.File != "" && filepath.IsLocal(rel) {
		moved.File = filepath.Join(root, rel)
	}
	return &moved
}

// ownConfig is the config as a tree has it; nil where it has none.
func ownConfig(t *revision.Tree, here *Project) (*config.Config, error) {
	if here.Config.File == "" {
		return nil, nil
	}
	file, ok := t.Of(here.Config.File)
	if !ok {
		return nil, nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil, nil //nolint:nilerr // the tree has none
	}
	own, err := config.Load(file)
	if err == nil {
		err = checkRuleNames(own, nil)
	}
	if err != nil {
		return nil, usagef("%s", strings.ReplaceAll(err.Error(), t.Top+string(filepath.Separator), ""))
	}
	return own, nil
}

// loadBefore loads the project before a change by the config after it. Where that names
// what was not there yet, what to read is taken from the config of then, and how to judge
// from the one of now.
func (c *Change) loadBefore(ctx context.Context, p *Project) (*Project, error) {
	err := p.Load(ctx)
	if err == nil || ctx.Err() != nil {
		return p, err
	}
	now := p.Config
	file := now.File
	if _, err := os.Stat(file); err != nil {
		file = ""
	}
	then, readErr := config.Load(file)
	if readErr == nil {
		merged := *now
		merged.Databases, merged.Migrations, merged.Go = then.Databases, then.Migrations, then.Go
		merged.Exclude, merged.Queries = then.Exclude, then.Queries
		q := &Project{Root: p.Root, Config: &merged, opts: p.opts, asked: p.asked, twin: p.twin, fsys: newTree(p.Root)}
		if again := q.Load(ctx); again == nil {
			c.Notes = append(c.Notes, fmt.Sprintf("%s does not fit today's config and was read by its own: %s", c.Rev, c.clean(p, err)))
			return q, nil
		}
	}
	return nil, unfinishedf("%s cannot be judged, so nothing tells what is new: %s; without a revision everything is reported", c.Rev, c.clean(p, err))
}

// noteGo says that Go packages loaded after the change and not before it: what they had
// is taken for new.
func (c *Change) noteGo(before, after *Project) {
	if before.gopkgs == nil || before.gopkgs == after.gopkgs {
		return
	}
	// IllTyped tells nothing: it is set for whatever imports a package without bodies.
	loads := map[string]bool{}
	for _, k := range after.gopkgs.pkgs {
		loads[k.PkgPath] = len(k.Errors) == 0
	}
	n, first := 0, ""
	for _, k := range before.gopkgs.pkgs {
		if loads[k.PkgPath] && len(k.Errors) > 0 {
			if n++; first == "" {
				first = k.Errors[0].Msg
			}
		}
	}
	switch {
	case n > 0:
		c.Notes = append(c.Notes, fmt.Sprintf("Go packages of %s do not type-check, what they had may be reported as new: %d, first %s", c.Rev, n, c.clean(before, errors.New(first))))
	case len(before.gopkgs.problems) > 0 && len(after.gopkgs.problems) == 0:
		c.Notes = append(c.Notes, fmt.Sprintf("Go packages of %s do not load, what they had is reported as new: %s", c.Rev, c.clean(before, errors.New(before.gopkgs.problems[0].Text))))
	}
}

// clean is an error without the folder of the tree.
func (c *Change) clean(p *Project, err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	for _, from := range []string{p.Root, c.Root} {
		text = strings.ReplaceAll(text, from+string(filepath.Separator), "")
	}
	return text
}

func earlier(paths []string, renamed map[string]string) []string {
	var out []string
	for _, p := range paths {
		if old, ok := renamed[p]; ok {
			p = old
		}
		out = append(out, p)
	}
	return out
}
