package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/sqllint"
)

// Plans are how a server plans statements of a project.
type Plans struct {
	// Server says what was asked: a throwaway server that plans like production, or the
	// one that the user named, and its version.
	Server string
	Of     []StatementPlan
}

// StatementPlan is how a server plans one statement for every value, as its role.
type StatementPlan struct {
	ChangedStatement
	// Role is the one that it was planned as, "" for the owner.
	Role string
	// Plan is nil where Problem says why.
	Plan    *plan.Plan
	Problem string
}

// planTimeout bounds one plan.
const planTimeout = 30 * time.Second

// Planned reports whether a server plans a statement on its own: a query, and not one in
// the body of a function, whose variables have no values outside. Generated code says what
// its query file says.
func Planned(s *sqllint.Statement) bool {
	if s.Generated || len(s.Variables) > 0 || s.Source == sqllint.FromView {
		return false
	}
	switch s.Stmt.(type) {
	case *pgast.Select, *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
		return true
	}
	return false
}

// Plans asks for the plans of statements, those that Planned tells. Without a URL it
// starts a throwaway server that plans like production: it is empty, and has statistics
// and file lengths. The error says that there is no server to ask.
func (p *Project) Plans(ctx context.Context, all []ChangedStatement, o ConfirmOptions) (*Plans, error) {
	opts, err := p.confirmOptions(o)
	if err != nil {
		return nil, usagef("%s: claims: %w", p.rel(p.Config.File), err)
	}
	by := map[*Database][]ChangedStatement{}
	for _, s := range all {
		if Planned(s.Statement) {
			db := p.databaseFor(tableNames(s.Statement), s.SearchPath, s.Location.Path)
			by[db] = append(by[db], s)
		}
	}
	out := &Plans{}
	if len(by) == 0 {
		return out, nil
	}
	if o.URL != "" {
		s, err := Connect(ctx, o.URL, live.Options{})
		if err != nil {
			return nil, err
		}
		defer s.Close(ctx)
		out.Server = "PostgreSQL " + s.Version() + " at " + s.Where()
		for _, db := range p.Databases {
			opts := opts
			opts.Server, opts.Live = s, true
			out.ask(ctx, s, db, by[db], opts, sessions(ctx, db, by[db], opts))
		}
		return out, ctx.Err()
	}
	srv, refused, err := p.migratedServer(ctx, true)
	if err != nil {
		return nil, err
	}
	out.Server = "a throwaway PostgreSQL " + srv.Version() + " with the statistics of production that planvet has, else assumed ones"
	for i, db := range p.Databases {
		if len(by[db]) > 0 && err == nil {
			p.addRefused(refused[i])
			err = p.plansIn(ctx, srv, databaseName(i), db, by[db], opts, out)
		}
	}
	if err != nil {
		err = unfinishedf("planning on a throwaway PostgreSQL: %s", srv.Explain(err))
	}
	return out, errors.Join(err, srv.Stop())
}

// plansIn asks in a migrated database. Roles are let in and settings looked for while it
// is empty and small.
func (p *Project) plansIn(ctx context.Context, srv *shadow.Server, name string, db *Database, all []ChangedStatement, o confirm.Options, out *Plans) error {
	s, err := live.Connect(ctx, srv.URL(name), live.Options{Writable: true})
	if err != nil {
		return err
	}
	roles := map[string]bool{}
	for _, st := range all {
		if r := roleOf(st.Statement, o); r != "" && !roles[r] {
			roles[r] = true
			err = errors.Join(err, admit(ctx, s, r))
		}
	}
	var settings map[string]session
	if err == nil {
		o.Server = s
		settings = sessions(ctx, db, all, o)
		_, err = p.loadPlan(ctx, s, db)
	}
	if err = errors.Join(err, s.Close(ctx)); err != nil {
		return err
	}
	if err := srv.Extend(ctx, name); err != nil {
		return err
	}
	if s, err = live.Connect(ctx, srv.URL(name), live.Options{Writable: true}); err != nil {
		return err
	}
	p.progress("planning what is new or changed")
	out.ask(ctx, s, db, all, o, settings)
	return errors.Join(ctx.Err(), s.Close(ctx))
}

// roleOf is the role that a statement is planned as.
func roleOf(s *sqllint.Statement, o confirm.Options) string {
	if s.Role == "" && !s.RoleKnown {
		return o.Role
	}
	return s.Role
}

// session is what policies read while a role's statements are planned.
type session struct {
	settings map[string]string
	doubt    string
}

// sessions are those of each role, for the tables of its statements.
func sessions(ctx context.Context, db *Database, all []ChangedStatement, o confirm.Options) map[string]session {
	rels := map[string][]*catalog.Relation{}
	for _, s := range all {
		role := roleOf(s.Statement, o)
		for _, n := range tableNames(s.Statement) {
			if r := db.Catalog.Resolve(n.Schema, n.Name, s.SearchPath); r != nil && !slices.Contains(rels[role], r) {
				rels[role] = append(rels[role], r)
			}
		}
	}
	out := map[string]session{}
	for role, tables := range rels {
		if role == "" {
			continue // the owner: no policy is read
		}
		sets, doubt := confirm.Sessions(ctx, db.Catalog, role, tables, o)
		one := session{doubt: doubt}
		if len(sets) > 0 {
			one.settings = sets[0]
		}
		out[role] = one
	}
	return out
}

// ask plans statements; one that cannot be planned says why.
func (out *Plans) ask(ctx context.Context, s *live.Session, db *Database, all []ChangedStatement, o confirm.Options, by map[string]session) {
	for _, st := range all {
		if ctx.Err() != nil {
			return
		}
		role := roleOf(st.Statement, o)
		have := by[role]
		settings := maps.Clone(have.settings)
		if settings == nil {
			settings = map[string]string{}
		}
		path := SearchPath(db.Catalog)
		if st.SearchPath != nil {
			path = quotedPath(st.SearchPath)
		}
		settings["search_path"] = path
		one := StatementPlan{ChangedStatement: st, Role: role}
		pl, err := s.Explain(ctx, plan.Request{SQL: st.Text, Role: role, Settings: settings, Generic: true, Timeout: planTimeout})
		switch one.Plan = pl; {
		case err != nil && have.doubt != "":
			one.Problem = have.doubt
		case err != nil:
			one.Problem = live.Reason(err)
		}
		out.Of = append(out.Of, one)
	}
}
