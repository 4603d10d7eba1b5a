package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Options shape a session.
type Options struct {
	// Writable lifts READ ONLY, for servers of planvet's own. The transaction is
	// rolled back all the same.
	Writable bool
	// StatementTimeout, LockTimeout and IdleTimeout default to 5 s (30 s where the
	// session is writable), 200 ms (5 s) and 30 s.
	StatementTimeout, LockTimeout, IdleTimeout time.Duration
	// TransactionTimeout ends a transaction that takes longer, on servers from 17 on;
	// 0 sets none.
	TransactionTimeout time.Duration
	// Vetted makes a writable session run only what Vet lets pass, as one that is not
	// writable does: for writes on a server that is not planvet's own.
	Vetted bool
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, live, own time.Duration) {
		if *d == 0 && o.Writable && !o.Vetted {
			*d = own
		} else if *d == 0 {
			*d = live
		}
	}
	def(&o.StatementTimeout, 5*time.Second, 30*time.Second)
	def(&o.LockTimeout, 200*time.Millisecond, 5*time.Second)
	def(&o.IdleTimeout, 30*time.Second, 10*time.Minute)
	return o
}

// connectTimeout bounds the dialling of one host.
const connectTimeout = 10 * time.Second

// ErrURL says that a database URL cannot be read. What the parser says is not
// passed on: it quotes pieces of the URL, and with a character that should have
// been escaped the password is in the wrong piece.
var ErrURL = errors.New("the database URL cannot be read: write postgres://user@host:port/database, " +
	"the password percent-encoded or in PGPASSWORD")

// Connect opens a session on a server. Errors are ErrURL or one line that names
// the server, and never hold the password.
func Connect(ctx context.Context, databaseURL string, o Options) (*Session, error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil || strings.Contains(cfg.Host, "@") { // the rest of a password, not escaped
		return nil, ErrURL
	}
	cfg.RuntimeParams["application_name"] = "planvet"
	// Poolers in transaction mode have no prepared statements from one transaction
	// to the next.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	s := &Session{opts: o.withDefaults(), own: o.Writable && !o.Vetted}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if s.notice != nil {
			s.notice(n)
		}
	}
	if s.conn, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("connecting to %s: %s", where(cfg), redact(Reason(err), cfg))
	}
	return s, nil
}

// where names a server without its secrets.
func where(cfg *pgx.ConnConfig) string {
	if strings.HasPrefix(cfg.Host, "/") {
		return fmt.Sprintf("database %s at %s as %s", cfg.Database, cfg.Host, cfg.User)
	}
	return fmt.Sprintf("database %s at %s:%d as %s", cfg.Database, cfg.Host, cfg.Port, cfg.User)
}

// Reason is the innermost cause of a failed connection, on one line.
func Reason(err error) string {
	var pg *pgconn.PgError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &pg):
		return pg.Message
	case errors.As(err, &dns):
		return "no such host"
	case errors.As(err, &op):
		return op.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// redact takes the password out of a text, as it stands and as a URL writes it. A
// password that is also the user's name, or the host's, is no secret there.
func redact(text string, cfg *pgx.ConnConfig) string {
	p := cfg.Password
	if p == "" || p == cfg.User || p == cfg.Database || p == cfg.Host {
		return text
	}
	for _, form := range []string{p, url.QueryEscape(p), url.PathEscape(p), url.UserPassword("", p).String()[1:]} {
		text = strings.ReplaceAll(text, form, "xxxxx")
	}
	return text
}

// Local reports whether the server is on this machine: it is reached by a socket or a
// loopback address. What a tunnel leads to cannot be told.
func (s *Session) Local() bool {
	host := s.conn.Config().Host
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Where is the server's host and database: db.example:5432/app.
func (s *Session) Where() string {
	cfg := s.conn.Config()
	if strings.HasPrefix(cfg.Host, "/") {
		return cfg.Host + "/" + cfg.Database
	}
	return fmt.Sprintf("%s/%s", net.JoinHostPort(cfg.Host, fmt.Sprint(cfg.Port)), cfg.Database)
}
