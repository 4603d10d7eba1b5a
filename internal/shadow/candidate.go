package shadow

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/stats"
)

// Unconcurrent is a CREATE or DROP INDEX without CONCURRENTLY, for a server on which
// nobody else is.
func Unconcurrent(sql string) string { return concurrentlyRE.ReplaceAllString(sql, "$1") }

var concurrentlyRE = regexp.MustCompile(`(?i)^(\s*(?:create|drop)\s+(?:unique\s+)?index\s+)concurrently\b`)

// newIndex is an index of a candidate, to be given a size.
type newIndex struct {
	candidate                        int
	oid, name, schema, table, method string
	// where is a partial index's predicate; unique and including say what keeps
	// equal keys apart.
	where             string
	unique, including bool
	keys              []newKey
}

type newKey struct {
	// column is "" for an expression.
	column string
	// width is the type's own, 32 where it varies; the column's statistics know better.
	width int
	// trigram is set where the key is a text's trigrams, shared where equal keys may
	// share a tuple of a B-tree.
	trigram, shared bool
	// distinct is as pg_stats has it, 0 where nothing is known.
	distinct float64
}

// make builds the candidates on the empty tables.
func (t *Twin) make(ctx context.Context, candidates []string) []newIndex {
	var out []newIndex
	for i, sql := range candidates {
		c := Candidate{SQL: Unconcurrent(sql)}
		before, err := t.indexes(ctx)
		if err == nil {
			_, err = t.Session.Conn().PgConn().Exec(ctx, c.SQL).ReadAll()
		}
		var after []newIndex
		if err == nil {
			after, err = t.indexes(ctx)
		}
		if err != nil {
			c.Problem = oneLine(err)
		}
		for _, x := range after {
			if slices.ContainsFunc(before, func(b newIndex) bool { return b.oid == x.oid }) {
				continue
			}
			x.candidate = i
			out = append(out, x)
			c.oids, c.Names = append(c.oids, x.oid), append(c.Names, x.name)
		}
		t.Candidates = append(t.Candidates, c)
	}
	return out
}

func (t *Twin) indexes(ctx context.Context) ([]newIndex, error) {
	rows, err := t.Session.Conn().Query(ctx, `select x.indexrelid::text, i.relname, n.nspname, c.relname, am.amname, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
			x.indisunique, x.indnatts > x.indnkeyatts,
			array(select coalesce(t.attname::text, '') from unnest(x.indkey::int2[]) with ordinality k(num, pos)
				left join pg_attribute t on t.attrelid = x.indrelid and t.attnum = k.num and k.num > 0 order by k.pos),
			array(select case when a.attlen > 0 then a.attlen else 32 end::int from pg_attribute a where a.attrelid = x.indexrelid order by a.attnum),
			array(select coalesce(o.opcname like '%trgm%', false) from generate_series(1, x.indnatts) k
				left join pg_opclass o on k <= x.indnkeyatts and o.oid = (x.indclass::oid[])[k - 1] order by k),
			array(select exists (select 1 from pg_amproc p where p.amprocfamily = o.opcfamily and p.amproclefttype = o.opcintype and p.amprocnum = 4)
				from generate_series(1, x.indnatts) k left join pg_opclass o on k <= x.indnkeyatts and o.oid = (x.indclass::oid[])[k - 1] order by k)
		from pg_index x join pg_class i on i.oid = x.indexrelid and i.relkind = 'i' join pg_am am on am.oid = i.relam
		join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
		where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' order by x.indexrelid`)
	if err != nil {
		return nil, err
	}
	var out []newIndex
	var x newIndex
	var columns []string
	var widths []int
	var trigrams, shared []bool
	_, err = pgx.ForEachRow(rows, []any{&x.oid, &x.name, &x.schema, &x.table, &x.method, &x.where, &x.unique, &x.including, &columns, &widths, &trigrams, &shared}, func() error {
		y := x
		y.keys = make([]newKey, min(len(columns), len(widths), len(trigrams), len(shared)))
		for i := range y.keys {
			y.keys[i] = newKey{column: columns[i], width: widths[i], trigram: trigrams[i], shared: shared[i]}
		}
		out = append(out, y)
		return nil
	})
	return out, err
}

