package querytrace

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// Connector wraps a database/sql connector, for sql.OpenDB. What it makes has the
// optional interfaces of what inner makes. With pgx's stdlib the tracer fits better into
// the pgx.ConnConfig: sql.Conn.Raw then still hands out a *stdlib.Conn. Here it hands
// out a wrapped connection; [Raw] unwraps it.
func (t *Tracer) Connector(inner driver.Connector) driver.Connector {
	return &connector{t, inner}
}

// Driver wraps a database/sql driver, for sql.Register under another name.
func (t *Tracer) Driver(inner driver.Driver) driver.Driver {
	return &sqlDriver{t, inner}
}

// Raw returns the driver's own connection where sql.Conn.Raw hands out a wrapped one.
func Raw(driverConn any) any {
	if c, ok := driverConn.(interface{ unwrap() driver.Conn }); ok {
		return c.unwrap()
	}
	return driverConn
}

type connector struct {
	t     *Tracer
	inner driver.Connector
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return wrapConn(c.t, inner), nil
}

// Driver is the inner driver: what db.Driver() is stays.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

func (c *connector) Close() error {
	if closer, ok := c.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

type sqlDriver struct {
	t     *Tracer
	inner driver.Driver
}

func (d *sqlDriver) Open(name string) (driver.Conn, error) {
	inner, err := d.inner.Open(name)
	if err != nil {
		return nil, err
	}
	return wrapConn(d.t, inner), nil
}

func (d *sqlDriver) OpenConnector(name string) (driver.Connector, error) {
	with, ok := d.inner.(driver.DriverContext)
	if !ok {
		return &connector{d.t, dsn{d.inner, name}}, nil
	}
	inner, err := with.OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return &connector{d.t, inner}, nil
}

// dsn is database/sql's connector of a driver that makes none.
type dsn struct {
	inner driver.Driver
	name  string
}

func (d dsn) Connect(context.Context) (driver.Conn, error) { return d.inner.Open(d.name) }
func (d dsn) Driver() driver.Driver                        { return d.inner }

// sent begins a statement of database/sql; the call is nil where nobody records, or the
// text has no statement, as a ping has none. ctx is for the inner driver: pgx below it
// must not record the statement again.
func (t *Tracer) sent(ctx context.Context, sql string) (context.Context, *call) {
	list := t.listeners(ctx)
	if list == nil || blank(sql) {
		return ctx, nil
	}
	return context.WithValue(ctx, sentKey{}, true), t.give(list, &call{sql: sql})
}

// executed ends a statement that returns no rows.
func executed(c *call, r driver.Result, err error) {
	if c == nil {
		return
	}
	rows := int64(-1)
	if err == nil && r != nil {
		if n, e := r.RowsAffected(); e == nil {
			rows = n
		}
	}
	c.endSQL(rows, err)
}

// endSQL ends a statement of database/sql, which sends again what came back with
// ErrBadConn, and prepares what came back with ErrSkip: those do not count.
func (c *call) endSQL(rows int64, err error) {
	if errors.Is(err, driver.ErrSkip) || errors.Is(err, driver.ErrBadConn) {
		c.mu.Lock()
		c.unsent = true
		c.mu.Unlock()
	}
	c.end(rows, err)
}

// values is what drivers without contexts take; database/sql refuses names for them
// with this text.
func values(named []driver.NamedValue) ([]driver.Value, error) {
	out := make([]driver.Value, len(named))
	for i, v := range named {
		if v.Name != "" {
			return nil, errors.New("sql: driver does not support the use of Named Parameters")
		}
		out[i] = v.Value
	}
	return out, nil
}
