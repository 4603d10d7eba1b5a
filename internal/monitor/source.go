package monitor

import (
	"context"
	"fmt"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
)

// Source reads one server again and again. It connects anew where the connection is
// lost, so that a watch survives a restart of the server. It is not safe for concurrent
// use.
type Source struct {
	// Name is the target's name in a fleet; "" for one server.
	Name string
	// Connect opens a session.
	Connect func(context.Context) (*live.Session, error)
	// Activity says what is read beside statements.
	Activity Activity
	// Own reads the statements of the session's role alone.
	Own bool
	// History, where not nil, gets every reading.
	History *History

	session *live.Session
	sight   sight
	catalog *catalog.Catalog
	shapes  *Shapes
	// lost is when the server did not answer first; zero while it does.
	lost time.Time
}

// Activity is what a reading holds beside statements.
type Activity struct {
	Connections, Locks, Scans bool
	// PgBouncer opens a session on its console, Supavisor is the address of its metrics
	// and Token what it asks for.
	PgBouncer        func(context.Context) (*live.Session, error)
	Supavisor, Token string
}

// Read reads the server, after connecting where that is needed.
func (s *Source) Read(ctx context.Context) (*Reading, error) {
	r, err := s.read(ctx)
	if err != nil && s.session != nil && s.session.Conn().IsClosed() {
		// The connection may have been lost long ago: one more try tells.
		s.Close(ctx)
		r, err = s.read(ctx)
	}
	if err != nil && s.lost.IsZero() {
		s.lost = time.Now()
	}
	if err == nil && !s.lost.IsZero() {
		r.Notes = append(r.Notes, fmt.Sprintf("the server did not answer from %s to %s", s.lost.UTC().Format(time.TimeOnly), time.Now().UTC().Format(time.TimeOnly)))
		s.lost = time.Time{}
	}
	if err == nil && s.History != nil {
		err = s.History.Append(ctx, r)
	}
	return r, err
}

func (s *Source) read(ctx context.Context) (*Reading, error) {
	if s.session == nil {
		session, err := s.Connect(ctx)
		if err != nil {
			return nil, err
		}
		s.session, s.catalog, s.sight = session, nil, lookAround(ctx, session)
	}
	// A schema change holds locks that the schema cannot be read under; what the server
	// does is worth knowing just then, and a class of statements can wait.
	var schema error
	if s.catalog == nil {
		if s.catalog, schema = s.session.LoadCatalog(ctx); schema != nil && s.session.Conn().IsClosed() {
			return nil, fmt.Errorf("reading the server's schema: %w", schema)
		}
		s.shapes = NewShapes(s.catalog)
	}
	r, err := read(ctx, s.session, s.sight, s.Own)
	if err != nil {
		return nil, err
	}
	if schema != nil {
		s.catalog = nil
		r.Notes = append(r.Notes, fmt.Sprintf("the server's schema could not be read (%v): statements have no class", schema))
	}
	return r, s.activity(ctx, r)
}

func (s *Source) activity(ctx context.Context, r *Reading) (err error) {
	a := s.Activity
	if a.Connections || a.PgBouncer != nil || a.Supavisor != "" {
		if r.Connections, err = readConnections(ctx, s.session, s.sight.activity); err != nil {
			return err
		}
	}
	if a.PgBouncer != nil {
		console, err := a.PgBouncer(ctx)
		if err != nil {
			return err
		}
		defer console.Close(ctx)
		pools, err := ReadPgBouncer(ctx, console)
		if err != nil {
			return err
		}
		for i := range pools {
			pools[i].held(r.Connections)
		}
		r.Pools = append(r.Pools, pools...)
	}
	if a.Supavisor != "" {
		pools, err := ReadSupavisor(ctx, a.Supavisor, a.Token)
		if err != nil {
			return err
		}
		r.Pools = append(r.Pools, pools...)
	}
	if a.Locks {
		if r.Locks, err = readLocks(ctx, s.session, s.sight.activity); err != nil {
			return err
		}
	}
	if a.Scans {
		r.Scans, err = ReadScans(ctx, s.session)
	}
	return err
}

// Catalog is the schema as it was when the source connected; nil before, and while it
// cannot be read.
func (s *Source) Catalog() *catalog.Catalog { return s.catalog }

// Close ends the session.
func (s *Source) Close(ctx context.Context) {
	if s.session != nil {
		s.session.Close(ctx)
		s.session = nil
	}
}
