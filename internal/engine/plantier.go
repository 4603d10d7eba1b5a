package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/stats"
)

// planTier is a database that plans like production, with candidate indexes.
type planTier struct {
	*live.Session
	db         *Database
	candidates shadow.Candidates
}

// planTier makes one of a migrated database, in the order that matters: candidates are
// built while the tables are empty, since building one after statistics are there would
// reset its table's size, and files get their lengths last.
func (p *Project) planTier(ctx context.Context, srv *shadow.Server, name string, db *Database, ddl []string) (_ *planTier, err error) {
	url := srv.URL(name)
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return nil, err
	}
	t := &planTier{db: db}
	p.progress("building candidate indexes")
	if t.candidates, err = shadow.BuildHidden(ctx, s.Conn(), ddl); err == nil {
		_, err = p.loadPlan(ctx, s, db)
	}
	if e := s.Close(ctx); err == nil {
		err = e
	}
	if err == nil {
		err = srv.Extend(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	t.Session, err = live.Connect(ctx, url, live.Options{Writable: true})
	return t, err
}

// loadPlan gives a database the statistics of production where config names their
// file, and made-up ones for what the file lacks. It returns what was left out.
func (p *Project) loadPlan(ctx context.Context, s *live.Session, db *Database) (left []string, err error) {
	p.progress("loading statistics of " + db.Set.Name)
	f := shadow.Profile(db.Catalog, p.tableProfile)
	if db.Statistics != nil {
		f = merged(db.Statistics, f)
	}
	// Statements ask for what is recent, so times end now.
	loaded, err := shadow.LoadStatistics(ctx, s.Conn(), f, time.Now())
	if err != nil {
		return nil, err
	}
	return loaded.Missing, shadow.SizeIndexes(ctx, s.Conn(), nil)
}

// merged are the statistics of a file, and of another for tables that it lacks or that
// were never analyzed.
func merged(f, profile *stats.File) *stats.File {
	out := *f
	out.Tables = slices.Clone(f.Tables)
	for _, t := range profile.Tables {
		have := f.Table(t.Schema, t.Name)
		if have != nil && have.Rows >= 0 {
			continue
		}
		out.Tables = slices.DeleteFunc(out.Tables, func(o stats.Table) bool { return o.Schema == t.Schema && o.Name == t.Name })
		out.Tables = append(out.Tables, t)
	}
	out.Sort()
	return &out
}

// tableProfile is what config says of a table.
func (p *Project) tableProfile(name catalog.Name) shadow.TableProfile {
	t := p.Config.Table(name.Schema, name.Name)
	return shadow.TableProfile{Width: t.Width, Distinct: t.Distinct, Recent: t.Recent}
}

// confirm is the tier as the confirmation asks it.
func (t *planTier) confirm() *confirm.PlanTier {
	built := map[string][]confirm.Index{}
	for sql, all := range t.candidates.Built {
		for _, b := range all {
			built[sql] = append(built[sql], confirm.Index(b))
		}
	}
	of := func(n catalog.Name) *stats.Table {
		if t.db.Statistics == nil {
			return nil
		}
		if s := t.db.Statistics.Table(n.Schema, n.Name); s != nil && s.Rows >= 0 {
			return s
		}
		return nil
	}
	return &confirm.PlanTier{
		Server: t.Session, Built: built, Refused: t.candidates.Refused,
		Known:   func(n catalog.Name) bool { return of(n) != nil && t.db.Statistics.Values },
		Guessed: func(n catalog.Name) bool { return of(n) == nil },
	}
}

// checkProfiles looks for columns that config names and tables do not have. Before a
// change they may not have them yet.
func (p *Project) checkProfiles() error {
	if p.twin != nil {
		return nil
	}
	for _, db := range p.Databases {
		for _, r := range db.Catalog.Relations() {
			t := p.tableProfile(r.Name)
			for _, c := range append(slices.Sorted(maps.Keys(t.Distinct)), t.Recent...) {
				if r.IsTable() && !r.Stub && r.Column(c) == nil {
					return usagef("%s: tables: %s has no column %s", p.rel(p.Config.File), r.Name, c)
				}
			}
		}
	}
	return nil
}
