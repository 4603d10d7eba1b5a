package querytrace

import (
	"context"
	"database/sql/driver"
)

// stmt wraps a prepared statement: each run of it is a statement sent.
type stmt struct {
	driver.Stmt
	c   *conn
	sql string
}

var _ interface {
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
} = (*stmt)(nil)

// convertingStmt is for a statement with a ColumnConverter, without which database/sql
// converts arguments in another way.
type convertingStmt struct {
	*stmt
	inner driver.ColumnConverter //nolint:staticcheck // drivers may still have it
}

func (s *convertingStmt) ColumnConverter(i int) driver.ValueConverter {
	return s.inner.ColumnConverter(i)
}

func wrapStmt(c *conn, inner driver.Stmt, sql string) driver.Stmt {
	s := &stmt{inner, c, sql}
	if cc, ok := inner.(driver.ColumnConverter); ok { //nolint:staticcheck // drivers may still have it
		return &convertingStmt{s, cc}
	}
	return s
}

// CheckNamedValue asks the statement, else its connection, as database/sql does.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.c.CheckNamedValue(v)
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	ctx, call := s.c.t.sent(ctx, s.sql)
	r, err := s.exec(ctx, args)
	executed(call, r, err)
	return r, err
}

func (s *stmt) exec(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if x, ok := s.Stmt.(driver.StmtExecContext); ok {
		return x.ExecContext(ctx, args)
	}
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.Stmt.Exec(plain) //nolint:staticcheck // the driver has no other
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	ctx, call := s.c.t.sent(ctx, s.sql)
	r, err := s.query(ctx, args)
	return wrapRows(call, r, err)
}

func (s *stmt) query(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if x, ok := s.Stmt.(driver.StmtQueryContext); ok {
		return x.QueryContext(ctx, args)
	}
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.Stmt.Query(plain) //nolint:staticcheck // the driver has no other
}
