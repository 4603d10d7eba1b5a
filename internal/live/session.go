package live

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

// Options shape a session.
type Options struct {
	// Writable lifts READ ONLY, for servers of planvet's own. The transaction is
	// rolled back all the same.
	Writable bool
	// StatementTimeout, LockTimeout and IdleTimeout default to 5 s, 200 ms, 30 s.
	StatementTimeout, LockTimeout, IdleTimeout time.Duration
}

// Session is one connection. It is not safe for concurrent use.
type Session struct {
	conn *pgx.Conn
	opts Options
}

// Connect opens a session on a server. Errors are one line and never hold the
// password.
func Connect(ctx context.Context, url string, o Options) (*Session, error) {
	return nil, errors.New("not built yet")
}

// Close ends the session.
func (s *Session) Close(ctx context.Context) error { return s.conn.Close(ctx) }

// Conn is the connection underneath.
func (s *Session) Conn() *pgx.Conn { return s.conn }

// Version is the server's version as it prints it: 15.18.
func (s *Session) Version() string { return "" }

// Major is the server's major version: 15.
func (s *Session) Major() int { return 0 }

// Explain plans one statement, see plan.Request.
func (s *Session) Explain(ctx context.Context, r plan.Request) (*plan.Plan, error) {
	return nil, errors.New("not built yet")
}

// LoadCatalog reads the schema, see the function LoadCatalog.
func (s *Session) LoadCatalog(ctx context.Context) (*catalog.Catalog, error) {
	return LoadCatalog(ctx, s.conn)
}

// LoadCatalog reads a server's schema without the system's own, every expression
// in normal form. It pins an empty search_path for the time of its transaction,
// so that names come out qualified.
func LoadCatalog(ctx context.Context, conn *pgx.Conn) (*catalog.Catalog, error) {
	return nil, errors.New("not built yet")
}
