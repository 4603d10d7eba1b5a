package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/rules"
)

// ConfirmOptions say whom to ask about findings, and as whom.
type ConfirmOptions struct {
	// URL is a server that the user names; "" starts a throwaway one.
	URL string
	// Role is planned as where a finding tells no role; Claims is a JSON object.
	Role, Claims string
	Settings     map[string]string
	// Measure asks about access paths on rows too, where plans on empty tables with
	// statistics would do.
	Measure bool
}

// Confirm gives findings their verdicts. What is asked is decided by each
// finding's probe; a finding without one stays not-run with a reason. Migrations that
// a throwaway server refused are added to NotApplied. With an error the findings that
// were asked about before it keep their verdicts, and the others say why they have none.
func (p *Project) Confirm(ctx context.Context, fs []rules.Finding, o ConfirmOptions) ([]rules.Finding, error) {
	opts, err := p.confirmOptions(o)
	if err != nil {
		return fs, usagef("%s: claims: %w", p.rel(p.Config.File), err)
	}
	var out []rules.Finding
	if o.URL != "" {
		out, err = p.confirmLive(ctx, fs, o.URL, opts)
	} else {
		out, err = p.confirmShadow(ctx, fs, opts)
	}
	if err != nil {
		out = confirm.Unasked(out, err)
	}
	return out, err
}

func (p *Project) confirmOptions(o ConfirmOptions) (confirm.Options, error) {
	claims := o.Claims
	if claims == "" && len(p.Config.Claims) > 0 {
		b, err := json.Marshal(p.Config.Claims)
		if err != nil {
			return confirm.Options{}, err
		}
		claims = string(b)
	}
	settings := map[string]string{}
	for k, v := range p.Config.Settings {
		settings[k] = v
	}
	for k, v := range o.Settings {
		settings[k] = v
	}
	return confirm.Options{Role: o.Role, Claims: claims, Settings: settings, Measure: o.Measure, Progress: p.lineProgress()}, nil
}

func (p *Project) lineProgress() func(string) {
	if p.opts.Progress == nil {
		return nil
	}
	return p.progress
}

func (p *Project) confirmLive(ctx context.Context, fs []rules.Finding, url string, o confirm.Options) ([]rules.Finding, error) {
	s, err := Connect(ctx, url, live.Options{})
	if err != nil {
		return fs, err
	}
	defer s.Close(ctx)
	o.Server, o.Live = s, true
	fs, err = p.eachDatabase(ctx, fs, func(db *Database, part []rules.Finding) ([]rules.Finding, error) {
		return confirm.Confirm(ctx, db.Catalog, part, o)
	})
	if err != nil {
		return fs, unfinishedf("asking the server: %w", err)
	}
	return fs, nil
}

func (p *Project) confirmShadow(ctx context.Context, fs []rules.Finding, o confirm.Options) (out []rules.Finding, err error) {
	planned := !slices.ContainsFunc(fs, func(f rules.Finding) bool {
		return f.Probe != nil && !f.Probe.Kind.Plain() && (o.Measure || !confirm.Estimable(&f))
	})
	srv, refused, err := p.migratedServer(ctx, planned)
	if err != nil {
		return fs, err
	}
	defer func() { err = errors.Join(err, srv.Stop()) }()
	out, err = p.eachDatabase(ctx, fs, func(db *Database, part []rules.Finding) ([]rules.Finding, error) {
		i := slices.Index(p.Databases, db)
		p.addRefused(refused[i])
		o := o
		o.Doubts = doubts(db.Catalog, refused[i])
		p.doubtTwins(db, o.Doubts)
		return p.confirmInShadow(ctx, srv, databaseName(i), db, part, o)
	})
	if err != nil {
		return out, unfinishedf("confirming on a throwaway PostgreSQL: %s", srv.Explain(err))
	}
	return out, nil
}

