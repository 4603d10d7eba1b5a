package querytrace

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeDriver makes connections with some of the optional interfaces, and keeps what
// database/sql asks of them.
type fakeDriver struct {
	// exec and query pick interfaces of connections; legacy, those without a context.
	exec, query, legacy bool
	// rest is every other optional interface; convert, the statements' ColumnConverter.
	rest, convert bool
	give          error // what the first Exec of a connection returns
	log           []string
}

func (f *fakeDriver) note(format string, args ...any) {
	f.log = append(f.log, fmt.Sprintf(format, args...))
}

func (f *fakeDriver) Open(name string) (driver.Conn, error) {
	f.note("open %s", name)
	c := &bareConn{f}
	ctxExec, ctxQuery := execFake{f}, queryFake{f}
	switch {
	case f.rest && f.exec && f.query:
		return struct {
			*bareConn
			execFake
			queryFake
			restFake
		}{c, ctxExec, ctxQuery, restFake{f}}, nil
	case f.rest:
		return struct {
			*bareConn
			restFake
		}{c, restFake{f}}, nil
	case f.legacy && f.exec && f.query:
		return struct {
			*bareConn
			legacyFake
		}{c, legacyFake{f}}, nil
	case f.exec && f.query:
		return struct {
			*bareConn
			execFake
			queryFake
		}{c, ctxExec, ctxQuery}, nil
	case f.exec:
		return struct {
			*bareConn
			execFake
		}{c, ctxExec}, nil
	case f.query:
		return struct {
			*bareConn
			queryFake
		}{c, ctxQuery}, nil
	}
	return c, nil
}

type bareConn struct{ f *fakeDriver }

func (c *bareConn) Prepare(sql string) (driver.Stmt, error) {
	c.f.note("prepare %s", sql)
	s := &bareStmt{c.f}
	switch {
	case c.f.rest:
		return struct {
			*bareStmt
			ctxStmt
		}{s, ctxStmt{c.f}}, nil
	case c.f.convert:
		return struct {
			*bareStmt
			converter
		}{s, converter{c.f}}, nil
	}
	return s, nil
}
func (c *bareConn) Close() error              { c.f.note("close"); return nil }
func (c *bareConn) Begin() (driver.Tx, error) { c.f.note("begin"); return fakeTx{c.f}, nil }

type fakeTx struct{ f *fakeDriver }

func (x fakeTx) Commit() error   { x.f.note("commit"); return nil }
func (x fakeTx) Rollback() error { x.f.note("rollback"); return nil }

type execFake struct{ fake *fakeDriver }

func (e execFake) ExecContext(_ context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	e.fake.note("exec %s %v", sql, args)
	if err := e.fake.give; err != nil {
		e.fake.give = nil
		return nil, err
	}
	return driver.RowsAffected(3), nil
}

type queryFake struct{ fakeQ *fakeDriver }

func (q queryFake) QueryContext(_ context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	q.fakeQ.note("query %s %v", sql, args)
	return newRows(q.fakeQ), nil
}

type legacyFake struct{ fakeL *fakeDriver }

func (l legacyFake) Exec(sql string, args []driver.Value) (driver.Result, error) {
	l.fakeL.note("old exec %s %v", sql, args)
	return driver.RowsAffected(3), nil
}

func (l legacyFake) Query(sql string, args []driver.Value) (driver.Rows, error) {
	l.fakeL.note("old query %s %v", sql, args)
	return newRows(l.fakeL), nil
}

// restFake is what a connection may have beside Exec and Query.
type restFake struct{ fakeR *fakeDriver }

func (r restFake) Ping(context.Context) error         { r.fakeR.note("ping"); return errors.New("no answer") }
func (r restFake) ResetSession(context.Context) error { r.fakeR.note("reset"); return nil }
func (r restFake) IsValid() bool                      { r.fakeR.note("valid"); return true }
func (r restFake) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	r.fakeR.note("begin %v", o)
	return fakeTx{r.fakeR}, nil
}
func (r restFake) CheckNamedValue(v *driver.NamedValue) error {
	r.fakeR.note("check %v", v.Value)
	if _, odd := v.Value.(odd); odd {
		v.Value = "odd"
		return nil
	}
	return driver.ErrSkip
}

type bareStmt struct{ f *fakeDriver }

func (s *bareStmt) Close() error  { s.f.note("close stmt"); return nil }
func (s *bareStmt) NumInput() int { return -1 }
func (s *bareStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.f.note("stmt exec %v", args)
	return driver.RowsAffected(3), nil
}
func (s *bareStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.f.note("stmt query %v", args)
	return newRows(s.f), nil
}

type ctxStmt struct{ fakeS *fakeDriver }

func (s ctxStmt) ExecContext(_ context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.fakeS.note("stmt exec ctx %v", args)
	return driver.RowsAffected(3), nil
}
func (s ctxStmt) QueryContext(_ context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.fakeS.note("stmt query ctx %v", args)
	return newRows(s.fakeS), nil
}

type converter struct{ fakeC *fakeDriver }

func (c converter) ColumnConverter(i int) driver.ValueConverter {
	c.fakeC.note("converter %d", i)
	return driver.DefaultParameterConverter
}