// size gives the candidates' indexes the sizes that they would have on the live
// server, for Extend. What a partial index holds is what the planner makes of its
// predicate.
func (t *Twin) size(ctx context.Context, f *stats.File, indexes []newIndex) error {
	var sql []string
	for _, x := range indexes {
		table := f.Table(x.schema, x.table)
		if table == nil || table.Rows <= 0 {
			continue
		}
		rows := table.Rows
		if x.where != "" {
			p, err := t.Session.Explain(ctx, plan.Request{SQL: "select from only " + quote(x.schema) + "." + quote(x.table) + " where " + x.where})
			if err != nil {
				return fmt.Errorf("sizing the candidates: %w", err)
			}
			rows = min(rows, p.Root.PlanRows)
		}
		for i := range x.keys {
			for _, c := range table.Columns {
				if c.Name == x.keys[i].column && c.Width > 0 {
					x.keys[i].width, x.keys[i].distinct = c.Width, c.Distinct
				}
			}
		}
		pages := x.pages(rows, table.Pages)
		t.Candidates[x.candidate].Pages += pages
		sql = append(sql, sizeSQL(x.oid, rows, pages, 0))
	}
	if len(sql) == 0 {
		return nil
	}
	if _, err := t.Session.Conn().PgConn().Exec(ctx, strings.Join(sql, "; ")).ReadAll(); err != nil {
		return fmt.Errorf("sizing the candidates: %w", err)
	}
	return nil
}

// pages is the size in blocks that an index has when it was just built, of a table
// of so many rows and pages. GIN and BRIN are rough: a posting takes some two bytes,
// and a text has a trigram a byte, another value an element in eight.
func (x newIndex) pages(rows float64, tablePages int64) int64 {
	const page = 8192 - 24 - 16
	width := 0
	for _, k := range x.keys {
		width += k.width
	}
	switch x.method {
	case "gin":
		elements := 0.0
		for _, k := range x.keys {
			if k.trigram {
				elements += float64(k.width)
			} else {
				elements += max(float64(k.width)/8, 1)
			}
		}
		return 3 + int64(math.Ceil(rows*elements*2/page))
	case "brin":
		const pagesPerRange = 128
		return 3 + int64(math.Ceil(float64(tablePages)/pagesPerRange*float64(8+2*width)/page))
	case "hash":
		const fill = 0.75
		return 3 + int64(math.Ceil(rows*20/(page*fill)))
	}
	return x.tree(rows, width, page)
}

// tree is the size of a B-tree, and about that of GiST. A tuple has a header of 8
// bytes and a line pointer of 4, and is rounded up to 8 (index_form_tuple in
// PostgreSQL's indextuple.c). Equal keys share a tuple with a list of up to a sixth
// of a page of row pointers, 6 bytes each (nbtdedup.c), where the index is not unique
// and the types say that equal is the same.
// Leaves are filled to 90 %.
func (x newIndex) tree(rows float64, width int, page float64) int64 {
	const pointer, fill, upper = 6, 0.9, 0.7
	tuple := float64((8+width+7)/8*8 + 4)
	bytes := rows * tuple
	if equal := rows / x.combinations(rows); x.method == "btree" && !x.unique && !x.including && equal >= 2 && !slices.ContainsFunc(x.keys, func(k newKey) bool { return !k.shared }) {
		tuples := rows / min(equal, page/6/pointer)
		bytes = min(bytes, tuples*tuple+rows*pointer)
	}
	leaves := math.Ceil(bytes / (page * fill))
	total := leaves
	for level := leaves; level > 1; {
		level = math.Ceil(level * tuple / (page * upper))
		total += level
	}
	return 1 + int64(max(total, 1))
}

// combinations is how many different keys there are, as if columns had nothing to do
// with each other.
func (x newIndex) combinations(rows float64) float64 {
	n := 1.0
	for _, k := range x.keys {
		switch {
		case k.distinct > 0:
			n *= k.distinct
		case k.distinct < 0:
			n *= -k.distinct * rows
		default:
			return max(rows, 1)
		}
	}
	return max(min(n, rows), 1)
}