// confirmInShadow asks in the order in which a database can be used: what its catalog
// says, while it is as the migrations left it; access paths, where it is empty and plans
// like production; the rest, where rows are. Only for the last a copy is needed that is
// made before.
func (p *Project) confirmInShadow(ctx context.Context, srv *shadow.Server, name string, db *Database,
	fs []rules.Finding, o confirm.Options,
) ([]rules.Finding, error) {
	isFact := func(f *rules.Finding) bool { return f.Probe.Kind.Plain() }
	isPlan := func(f *rules.Finding) bool { return !isFact(f) && !o.Measure && confirm.Estimable(f) }
	isRows := func(f *rules.Finding) bool { return !isFact(f) && !isPlan(f) }
	plan, rows := name, name
	if slices.ContainsFunc(fs, func(f rules.Finding) bool { return isPlan(&f) }) && slices.ContainsFunc(fs, func(f rules.Finding) bool { return isRows(&f) }) {
		rows = name + "_rows"
		if _, err := srv.CopyDatabase(ctx, rows, name); err != nil {
			return fs, err
		}
	}
	err := some(fs, isFact, func(part []rules.Finding) ([]rules.Finding, error) {
		return p.askIn(ctx, srv.URL(name), db, part, o)
	})
	if err == nil {
		err = some(fs, isPlan, func(part []rules.Finding) ([]rules.Finding, error) {
			tier, err := p.planTier(ctx, srv, plan, db, confirm.Candidates(part))
			if err != nil {
				return part, err
			}
			defer tier.Close(ctx)
			o := o
			o.Plan = tier.confirm()
			return confirm.Confirm(ctx, db.Catalog, part, o)
		})
	}
	if err == nil {
		err = some(fs, isRows, func(part []rules.Finding) ([]rules.Finding, error) {
			return p.askIn(ctx, srv.URL(rows), db, part, o)
		})
	}
	return fs, err
}

// some asks about the findings that are picked, where there are any, and puts their
// verdicts in place.
func some(fs []rules.Finding, picked func(*rules.Finding) bool, ask func([]rules.Finding) ([]rules.Finding, error)) error {
	var at []int
	var part []rules.Finding
	for i := range fs {
		if picked(&fs[i]) {
			at, part = append(at, i), append(part, fs[i])
		}
	}
	if len(part) == 0 {
		return nil
	}
	got, err := ask(part)
	for k, i := range at {
		fs[i] = got[k]
	}
	return err
}

// askIn asks in a database that may be filled with rows.
func (p *Project) askIn(ctx context.Context, url string, db *Database, part []rules.Finding, o confirm.Options) ([]rules.Finding, error) {
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return part, err
	}
	defer s.Close(ctx)
	o.Server = s
	limit := p.Config.Confirm.Rows
	if limit == 0 {
		limit = o.RowLimit(db.Catalog, part)
	}
	o.MakeRows = func(ctx context.Context, tables []catalog.Name) (map[catalog.Name]int64, map[catalog.Name]string, error) {
		return p.makeRows(ctx, s, db, tables, limit)
	}
	return confirm.Confirm(ctx, db.Catalog, part, o)
}

// doubtTwins adds tables that another database of the project makes too, with an index or
// a policy that they lack here. Folders that were found are taken for databases of their
// own, and may be parts of one; what config names is what it is.
func (p *Project) doubtTwins(db *Database, doubts map[catalog.Name]string) {
	if len(p.Config.Databases) > 0 {
		return
	}
	for _, other := range p.Databases {
		if other == db {
			continue
		}
		for _, r := range other.Catalog.Relations() {
			here := db.Catalog.Relation(r.Name.Schema, r.Name.Name)
			if here == nil || here.Platform || !here.IsTable() || doubts[r.Name] != "" {
				continue
			}
			if more := lacks(here, r); more != "" {
				doubts[r.Name] = fmt.Sprintf("%s has %s in %s, which is read as a database of its own; if both are one, name their folders under migrations in planvet.yaml", r.Name.Short(), more, other.Set.Dir)
			}
		}
	}
}

