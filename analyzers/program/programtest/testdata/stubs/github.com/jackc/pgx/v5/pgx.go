package pgx

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"
)

type Row interface{ Scan(dest ...any) error }

type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Close()
	Err() error
}

type Tx interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) Row
	SendBatch(ctx context.Context, b *Batch) BatchResults
	Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error)
	CopyFrom(ctx context.Context, tableName Identifier, columnNames []string, rowSrc any) (int64, error)
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

type Conn struct{}

func (c *Conn) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (Rows, error) { return nil, nil }
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) Row        { return nil }
func (c *Conn) Begin(ctx context.Context) (Tx, error)                            { return nil, nil }
func (c *Conn) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return nil, nil
}
func (c *Conn) SendBatch(ctx context.Context, b *Batch) BatchResults { return nil }

type QueryExecMode int32

const QueryExecModeExec QueryExecMode = 3

type ConnConfig struct{ DefaultQueryExecMode QueryExecMode }

func Connect(ctx context.Context, connString string) (*Conn, error) { return nil, nil }

type QueuedQuery struct{}
type Batch struct{}

func (b *Batch) Queue(query string, arguments ...any) *QueuedQuery { return nil }
func (b *Batch) Len() int                                          { return 0 }

type BatchResults interface {
	Exec() (pgconn.CommandTag, error)
	QueryRow() Row
	Close() error
}

type Identifier []string

func (i Identifier) Sanitize() string { return "" }

type NamedArgs map[string]any

type beginner interface {
	Begin(ctx context.Context) (Tx, error)
}

func BeginFunc(ctx context.Context, db beginner, fn func(Tx) error) error { return nil }

type CollectableRow interface{ Scan(dest ...any) error }

func CollectRows[T any](rows Rows, fn func(row CollectableRow) (T, error)) ([]T, error) {
	return nil, nil
}
func RowTo[T any](row CollectableRow) (T, error) { var t T; return t, nil }
func ForEachRow(rows Rows, scans []any, fn func() error) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}

var ErrNoRows error
