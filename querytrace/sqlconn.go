package querytrace

import (
	"context"
	"database/sql/driver"
	"errors"
)

// conn wraps a connection. An optional interface that the inner connection lacks
// answers here as database/sql does without it; where it could not, as for Exec and
// Query, whose presence changes how arguments are converted, wrapConn picks a type
// without it.
type conn struct {
	driver.Conn
	t *Tracer
}

var _ interface {
	driver.Pinger
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.NamedValueChecker
	driver.SessionResetter
	driver.Validator
} = (*conn)(nil)

type (
	execConn struct {
		*conn
		execer
	}
	queryConn struct {
		*conn
		queryer
	}
	bothConn struct {
		*conn
		execer
		queryer
	}
	execer  struct{ c *conn }
	queryer struct{ c *conn }
)

func wrapConn(t *Tracer, inner driver.Conn) driver.Conn {
	c := &conn{inner, t}
	_, exec := inner.(driver.ExecerContext)
	if !exec {
		_, exec = inner.(driver.Execer) //nolint:staticcheck // drivers may still have only this
	}
	_, query := inner.(driver.QueryerContext)
	if !query {
		_, query = inner.(driver.Queryer) //nolint:staticcheck // drivers may still have only this
	}
	switch {
	case exec && query:
		return &bothConn{c, execer{c}, queryer{c}}
	case exec:
		return &execConn{c, execer{c}}
	case query:
		return &queryConn{c, queryer{c}}
	}
	return c
}

func (c *conn) unwrap() driver.Conn { return c.Conn }

func (c *conn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *conn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	if v, ok := c.Conn.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) Prepare(sql string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(sql)
	if err != nil {
		return nil, err
	}
	return wrapStmt(c, s, sql), nil
}

func (c *conn) PrepareContext(ctx context.Context, sql string) (driver.Stmt, error) {
	p, ok := c.Conn.(driver.ConnPrepareContext)
	if ok {
		s, err := p.PrepareContext(ctx, sql)
		if err != nil {
			return nil, err
		}
		return wrapStmt(c, s, sql), nil
	}
	s, err := c.Prepare(sql)
	if err == nil && ctx.Err() != nil {
		s.Close()
		return nil, ctx.Err()
	}
	return s, err
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	inner, call := c.t.sent(ctx, "begin")
	tx, err := c.beginTx(inner, opts)
	if call != nil {
		call.end(0, err)
	}
	if err != nil {
		return nil, err
	}
	return &transaction{tx, c.t, ctx}, nil
}

func (c *conn) beginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.Conn.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	if opts.Isolation != 0 {
		return nil, errors.New("sql: driver does not support non-default isolation level")
	}
	if opts.ReadOnly {
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := c.Conn.Begin() //nolint:staticcheck // drivers may still have only this
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// transaction records its end with the context of its beginning.
type transaction struct {
	driver.Tx
	t   *Tracer
	ctx context.Context
}

func (x *transaction) Commit() error {
	_, call := x.t.sent(x.ctx, "commit")
	err := x.Tx.Commit()
	if call != nil {
		call.end(0, err)
	}
	return err
}

func (x *transaction) Rollback() error {
	_, call := x.t.sent(x.ctx, "rollback")
	err := x.Tx.Rollback()
	if call != nil {
		call.end(0, err)
	}
	return err
}

func (e execer) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	ctx, call := e.c.t.sent(ctx, sql)
	r, err := e.exec(ctx, sql, args)
	executed(call, r, err)
	return r, err
}

func (e execer) exec(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	if x, ok := e.c.Conn.(driver.ExecerContext); ok {
		return x.ExecContext(ctx, sql, args)
	}
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return e.c.Conn.(driver.Execer).Exec(sql, plain) //nolint:staticcheck // wrapConn looked
}

func (q queryer) QueryContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, call := q.c.t.sent(ctx, sql)
	r, err := q.query(ctx, sql, args)
	return wrapRows(call, r, err)
}

func (q queryer) query(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	if x, ok := q.c.Conn.(driver.QueryerContext); ok {
		return x.QueryContext(ctx, sql, args)
	}
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return q.c.Conn.(driver.Queryer).Query(sql, plain) //nolint:staticcheck // wrapConn looked
}