// odd is a value that only a NamedValueChecker takes.
type odd struct{ X chan int }

// newRows has two sets of two rows; with rest, all that rows may have.
func newRows(f *fakeDriver) driver.Rows {
	r := &fakeRows{sets: [][]int64{{1, 2}, {3, 4}}}
	if f.rest {
		return richRows{r}
	}
	return r
}

type fakeRows struct{ sets [][]int64 }

func (r *fakeRows) Columns() []string { return []string{"x"} }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	if len(r.sets[0]) == 0 {
		return io.EOF
	}
	dest[0], r.sets[0] = r.sets[0][0], r.sets[0][1:]
	return nil
}

type richRows struct{ *fakeRows }

func (r richRows) HasNextResultSet() bool                            { return len(r.sets) > 1 }
func (r richRows) NextResultSet() error                              { r.sets = r.sets[1:]; return nil }
func (r richRows) ColumnTypeScanType(int) reflect.Type               { return reflect.TypeFor[int64]() }
func (r richRows) ColumnTypeDatabaseTypeName(int) string             { return "INT8" }
func (r richRows) ColumnTypeLength(int) (int64, bool)                { return 8, true }
func (r richRows) ColumnTypeNullable(int) (bool, bool)               { return true, true }
func (r richRows) ColumnTypePrecisionScale(int) (int64, int64, bool) { return 19, 2, true }

// use does what programs do, and writes what comes back.
func use(db *sql.DB) []string {
	var out []string
	say := func(what string, args ...any) {
		out = append(out, strings.TrimSpace(fmt.Sprintln(append([]any{what}, args...)...)))
	}
	ctx := context.Background()
	say("ping", db.PingContext(ctx))
	for _, args := range [][]any{nil, {1}, {time.Unix(0, 0)}, {odd{}}, {sql.Named("a", 1)}, {1, "b"}} {
		r, err := db.ExecContext(ctx, "e", args...)
		say("exec", err)
		if err == nil {
			n, err := r.RowsAffected()
			say("affected", n, err)
		}
		rows, err := db.QueryContext(ctx, "q", args...)
		say("query", err)
		if err == nil {
			say("rows", readAll(rows)...)
		}
	}
	stmt, err := db.PrepareContext(ctx, "p")
	say("prepare", err)
	for _, arg := range []any{1, odd{}, sql.Named("a", 1)} {
		_, err := stmt.ExecContext(ctx, arg)
		say("stmt exec", err)
		rows, err := stmt.QueryContext(ctx, arg)
		say("stmt query", err)
		if err == nil {
			say("rows", readAll(rows)...)
		}
	}
	say("close", stmt.Close())
	for _, o := range []*sql.TxOptions{nil, {ReadOnly: true}, {Isolation: sql.LevelSerializable}} {
		tx, err := db.BeginTx(ctx, o)
		say("begin", err)
		if err == nil {
			say("rollback", tx.Rollback())
		}
	}
	gone, cancel := context.WithCancel(ctx)
	c, err := db.Conn(gone)
	say("conn", err)
	cancel()
	_, err = c.ExecContext(gone, "late")
	say("late", err)
	say("give back", c.Close())
	return out
}

func readAll(rows *sql.Rows) []any {
	defer rows.Close()
	var out []any
	types, err := rows.ColumnTypes()
	out = append(out, err)
	for _, c := range types {
		l, lok := c.Length()
		n, nok := c.Nullable()
		p, s, pok := c.DecimalSize()
		out = append(out, c.Name(), c.DatabaseTypeName(), c.ScanType(), l, lok, n, nok, p, s, pok)
	}
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			var x int64
			out = append(out, rows.Scan(&x), x)
		}
	}
	return append(out, rows.Err())
}

// A wrapped driver is asked the same and answers the same as without the wrapper,
// whatever optional interfaces it has, whether somebody records or not.
func TestOptionalInterfaces(t *testing.T) {
	for _, f := range []fakeDriver{
		{}, {exec: true}, {query: true}, {exec: true, query: true}, {exec: true, query: true, legacy: true},
		{rest: true}, {rest: true, exec: true, query: true}, {convert: true}, {exec: true, query: true, give: driver.ErrSkip},
	} {
		bare := f
		db := sql.OpenDB(dsn{&bare, "x"})
		want := use(db)
		db.Close()
		for _, watch := range []bool{false, true} {
			var tracer Tracer
			var rec Recorder
			if watch {
				rec.Watch(&tracer)
			}
			inner := f
			connector, err := tracer.Driver(&inner).(driver.DriverContext).OpenConnector("x")
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			got := use(db)
			db.Close()
			if !slices.Equal(got, want) {
				t.Errorf("%+v: the program sees\n%s\nwant\n%s", f, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if !slices.Equal(inner.log, bare.log) {
				t.Errorf("%+v: the driver sees\n%s\nwant\n%s", f, strings.Join(inner.log, "\n"), strings.Join(bare.log, "\n"))
			}
			if watch == (rec.RoundTrips() == 0) {
				t.Errorf("%+v: %d round trips recorded, watched: %v", f, rec.RoundTrips(), watch)
			}
		}
	}
}
