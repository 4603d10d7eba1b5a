package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/pgast"
)

// Statements opens connections for one case of a database under a correlation id. Each
// execution has a transaction of its own that is rolled back; what is measured is the
// statement, from when it is sent to its last row.
func Statements(d *suite.DB, c *suite.Statement, id string) (func(context.Context) (Client, error), error) {
	if err := checkStatement(c.SQL); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	cfg, err := pgx.ParseConfig(d.URL)
	if err != nil {
		// What the parser says may quote a password.
		return nil, errors.New("the database URL of suite db cannot be read: write postgres://user@host:port/database")
	}
	cfg.RuntimeParams["application_name"] = applicationName(id, c.Name)
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	// Who stops waiting has the server stop too.
	cfg.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	s := &statement{c: c, cfg: cfg}
	if s.begin, err = beginning(c); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	for _, p := range c.Params {
		if p == nil {
			s.args = append(s.args, nil)
		} else {
			s.args = append(s.args, *p)
		}
	}
	return func(ctx context.Context) (Client, error) {
		k := &sqlClient{statement: s}
		return k, k.connect(ctx)
	}, nil
}

// allowed are the first words of statements that leave the transaction around them alone.
var allowed = []string{"select", "with", "insert", "update", "delete", "merge", "values", "table"}

// checkStatement refuses what would not be undone by the rollback: more than one
// statement, or one that ends the transaction.
func checkStatement(sql string) error {
	pieces := pgast.Split(sql)
	if len(pieces) != 1 {
		return fmt.Errorf("sql holds %d statements: write one", len(pieces))
	}
	word, _, _ := strings.Cut(strings.Join(strings.Fields(strings.ToLower(sql)), " "), " ")
	word, _, _ = strings.Cut(strings.TrimLeft(word, "("), "(")
	if !slices.Contains(allowed, word) {
		return fmt.Errorf("sql begins with %q, and must with one of %s: it runs in a transaction that is rolled back", word, strings.Join(allowed, ", "))
	}
	return nil
}

// applicationName is planvet/id/case, in what PostgreSQL keeps of a name: 63 bytes of
// printable ASCII. The id goes in whole where it fits.
func applicationName(id, name string) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, "planvet/"+id+"/"+name)
	return s[:min(len(s), 63)]
}

// beginning opens a transaction as the case's role, with its claims and settings.
func beginning(c *suite.Statement) (string, error) {
	b := []string{"begin"}
	if c.Role != "" {
		b = append(b, "set local role "+pgx.Identifier{c.Role}.Sanitize())
	}
	settings := maps.Clone(c.Settings)
	if c.Claims != nil {
		if settings == nil {
			settings = map[string]string{}
		}
		text, err := json.Marshal(c.Claims)
		if err != nil {
			return "", fmt.Errorf("claims: %w", err)
		}
		settings["request.jwt.claims"] = string(text)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		b = append(b, "select set_config("+literal(name)+", "+literal(settings[name])+", true)")
	}
	return strings.Join(b, "; "), nil
}

func literal(s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return " E'" + strings.ReplaceAll(s, `\`, `\\`) + "'"
	}
	return "'" + s + "'"
}

type statement struct {
	c     *suite.Statement
	cfg   *pgx.ConnConfig
	begin string
	args  []any
}

type sqlClient struct {
	*statement
	conn *pgx.Conn
	// whole has the time begin with the transaction: behind a pooler that waits.
	whole bool
}

// prepared is the name of a case's prepared statement on its connection.
const prepared = "planvet_bench"

func (k *sqlClient) connect(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, k.cfg.Copy())
	if err != nil {
		return fmt.Errorf("connecting to database %s at %s:%d as %s: %s", k.cfg.Database, k.cfg.Host, k.cfg.Port, k.cfg.User, reason(err))
	}
	k.conn = conn
	if k.c.Protocol == "simple" {
		return nil
	}
	// A role's own search_path, and its rights, are those under which it is prepared.
	_, err = conn.PgConn().Exec(ctx, k.begin).ReadAll()
	if err == nil {
		_, err = conn.Prepare(ctx, prepared, k.c.SQL)
	}
	if err == nil {
		_, err = conn.Exec(ctx, "rollback")
	}
	if err != nil {
		k.Close()
		return fmt.Errorf("case %s: %s", k.c.Name, reason(err))
	}
	return nil
}

// reason is what a server says, without the connection's settings.
func reason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Message
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// Do runs the statement once.
func (k *sqlClient) Do(ctx context.Context) (o Outcome) {
	if k.conn == nil || k.conn.IsClosed() {
		if err := k.connect(ctx); err != nil {
			now := time.Now()
			return Outcome{Begin: now, End: now, Class: ClassRefused}
		}
	}
	start := time.Now()
	if _, err := k.conn.PgConn().Exec(ctx, k.begin).ReadAll(); err != nil {
		k.rollback(ctx)
		now := time.Now()
		return Outcome{Begin: now, End: now, Class: k.class(ctx, err)}
	}
	sql, args := prepared, k.args
	if k.c.Protocol == "simple" {
		sql, args = k.c.SQL, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)
	}
	if o.Begin = time.Now(); k.whole {
		o.Begin = start
	}
	rows, err := k.conn.Query(ctx, sql, args...)
	if err == nil {
		for rows.Next() {
			for _, v := range rows.RawValues() {
				o.Bytes += int64(len(v))
			}
		}
		rows.Close()
		err = rows.Err()
	}
	o.End = time.Now()
	switch {
	case err != nil:
		o.Class = k.class(ctx, err)
	case k.c.Rows != nil && rows.CommandTag().RowsAffected() != *k.c.Rows:
		o.Class = ClassRows
	}
	k.rollback(ctx)
	return o
}

// rollback ends the transaction; a connection that cannot is given up.
func (k *sqlClient) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if k.conn.IsClosed() {
		return
	}
	if _, err := k.conn.PgConn().Exec(ctx, "rollback").ReadAll(); err != nil {
		k.conn.Close(ctx)
	}
}

func (k *sqlClient) class(ctx context.Context, err error) string {
	var pg *pgconn.PgError
	if ctx.Err() == nil && errors.As(err, &pg) {
		return pg.Code
	}
	return classOf(ctx, err)
}

// Close ends the connection.
func (k *sqlClient) Close() {
	if k.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	k.conn.Close(ctx)
}
