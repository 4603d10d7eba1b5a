package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/catalog"
)

// Mark is in every statement of planvet's, so that whoever reads the server's log,
// pg_stat_activity or pg_stat_statements knows where it came from.
const Mark = "/* planvet */"

// marked puts the mark behind a statement's first word: pg_stat_statements of 18 keeps
// no comment that stands before it.
func marked(sql string) string {
	sql = strings.TrimLeft(sql, " \t\n")
	end := strings.IndexFunc(sql, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	switch end {
	case -1:
		return sql + " " + Mark
	case 0:
		return Mark + " " + sql
	}
	return sql[:end] + " " + Mark + sql[end:]
}

// Session is one connection. It is not safe for concurrent use.
type Session struct {
	conn *pgx.Conn
	opts Options
	// open is set between Begin and Rollback.
	open bool
	// names counts prepared statements.
	names int
	// described are the types of statements' parameters, by text and given types, until
	// the schema may have changed; types and typeNames are those of every database.
	described map[string][]uint32
	types     map[string]uint32
	typeNames map[uint32]string
	// own is set on a server of planvet's own, vetted holds what Vet let pass.
	own    bool
	vetted map[string]bool
	// texts are those that Statements read last, by the server's id.
	texts map[int64]string
	// notice, where not nil, is handed the server's notices.
	notice func(*pgconn.Notice)
}

// Close ends the session. A statement that was given up is cancelled on the server
// first: otherwise it would run on there until its timeout.
func (s *Session) Close(ctx context.Context) error {
	err := s.conn.Close(ctx)
	select {
	case <-s.conn.PgConn().CleanupDone():
	case <-time.After(cancelTimeout):
	}
	return err
}

// cancelTimeout bounds the wait for a cancelled statement's connection.
const cancelTimeout = 2 * time.Second

// Conn is the connection underneath.
func (s *Session) Conn() *pgx.Conn { return s.conn }

// Version is the server's version as it prints it: 15.18.
func (s *Session) Version() string { return versionOf(s.conn) }

func versionOf(conn *pgx.Conn) string {
	v, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	return v
}

// Major is the server's major version: 15; 0 when it does not say.
func (s *Session) Major() int { return majorOf(s.conn) }

func majorOf(conn *pgx.Conn) int {
	v := versionOf(conn)
	digits := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		v = v[:digits]
	}
	n, _ := strconv.Atoi(v)
	return n
}

// transactionTimeout is the first version that has a timeout of transactions.
const transactionTimeout = 17

// Begin opens the transaction, READ ONLY unless the session is writable, with
// its timeouts.
func (s *Session) Begin(ctx context.Context) error {
	if s.open {
		return errors.New("a transaction is open already")
	}
	begin := "begin read only"
	if s.opts.Writable {
		begin = "begin"
	}
	sql := fmt.Sprintf("%s; set %[2]s local statement_timeout = %[3]d; set %[2]s local lock_timeout = %[4]d; set %[2]s local idle_in_transaction_session_timeout = %[5]d",
		begin, Mark, s.opts.StatementTimeout.Milliseconds(), s.opts.LockTimeout.Milliseconds(), s.opts.IdleTimeout.Milliseconds())
	if t := s.opts.TransactionTimeout; t > 0 && s.Major() >= transactionTimeout {
		sql += fmt.Sprintf("; set %s local transaction_timeout = %d", Mark, t.Milliseconds())
	}
	if err := s.simple(ctx, sql); err != nil {
		return err
	}
	s.open = true
	return nil
}

// Rollback undoes all since Begin.
func (s *Session) Rollback(ctx context.Context) error {
	s.open, s.described = false, nil
	return s.simple(ctx, "rollback")
}

// Mark remembers a point of the open transaction that Undo goes back to.
func (s *Session) Mark(ctx context.Context) error { return s.simple(ctx, "savepoint planvet_mark") }

// Undo goes back to the point of Mark.
func (s *Session) Undo(ctx context.Context) error {
	s.described = nil
	return s.simple(ctx, "rollback to savepoint planvet_mark; release "+Mark+" savepoint planvet_mark")
}

// Exec runs statements without parameters in the open transaction. After an
// error the transaction goes on as if they had not run.
func (s *Session) Exec(ctx context.Context, sql string) error {
	s.described = nil
	if err := s.simple(ctx, "savepoint planvet_exec"); err != nil {
		return err
	}
	if err := s.simple(ctx, sql); err != nil {
		return errors.Join(err, s.simple(ctx, "rollback to savepoint planvet_exec"))
	}
	return s.simple(ctx, "release savepoint planvet_exec")
}

