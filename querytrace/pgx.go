package querytrace

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

var _ interface {
	pgx.QueryTracer
	pgx.BatchTracer
	pgx.CopyFromTracer
	pgx.PrepareTracer
} = (*Tracer)(nil)

type callKey struct{}

// TraceQueryStart is pgx's.
func (t *Tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	list := t.listeners(ctx)
	if list == nil || blank(data.SQL) {
		return ctx
	}
	c := t.give(list, &call{sql: prepared(conn, data.SQL), named: namedArgs(data.Args)})
	return context.WithValue(ctx, callKey{}, c)
}

// TraceQueryEnd is pgx's.
func (t *Tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.end(data.CommandTag.RowsAffected(), data.Err)
	}
}

// sentBatch is a batch on its way: the statement whose result comes next.
type sentBatch struct {
	whole   *call
	members []*call
	next    int
}

type batchKey struct{}

// TraceBatchStart is pgx's.
func (t *Tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	list := t.listeners(ctx)
	if list == nil || data.Batch == nil || data.Batch.Len() == 0 {
		return ctx
	}
	b := &sentBatch{whole: t.give(list, &call{size: data.Batch.Len()})}
	for _, q := range data.Batch.QueuedQueries {
		b.members = append(b.members, t.give(list, &call{sql: prepared(conn, q.SQL), named: namedArgs(q.Arguments), batch: b.whole}))
	}
	return context.WithValue(ctx, batchKey{}, b)
}

// TraceBatchQuery is pgx's.
func (t *Tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if b, ok := ctx.Value(batchKey{}).(*sentBatch); ok && b.next < len(b.members) {
		b.members[b.next].end(data.CommandTag.RowsAffected(), data.Err)
		b.next++
	}
}

// TraceBatchEnd is pgx's.
func (t *Tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	if b, ok := ctx.Value(batchKey{}).(*sentBatch); ok {
		b.whole.end(0, data.Err)
	}
}

// TraceCopyFromStart is pgx's.
func (t *Tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	list := t.listeners(ctx)
	if list == nil {
		return ctx
	}
	columns := make([]string, len(data.ColumnNames))
	for i, c := range data.ColumnNames {
		columns[i] = pgx.Identifier{c}.Sanitize()
	}
	sql := "copy " + data.TableName.Sanitize() + " (" + strings.Join(columns, ", ") + ") from stdin"
	return context.WithValue(ctx, callKey{}, t.give(list, &call{sql: sql}))
}

// TraceCopyFromEnd is pgx's.
func (t *Tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.end(data.CommandTag.RowsAffected(), data.Err)
	}
}

// statementsKey is where a connection keeps the texts of its prepared statements: pgx
// traces a statement that is run by its name under that name.
const statementsKey = "planvet.querytrace"

// TracePrepareStart is pgx's. Preparing is not recorded as a statement: how often pgx
// prepares depends on its cache.
func (t *Tracer) TracePrepareStart(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	if data.Name == "" || data.Name == data.SQL || strings.HasPrefix(data.Name, "stmtcache_") {
		return ctx
	}
	custom := conn.PgConn().CustomData()
	texts, _ := custom[statementsKey].(map[string]string)
	if texts == nil {
		texts = map[string]string{}
		custom[statementsKey] = texts
	}
	texts[data.Name] = data.SQL
	return ctx
}

// TracePrepareEnd is pgx's.
func (t *Tracer) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

// prepared returns the text of a prepared statement, or sql where it is no name of one.
func prepared(conn *pgx.Conn, sql string) string {
	if conn == nil || strings.ContainsAny(sql, " \t\n") {
		return sql
	}
	texts, _ := conn.PgConn().CustomData()[statementsKey].(map[string]string)
	if text, ok := texts[sql]; ok {
		return text
	}
	return sql
}

func namedArgs(args []any) bool {
	if len(args) == 0 {
		return false
	}
	switch args[0].(type) {
	case pgx.NamedArgs, pgx.StrictNamedArgs:
		return true
	}
	return false
}
