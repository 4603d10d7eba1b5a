package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
)

// ShadowOptions say what a shadow for people holds beside the schema.
type ShadowOptions struct {
	// Rows, where not 0, are made in each table: fewer where config or statistics say
	// that it has fewer, because 40 tenants share rows otherwise than 10,000 do.
	Rows int64
	// Plan gives it statistics and file lengths instead, from the file that config names,
	// else made up: it plans like production and is empty.
	Plan bool
	// Role, where set, is made where no migration makes it, and given rights on all
	// tables: what row security forbids it stays forbidden.
	Role string
}

// Shadow is a throwaway server with a project's databases.
type Shadow struct {
	server *shadow.Server
	// Databases are in the order of the project's.
	Databases []ShadowDatabase
	Version   string
	// NotApplied are migrations that the server refused.
	NotApplied []Problem
	// Left are tables that could not be filled and statistics that found no place,
	// with the reason.
	Left []string
}

// ShadowDatabase is a database of a shadow. SearchPath is the one by which the
// project's statements name its tables, as a setting's value.
type ShadowDatabase struct{ Name, URL, SearchPath string }

// Stop stops the server and removes all of it.
func (s *Shadow) Stop() error { return s.server.Stop() }

// Shadow starts a throwaway server, applies the migrations of each database, and
// fills it as the options say. It must be stopped.
func (p *Project) Shadow(ctx context.Context, o ShadowOptions) (_ *Shadow, err error) {
	srv, refused, err := p.migratedServer(ctx, o.Plan)
	if err != nil {
		return nil, err
	}
	s := &Shadow{server: srv, Version: srv.Version()}
	for i, db := range p.Databases {
		s.NotApplied = append(s.NotApplied, refused[i]...)
		name := databaseName(i)
		if err := p.fillShadow(ctx, s, name, db, o); err != nil {
			return nil, errors.Join(unfinishedf("making a shadow of %s: %w", db.Set.Name, err), srv.Stop())
		}
		s.Databases = append(s.Databases, ShadowDatabase{db.Set.Name, srv.URL(name), SearchPath(db.Catalog)})
	}
	return s, nil
}

func (p *Project) fillShadow(ctx context.Context, s *Shadow, name string, db *Database, o ShadowOptions) error {
	session, err := live.Connect(ctx, s.server.URL(name), live.Options{Writable: true})
	if err != nil {
		return err
	}
	defer session.Close(ctx)
	if o.Role != "" {
		if err := admit(ctx, session, o.Role); err != nil {
			return fmt.Errorf("role %s: %w", o.Role, err)
		}
	}
	switch {
	case o.Plan:
		left, err := p.loadPlan(ctx, session, db)
		if err != nil {
			return err
		}
		s.Left = append(s.Left, left...)
		return s.server.Extend(ctx, name)
	case o.Rows > 0:
		cat, err := session.LoadCatalog(ctx)
		if err != nil {
			return err
		}
		cat.Stats = db.Catalog.Stats
		wanted := map[catalog.Name]int64{}
		for _, r := range cat.Relations() {
			if r.IsTable() && r.PartitionOf == (catalog.Name{}) {
				wanted[r.Name] = o.Rows
				if cat.Stats != nil {
					if n, source := cat.Stats.Rows(r); source != "default" && n > 0 {
						wanted[r.Name] = min(o.Rows, n)
					}
				}
			}
		}
		p.progress("making rows")
		report, err := shadow.MakeRows(ctx, session.Conn(), cat, wanted)
		for _, r := range cat.Relations() {
			if problem := report[r.Name].Problem; problem != "" {
				s.Left = append(s.Left, "table "+r.Name.String()+": "+problem)
			}
		}
		return err
	}
	return nil
}

// admit lets a role do what row security does not forbid.
func admit(ctx context.Context, s *live.Session, role string) error {
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		return err
	}
	rows, err := s.Query(ctx, "select 1 from pg_catalog.pg_roles where rolname = $1", &role)
	if err != nil {
		return err
	}
	sql := confirm.GrantAll(cat, role)
	if len(rows) == 0 {
		sql = "create role " + quoteName(role) + " nologin; " + sql
	}
	if err := s.Begin(ctx); err != nil {
		return err
	}
	_, err = s.Conn().PgConn().Exec(ctx, sql+"commit").ReadAll()
	return errors.Join(err, s.Rollback(ctx))
}

// SearchPath is where unqualified names of a project's statements are looked for.
func SearchPath(cat *catalog.Catalog) string {
	path := cat.SearchPath
	if cat.HasSchema("extensions") && !slices.Contains(path, "extensions") {
		path = append(slices.Clone(path), "extensions")
	}
	return quotedPath(path)
}

// quotedPath is a search path as a setting's value.
func quotedPath(path []string) string {
	quoted := make([]string, len(path))
	for i, s := range path {
		quoted[i] = quoteName(s)
	}
	return strings.Join(quoted, ", ")
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func databaseName(i int) string { return fmt.Sprintf("planvet_%d", i+1) }

// migratedServer starts a throwaway server with a database a project's database, in
// which its migrations were applied now or, where the same were applied before, which
// are copies. Those that the server refused are returned by database. Nobody is
// connected, so that a database can be copied. inMemory is set where few rows are made.
func (p *Project) migratedServer(ctx context.Context, inMemory bool) (*shadow.Server, [][]Problem, error) {
	var key []string
	for _, db := range p.Databases {
		key = append(key, shadow.ApplyKey(db.Replay))
	}
	srv, err := shadow.Start(ctx, shadow.Options{
		Major: p.Config.Postgres, Progress: p.lineProgress(), InMemory: inMemory,
		Template: &shadow.Template{Key: shadow.KeyOf(key...), Make: p.migrate},
	})
	if err != nil {
		return nil, nil, unfinishedf("starting a throwaway PostgreSQL: %w", err)
	}
	var refused [][]Problem
	if err := json.Unmarshal(srv.Note, &refused); err != nil || len(refused) != len(p.Databases) {
		return nil, nil, errors.Join(unfinishedf("reading what the throwaway PostgreSQL refused: %w", err), srv.Stop())
	}
	return srv, refused, nil
}

// migrate makes the databases of migratedServer and notes what was refused.
func (p *Project) migrate(ctx context.Context, srv *shadow.Server) ([]byte, error) {
	refused := make([][]Problem, len(p.Databases))
	for i, db := range p.Databases {
		p.progress("applying migrations of " + db.Set.Name)
		url, err := srv.NewDatabase(ctx, databaseName(i))
		if err != nil {
			return nil, err
		}
		s, err := live.Connect(ctx, url, live.Options{Writable: true})
		if err != nil {
			return nil, err
		}
		problems, err := shadow.Apply(ctx, s.Conn(), db.Replay)
		if e := s.Close(ctx); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
		refused[i] = migrationProblems(problems)
	}
	return json.Marshal(refused)
}
