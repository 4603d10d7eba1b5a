package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
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
	cfg, err := configOf(d.URL, "db", id, c.Name)
	if err != nil {
		return nil, err
	}
	s, err := statementOf(c, prepared, "rollback")
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	for i := range max(1, len(c.Data)) {
		s.args = append(s.args, c.Values(i))
	}
	var clients atomic.Int64
	return func(ctx context.Context) (Client, error) {
		k := &sqlClient{session: &session{cfg: cfg}, statement: s}
		// Clients begin at different rows, and go through all of them.
		k.next = int((clients.Add(1) - 1) * 31 % int64(len(s.args)))
		return k, k.connect(ctx)
	}, nil
}

// configOf is how connections of a suite's case are made.
func configOf(url, suite, id, name string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// What the parser says may quote a password.
		return nil, fmt.Errorf("the database URL of suite %s cannot be read: write postgres://user@host:port/database", suite)
	}
	cfg.RuntimeParams["application_name"] = applicationName(id, name)
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	// Who stops waiting has the server stop too.
	cfg.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	return cfg, nil
}

// statementOf is a case's statement, prepared under a name, in a transaction that ends with
// end: rollback or commit. A statement that commits needs none unless it sets something.
func statementOf(c *suite.Statement, name, end string) (*statement, error) {
	if err := checkStatement(c.SQL); err != nil {
		return nil, err
	}
	s := &statement{c: c, name: name, end: end}
	alone := c.Role == "" && c.Claims == nil && len(c.Settings) == 0
	if c.Transaction == "none" && !alone {
		return nil, errors.New("transaction: none has no place for a role, claims or settings")
	}
	if c.Transaction == "none" || end == "commit" && alone {
		return s, nil
	}
	var err error
	s.begin, err = beginning(c)
	return s, err
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
	c *suite.Statement
	// name is the prepared statement's; begin opens its transaction and end ends it, begin
	// is "" where it has none.
	name, begin, end string
	args             [][][]byte // by row of the case's data
}

// session is a connection, and which statements are prepared on it.
type session struct {
	cfg  *pgx.ConnConfig
	conn *pgx.Conn
	has  map[string]bool
	// whole has the time begin with the transaction: behind a pooler that waits.
	whole bool
}

// sqlClient runs one statement.
type sqlClient struct {
	*session
	*statement
	next int // row of args
}

// prepared is the name of a case's prepared statement on its connection.
const prepared = "planvet_bench"

func (k *sqlClient) connect(ctx context.Context) error { return k.ready(ctx, k.statement) }

// ready connects, where there is no connection, and prepares a statement on it.
func (k *session) ready(ctx context.Context, s *statement) error {
	if k.conn == nil || k.conn.IsClosed() {
		conn, err := pgx.ConnectConfig(ctx, k.cfg.Copy())
		if err != nil {
			return &failure{fmt.Sprintf("connecting to database %s at %s:%d as %s: %s", k.cfg.Database, k.cfg.Host, k.cfg.Port, k.cfg.User, reason(err)), err}
		}
		k.conn, k.has = conn, map[string]bool{}
	}
	if s.c.Protocol == "simple" || k.has[s.name] {
		return nil
	}
	// A role's own search_path, and its rights, are those under which it is prepared.
	var err error
	if s.begin != "" {
		_, err = k.conn.PgConn().Exec(ctx, s.begin).ReadAll()
	}
	if err == nil {
		_, err = k.conn.Prepare(ctx, s.name, s.c.SQL)
	}
	if err == nil && s.begin != "" {
		_, err = k.conn.Exec(ctx, "rollback")
	}
	if err != nil {
		k.Close()
		return &failure{fmt.Sprintf("case %s: %s", s.c.Name, reason(err)), err}
	}
	k.has[s.name] = true
	return nil
}

// failure is an error that says no more than it may of its cause.
type failure struct {
	text  string
	cause error
}

// Error is the text.
func (f *failure) Error() string { return f.text }