// Query returns the rows of one statement as text; nil is NULL. In an open
// transaction an error leaves it as it was.
func (s *Session) Query(ctx context.Context, sql string, args ...*string) ([][]*string, error) {
	if s.open {
		if err := s.simple(ctx, "savepoint planvet_query"); err != nil {
			return nil, err
		}
	}
	out := [][]*string{}
	err := s.each(ctx, sql, args, func(row [][]byte) error {
		out = append(out, texts(row))
		return nil
	})
	if err != nil {
		if s.open {
			return nil, errors.Join(err, s.simple(ctx, "rollback to savepoint planvet_query"))
		}
		return nil, err
	}
	if s.open {
		return out, s.simple(ctx, "release savepoint planvet_query")
	}
	return out, nil
}

// each sends a query and calls f with every row as it comes: texts, nil for null, that
// are f's until it returns. An error of f ends the reading of later rows; that of the
// server goes first.
func (s *Session) each(ctx context.Context, sql string, args []*string, f func(row [][]byte) error) error {
	res := s.conn.PgConn().ExecParams(ctx, marked(sql), textArgs(args), nil, nil, nil)
	var failed error
	for res.NextRow() {
		if failed == nil {
			failed = f(res.Values())
		}
	}
	if _, err := res.Close(); err != nil {
		return err
	}
	return failed
}

// query is a statement without parameters, and what is called with every row of it as
// it comes: texts, or values in the server's binary format, nil for null, that are the
// function's until it returns.
type query struct {
	sql    string
	binary bool
	row    func(row [][]byte) error
}

// Queries sends statements without parameters at once and returns the rows of each, as
// Query does. No transaction may be open: an error would end it.
func (s *Session) Queries(ctx context.Context, sql ...string) ([][][]*string, error) {
	if s.open {
		return nil, errors.New("sending several statements: a transaction is open")
	}
	out, queries := make([][][]*string, len(sql)), make([]query, len(sql))
	for i := range sql {
		queries[i] = query{sql: sql[i], row: func(row [][]byte) error {
			out[i] = append(out[i], texts(row))
			return nil
		}}
	}
	return out, s.together(ctx, queries)
}

// texts copies a row.
func texts(row [][]byte) []*string {
	out := make([]*string, len(row))
	for i, v := range row {
		if v != nil {
			text := string(v)
			out[i] = &text
		}
	}
	return out
}

// together sends queries at once, since each wait for an answer costs a round trip and,
// on a busy machine, a turn of both processes. They are of one transaction. An error of
// a function ends the reading of later rows; that of the server goes first.
func (s *Session) together(ctx context.Context, queries []query) error {
	batch := &pgconn.Batch{}
	for i := range queries {
		var format []int16
		if queries[i].binary {
			format = []int16{pgx.BinaryFormatCode}
		}
		batch.ExecParams(marked(queries[i].sql), nil, nil, nil, format)
	}
	var failed error
	results := s.conn.PgConn().ExecBatch(ctx, batch)
	for i := 0; results.NextResult(); i++ {
		for res := results.ResultReader(); res.NextRow(); {
			if failed == nil {
				failed = queries[i].row(res.Values())
			}
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	return failed
}

// simple sends statements without parameters by the simple protocol.
func (s *Session) simple(ctx context.Context, sql string) error {
	_, err := s.conn.PgConn().Exec(ctx, marked(sql)).ReadAll()
	return err
}

// LoadCatalog reads the schema, see the function LoadCatalog.
func (s *Session) LoadCatalog(ctx context.Context) (*catalog.Catalog, error) {
	if s.open {
		return nil, errors.New("reading the catalog: a transaction is open")
	}
	// A view's definition waits for locks on its tables.
	return loadCatalog(ctx, s.conn, fmt.Sprintf("set %s local lock_timeout = %d; ", Mark, s.opts.LockTimeout.Milliseconds()))
}

func textArgs(args []*string) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		if a != nil {
			out[i] = []byte(*a)
		}
	}
	return out
}

// Code is the SQLSTATE of a server's error, "" for other errors.
func Code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// Console sends a command to a pooler's console, which knows the simple protocol
// alone, and returns its rows by the names of their columns.
func (s *Session) Console(ctx context.Context, command string) ([]map[string]string, error) {
	all, err := s.conn.PgConn().Exec(ctx, command).ReadAll()
	if err != nil {
		return nil, err
	}
	var out []map[string]string
	for _, res := range all {
		for _, row := range res.Rows {
			r := map[string]string{}
			for i, f := range res.FieldDescriptions {
				r[f.Name] = string(row[i])
			}
			out = append(out, r)
		}
	}
	return out, nil
}
