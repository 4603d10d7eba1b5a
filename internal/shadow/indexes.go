package shadow

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// Built is an index that BuildHidden made.
type Built struct{ OID, Name string }

// Candidates are the indexes that BuildHidden made by the statement that makes them,
// those on partitions included, and why others could not be made.
type Candidates struct {
	Built   map[string][]Built
	Refused map[string]string
}

// indexName is the name in a CREATE INDEX that has one.
var indexName = regexp.MustCompile(`(?i)^(\s*create\s+(?:unique\s+)?index\s+)(?:if\s+not\s+exists\s+)?("(?:[^"]|"")+"|[a-z_]\w*)(\s+on\s)`)

// duplicateTable is the SQLSTATE of a name that another relation has.
const duplicateTable = "42P07"

// BuildHidden makes indexes in an empty database and hides them from the planner:
// pg_index.indisvalid is false, until a transaction sets it for those that it asks
// about. A statement whose name is taken gets another one.
func BuildHidden(ctx context.Context, conn *pgx.Conn, ddl []string) (Candidates, error) {
	out := Candidates{Built: map[string][]Built{}, Refused: map[string]string{}}
	var last uint32
	if err := conn.QueryRow(ctx, "select max(oid) from pg_class").Scan(&last); err != nil {
		return out, fmt.Errorf("building candidate indexes: %w", err)
	}
	var oids []string
	for i, sql := range ddl {
		made, err := buildIndex(ctx, conn, sql, &last)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == duplicateTable {
			made, err = buildIndex(ctx, conn, indexName.ReplaceAllString(sql, fmt.Sprintf("${1}planvet_candidate_%d${3}", i)), &last)
		}
		switch {
		case lost(err):
			return out, fmt.Errorf("building candidate indexes: %w", err)
		case err != nil:
			out.Refused[sql] = oneLine(err)
			continue
		}
		out.Built[sql] = made
		for _, b := range made {
			oids = append(oids, b.OID)
		}
	}
	if len(oids) == 0 {
		return out, nil
	}
	if _, err := conn.PgConn().Exec(ctx, plan.ValidSQL(oids, false)).ReadAll(); err != nil {
		return out, fmt.Errorf("hiding candidate indexes: %w", err)
	}
	return out, nil
}

// buildIndex runs one statement and returns the indexes that have come since last.
func buildIndex(ctx context.Context, conn *pgx.Conn, sql string, last *uint32) ([]Built, error) {
	results, err := conn.PgConn().Exec(ctx, fmt.Sprintf("%s;\nselect oid, relname from pg_catalog.pg_class where relkind in ('i', 'I') and oid > %d order by oid", strings.TrimRight(sql, "; \t\n"), *last)).ReadAll()
	if err != nil {
		return nil, err
	}
	var made []Built
	for _, row := range results[len(results)-1].Rows {
		made = append(made, Built{string(row[0]), string(row[1])})
		fmt.Sscan(string(row[0]), last)
	}
	return made, nil
}

// unsizedSQL lists indexes of filled tables that have no size yet, with what their
// size follows from, a key an element: a key's width and its distinct values as
// statistics say, else by its type; whether it is a text's trigrams; whether equal keys
// may share a tuple, which the operator class says by its support function 4.
const unsizedSQL = `
select i.oid::text, am.amname, n.nspname, t.relname, t.oid::text, t.reltuples::float8, t.relpages::float8, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
	x.indisunique, x.indnatts > x.indnkeyatts,
	array_agg(case when x.indkey[k.n - 1] = 0 then pg_get_indexdef(i.oid, k.n, false) else '' end order by k.n),
	array_agg(coalesce(nullif(s.stawidth, 0), case when a.attlen > 0 then a.attlen else 32 end)::int order by k.n),
	array_agg(coalesce(s.stadistinct, 0)::float8 order by k.n),
	array_agg(coalesce(o.opcname like '%trgm%', false) order by k.n),
	array_agg(exists (select 1 from pg_amproc p where p.amprocfamily = o.opcfamily and p.amproclefttype = o.opcintype and p.amprocnum = 4) order by k.n)
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid join pg_am am on am.oid = i.relam
join pg_namespace n on n.oid = i.relnamespace
cross join lateral generate_series(1, x.indnatts) k(n)
join pg_attribute a on a.attrelid = i.oid and a.attnum = k.n
left join pg_opclass o on k.n <= x.indnkeyatts and o.oid = x.indclass[k.n - 1]
left join pg_statistic s on s.starelid = t.oid and s.staattnum = x.indkey[k.n - 1] and not s.stainherit
where i.relkind = 'i' and i.reltuples <= 0 and (i.relpages <= 1 or i.relpages <= 12 and am.amname in ('gin', 'brin', 'hash')) and t.reltuples > 0 and t.relpages > 0 and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
group by i.oid, am.amname, n.nspname, t.relname, t.oid, t.reltuples, t.relpages, x.indpred, x.indrelid, x.indisunique, x.indnatts, x.indnkeyatts
order by i.oid`

