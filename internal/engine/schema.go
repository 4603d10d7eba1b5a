package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/sqllint"
)

// ServerCatalog loads the schema of a server that the user names.
func ServerCatalog(ctx context.Context, url string) (*catalog.Catalog, error) {
	s, err := Connect(ctx, url, live.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close(ctx)
	c, err := s.LoadCatalog(ctx)
	if err != nil {
		return nil, unfinishedf("reading the server's schema: %w", err)
	}
	return c, nil
}

// SchemaOf returns the catalog of one database; "" means the only one, or all of
// them in one catalog where no name stands in two.
func (p *Project) SchemaOf(name string) (*catalog.Catalog, error) {
	names := make([]string, len(p.Databases))
	for i, db := range p.Databases {
		if names[i] = db.Set.Name; names[i] == name {
			return db.Catalog, nil
		}
	}
	if name != "" {
		return nil, usagef("no database %q: the project has %s", name, strings.Join(names, ", "))
	}
	if len(p.Databases) == 1 {
		return p.Databases[0].Catalog, nil
	}
	merged := catalog.New()
	for _, db := range p.Databases {
		for _, r := range db.Catalog.Relations() {
			if old := merged.Relation(r.Schema, r.Name.Name); old != nil && !old.Stub && !r.Stub && !r.Platform {
				return nil, usagef("databases %s both have %s: name one with --database", strings.Join(names, ", "), r.Name)
			}
			if !r.Stub {
				merged.AddRelation(r)
			}
		}
		for _, f := range db.Catalog.AllFunctions() {
			merged.AddFunction(f)
		}
		for _, t := range db.Catalog.Types() {
			merged.AddType(t)
		}
		for e, l := range db.Catalog.Extensions {
			merged.Extensions[e] = l
		}
	}
	return merged, nil
}

// MigrationsUnparsed are the unparsed pieces of migrations, without those of
// query files and Go code.
func (p *Project) MigrationsUnparsed() []Problem {
	var out []Problem
	for _, db := range p.Databases {
		out = append(out, migrationProblems(db.Replay.Unparsed)...)
	}
	sortProblems(&out)
	return out
}

// DiscoveryNotes say, a line each, which migrations were taken and which were
// not, with the config that settles a choice.
func (p *Project) DiscoveryNotes() []string {
	var out []string
	for _, db := range p.Databases {
		s := db.Set
		out = append(out, fmt.Sprintf("database %s: %d %s migrations in %s: %s", s.Name, len(s.Scripts), s.Format, s.Dir, s.Chosen))
	}
	for _, a := range p.Discovery.Ambiguous {
		out = append(out, fmt.Sprintf("database %s: %s was taken of %s; planvet.yaml settles it: %s",
			a.Database, a.Taken, strings.Join(a.Candidates, ", "), a.Config))
	}
	for _, s := range p.Discovery.Skipped {
		out = append(out, fmt.Sprintf("skipped %s: %s", s.Path, s.Reason))
	}
	return out
}

// Files counts the migration files that were replayed.
func (db *Database) Files() int {
	seen := map[string]bool{}
	for _, s := range db.Set.Scripts {
		seen[s.Path] = true
	}
	return len(seen)
}

// QueryList is what planvet queries lists.
type QueryList struct {
	Statements           []*sqllint.Statement
	Unresolved, Unparsed []Problem
}

// Queries are the statements that the paths of the options show.
func (p *Project) Queries() QueryList {
	hidden := func(q Problem) bool { return !p.shows(q.Location.Path) }
	return QueryList{
		Statements: slices.DeleteFunc(slices.Clone(p.Statements), func(s *sqllint.Statement) bool { return !p.shows(s.Location.Path) }),
		Unresolved: slices.DeleteFunc(slices.Clone(p.Unresolved), hidden),
		Unparsed:   slices.DeleteFunc(slices.Clone(p.Unparsed), hidden),
	}
}

// DatabaseOf is the index of the database of a name; "" is the only one.
func (p *Project) DatabaseOf(name string) (int, error) {
	var names []string
	for i, db := range p.Databases {
		if db.Set.Name == name {
			return i, nil
		}
		names = append(names, db.Set.Name)
	}
	switch {
	case name != "":
		return 0, usagef("no database %q: the project has %s", name, strings.Join(names, ", "))
	case len(p.Databases) > 1:
		return 0, usagef("the project has the databases %s: name one with --database", strings.Join(names, ", "))
	}
	return 0, nil
}