// lacks names an index or a policy of a table's twin that the table does not have.
func lacks(r, twin *catalog.Relation) string {
	for _, i := range twin.Indexes {
		same := func(own *catalog.Index) bool {
			return own.Method == i.Method && own.Predicate == i.Predicate && slices.Equal(own.Keys, i.Keys)
		}
		if !slices.ContainsFunc(r.Indexes, same) {
			return "index " + i.Name
		}
	}
	for _, q := range twin.Policies {
		if !slices.ContainsFunc(r.Policies, func(own *catalog.Policy) bool { return own.Name == q.Name }) {
			return "policy " + q.Name
		}
	}
	return ""
}

// doubts are the tables that a refused call may have given indexes or policies.
func doubts(cat *catalog.Catalog, refused []Problem) map[catalog.Name]string {
	out := map[catalog.Name]string{}
	for _, r := range cat.Relations() {
		for _, at := range r.ChangedBy {
			for _, q := range refused {
				if q.Location.Path == at.Path && q.Location.Line == at.Line {
					out[r.Name] = fmt.Sprintf("%s:%d may make an index or a policy of %s, and the throwaway PostgreSQL refused it (%s); ask with --confirm live", at.Path, at.Line, r.Name.Short(), q.Text)
				}
			}
		}
	}
	return out
}

// addRefused lists what a throwaway server refused of the migrations, beside what the
// replay could not apply: a statement once.
func (p *Project) addRefused(refused []Problem) {
	type line struct {
		path string
		line int
	}
	listed := map[line]bool{}
	for _, q := range p.NotApplied {
		listed[line{q.Location.Path, q.Location.Line}] = true
	}
	for _, q := range refused {
		if !listed[line{q.Location.Path, q.Location.Line}] {
			p.NotApplied = append(p.NotApplied, Problem{q.Location, "the throwaway PostgreSQL: " + q.Text})
		}
	}
	sortProblems(&p.NotApplied)
}

// makeRows makes as many rows as the catalog's sizes say, up to a limit a table.
func (p *Project) makeRows(ctx context.Context, s *live.Session, db *Database, tables []catalog.Name, limit int64) (map[catalog.Name]int64, map[catalog.Name]string, error) {
	wanted := map[catalog.Name]int64{}
	for _, t := range tables {
		if r := db.Catalog.Relation(t.Schema, t.Name); r != nil && db.Catalog.Stats != nil {
			n, _ := db.Catalog.Stats.Rows(r)
			wanted[t] = min(n, limit)
		}
	}
	report, err := shadow.MakeRows(ctx, s.Conn(), db.Catalog, wanted)
	rows, problems := map[catalog.Name]int64{}, map[catalog.Name]string{}
	for t, r := range report {
		rows[t] = r.Rows
		if r.Problem != "" {
			problems[t] = r.Problem
		}
	}
	return rows, problems, err
}

// eachDatabase hands each database the findings on its objects, keeping order. A
// database that fails does not take the verdicts of others with it.
func (p *Project) eachDatabase(ctx context.Context, fs []rules.Finding, ask func(*Database, []rules.Finding) ([]rules.Finding, error)) ([]rules.Finding, error) {
	groups := map[string][]int{}
	for i := range fs {
		if fs[i].Probe != nil {
			groups[fs[i].Probe.Database] = append(groups[fs[i].Probe.Database], i)
		}
	}
	out := append([]rules.Finding(nil), fs...)
	var failed error
	for _, db := range p.Databases {
		idx := groups[db.Set.Name]
		if len(idx) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, errors.Join(failed, err)
		}
		part := make([]rules.Finding, len(idx))
		for k, i := range idx {
			part[k] = fs[i]
		}
		got, err := ask(db, part)
		if failed == nil {
			failed = err
		}
		for k, i := range idx {
			out[i] = got[k]
		}
	}
	return out, failed
}