// SizeIndexes gives indexes that a file of statistics does not name the size that they
// would have on its tables, and expressions of one column, lower(email), the
// statistics of that column. It comes after LoadStatistics; Extend follows.
//
// partial says how many rows of a table a partial index's predicate leaves. Only a
// planner knows, once the table has its length: nil takes all.
func SizeIndexes(ctx context.Context, conn *pgx.Conn, partial func(schema, table, where string) (float64, error)) error {
	rows, err := conn.Query(ctx, unsizedSQL)
	if err != nil {
		return fmt.Errorf("sizing indexes: %w", err)
	}
	var all []unsized
	var x unsized
	var exprs []string
	var widths []int
	var distinct []float64
	var trigrams, shared []bool
	_, err = pgx.ForEachRow(rows, []any{&x.oid, &x.method, &x.schema, &x.table, &x.tableOID, &x.rows, &x.heap, &x.where, &x.unique, &x.including,
		&exprs, &widths, &distinct, &trigrams, &shared}, func() error {
		y := x
		y.keys = make([]unsizedKey, len(widths))
		for i := range y.keys {
			y.keys[i] = unsizedKey{exprs[i], widths[i], distinct[i], trigrams[i], shared[i]}
		}
		all = append(all, y)
		return nil
	})
	if err != nil {
		return fmt.Errorf("sizing indexes: %w", err)
	}
	var sql strings.Builder
	for _, x := range all {
		if x.where != "" && partial != nil {
			left, err := partial(x.schema, x.table, x.where)
			if err != nil {
				return fmt.Errorf("sizing indexes: %w", err)
			}
			x.rows = min(x.rows, left)
		}
		sql.WriteString(sizeSQL(x.oid, x.rows, x.pages(), 0) + ";\n")
		for i, k := range x.keys {
			if column := soleColumn(k.expr); k.expr != "" && column != "" {
				fmt.Fprintf(&sql, copyStatistics, x.oid, i+1, x.tableOID, literal(column))
			}
		}
	}
	if sql.Len() == 0 {
		return nil
	}
	if _, err := conn.PgConn().Exec(ctx, sql.String()).ReadAll(); err != nil {
		return fmt.Errorf("sizing indexes: %w", err)
	}
	return nil
}

// copyStatistics gives an index's expression what a column's statistics say of counts:
// its values are not those of the expression.
const copyStatistics = `insert into pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
	stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5, stacoll1, stacoll2, stacoll3, stacoll4, stacoll5)
	select %[1]s, %[2]d, false, s.stanullfrac, s.stawidth, s.stadistinct, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	from pg_statistic s join pg_attribute a on a.attrelid = s.starelid and a.attnum = s.staattnum
	where s.starelid = %[3]s and not s.stainherit and a.attname = %[4]s
	and not exists (select 1 from pg_statistic o where o.starelid = %[1]s and o.staattnum = %[2]d);
`

// soleColumn is the column of an expression that has about as many values as it:
// lower(c), c as a text. A day of a time has fewer.
func soleColumn(def string) string {
	e, err := pgast.ParseExpr(def)
	for err == nil {
		switch x := e.(type) {
		case *pgast.ColumnRef:
			column, _ := columnOf(x)
			return column
		case *pgast.Cast:
			if t := x.Type.Names[len(x.Type.Names)-1]; t != "text" && t != "varchar" {
				return ""
			}
			e = x.Arg
		case *pgast.FuncCall:
			if !transparent[x.Name[len(x.Name)-1]] || len(x.Args) != 1 {
				return ""
			}
			e = x.Args[0]
		default:
			return ""
		}
	}
	return ""
}