// Unwrap is the cause.
func (f *failure) Unwrap() error { return f.cause }

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
func (k *sqlClient) Do(ctx context.Context) Outcome {
	args := k.args[k.next]
	k.next = (k.next + 1) % len(k.args)
	return k.run(ctx, k.statement, args, nil)
}

// run runs a statement once; see, unless nil, is shown each row with the columns' names.
func (k *session) run(ctx context.Context, s *statement, args [][]byte, see func([]pgconn.FieldDescription, [][]byte)) (o Outcome) {
	now := func(class string) Outcome {
		at := time.Now()
		return Outcome{Begin: at, End: at, Class: class}
	}
	if err := k.ready(ctx, s); err != nil {
		return now(k.class(ctx, err, ClassRefused))
	}
	start := time.Now()
	if s.begin != "" {
		if _, err := k.conn.PgConn().Exec(ctx, s.begin).ReadAll(); err != nil {
			k.finish(ctx, "rollback")
			return now(k.class(ctx, err, ""))
		}
	}
	var rows *pgconn.ResultReader
	if o.Begin = time.Now(); k.whole {
		o.Begin = start
	}
	if s.c.Protocol == "simple" {
		o.Class = k.simple(ctx, s, args, see, &o)
	} else {
		rows = k.conn.PgConn().ExecPrepared(ctx, s.name, args, nil, nil)
		for rows.NextRow() {
			for _, v := range rows.Values() {
				o.Bytes += int64(len(v))
			}
			if see != nil {
				see(rows.FieldDescriptions(), rows.Values())
			}
		}
		tag, err := rows.Close()
		o.Class = k.judge(ctx, s, tag, err)
	}
	o.End = time.Now()
	if s.begin != "" {
		end := s.end
		if o.Class != "" {
			end = "rollback"
		}
		if class := k.finish(ctx, end); class != "" && o.Class == "" && end == "commit" {
			o.Class = class
		}
		if end == "commit" {
			o.End = time.Now() // who waits for a write waits for its commit
		}
	}
	return o
}

// simple sends a statement as text, with its values in it.
func (k *session) simple(ctx context.Context, s *statement, args [][]byte, see func([]pgconn.FieldDescription, [][]byte), o *Outcome) string {
	values := []any{pgx.QueryExecModeSimpleProtocol}
	for _, a := range args {
		if a == nil {
			values = append(values, nil)
		} else {
			values = append(values, string(a))
		}
	}
	rows, err := k.conn.Query(ctx, s.c.SQL, values...)
	if err != nil {
		return k.class(ctx, err, "")
	}
	for rows.Next() {
		for _, v := range rows.RawValues() {
			o.Bytes += int64(len(v))
		}
		if see != nil {
			see(rows.FieldDescriptions(), rows.RawValues())
		}
	}
	rows.Close()
	return k.judge(ctx, s, rows.CommandTag(), rows.Err())
}

// judge is the class of an answer.
func (k *session) judge(ctx context.Context, s *statement, tag pgconn.CommandTag, err error) string {
	switch {
	case err != nil:
		return k.class(ctx, err, "")
	case s.c.Rows != nil && tag.RowsAffected() != *s.c.Rows:
		return ClassRows
	}
	return ""
}

// rollback ends the transaction.
func (k *session) rollback(ctx context.Context) { k.finish(ctx, "rollback") }

// finish ends the transaction, and says the class of an error; a connection that cannot is
// given up.
func (k *session) finish(ctx context.Context, how string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if k.conn.IsClosed() {
		return ClassReset
	}
	if _, err := k.conn.PgConn().Exec(ctx, how).ReadAll(); err != nil {
		k.conn.Close(ctx)
		return k.class(ctx, err, ClassOther)
	}
	return ""
}

// class is an error's SQLSTATE, else otherwise, else what kept the answer from coming.
func (k *session) class(ctx context.Context, err error, otherwise string) string {
	var pg *pgconn.PgError
	if ctx.Err() == nil && errors.As(err, &pg) {
		return pg.Code
	}
	if otherwise != "" && ctx.Err() == nil {
		return otherwise
	}
	return classOf(ctx, err)
}

// Close ends the connection.
func (k *session) Close() {
	if k.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	k.conn.Close(ctx)
}
