package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/stats"
)

// planner are the settings that a plan's shape or costs depend on, and not on the
// machine: those that a version lacks are left out.
const planner = `'seq_page_cost', 'random_page_cost', 'cpu_tuple_cost', 'cpu_index_tuple_cost', 'cpu_operator_cost',
	'parallel_setup_cost', 'parallel_tuple_cost', 'min_parallel_table_scan_size', 'min_parallel_index_scan_size',
	'max_parallel_workers_per_gather', 'effective_cache_size', 'work_mem', 'hash_mem_multiplier', 'jit',
	'from_collapse_limit', 'join_collapse_limit', 'geqo', 'geqo_threshold', 'cursor_tuple_fraction',
	'constraint_exclusion', 'enable_async_append', 'enable_bitmapscan', 'enable_gathermerge', 'enable_hashagg',
	'enable_hashjoin', 'enable_incremental_sort', 'enable_indexscan', 'enable_indexonlyscan', 'enable_material',
	'enable_memoize', 'enable_mergejoin', 'enable_nestloop', 'enable_parallel_append', 'enable_parallel_hash',
	'enable_partition_pruning', 'enable_partitionwise_join', 'enable_partitionwise_aggregate',
	'enable_presorted_aggregate', 'enable_seqscan', 'enable_sort', 'enable_tidscan'`

// own are the schemas whose tables are a project's.
const own = `n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

// DumpStatistics reads the planner's statistics of all tables, in one read-only
// transaction. Values of columns are read only where values is set; labels of enums
// and booleans always are. What the session's role may not see is listed in Hidden.
func (s *Session) DumpStatistics(ctx context.Context, values bool) (f *stats.File, err error) {
	if err := s.Begin(ctx); err != nil {
		return nil, fmt.Errorf("reading statistics: %w", err)
	}
	defer func() { err = errors.Join(err, s.Rollback(ctx)) }()
	d := dump{s: s, ctx: ctx, f: &stats.File{Version: stats.Version, Server: s.Version(), Values: values, Settings: map[string]string{}}}
	for _, step := range []func(){d.settings, d.tables, d.indexes, d.columns, d.hidden} {
		step()
	}
	if d.err != nil {
		return nil, fmt.Errorf("reading statistics: %w", d.err)
	}
	return d.f, nil
}

// dump is one reading; after an error nothing more is read.
type dump struct {
	s   *Session
	ctx context.Context
	f   *stats.File
	err error
}

// each reads rows of text; NULL is "".
func (d *dump) each(sql string, row func(v []string)) { d.eachWith(nil, sql, row) }

// eachWith is each for a query with parameters.
func (d *dump) eachWith(args []string, sql string, row func(v []string)) {
	if d.err != nil {
		return
	}
	values := make([]*string, len(args))
	for i := range args {
		values[i] = &args[i]
	}
	rows, err := d.s.Query(d.ctx, sql, values...)
	if err != nil {
		d.err = err
		return
	}
	for _, r := range rows {
		v := make([]string, len(r))
		for i, x := range r {
			if x != nil {
				v[i] = *x
			}
		}
		row(v)
	}
}

func (d *dump) settings() {
	d.each("select name, current_setting(name) from pg_catalog.pg_settings where name in ("+planner+")", func(v []string) {
		d.f.Settings[v[0]] = v[1]
	})
}

// sized is a relation's row estimate and size as the planner computes them: what it
// was at the last ANALYZE, scaled to the file's present length
// (table_block_relation_estimate_size in PostgreSQL's tableam.c); -1 where there was
// none, which 13 writes as 0. A partitioned table has the rows of its partitions.
const sized = `(case when c.relkind = 'p' then (select coalesce(sum(l.reltuples), -1) from pg_catalog.pg_partition_tree(c.oid) p
		join pg_catalog.pg_class l on l.oid = p.relid where p.isleaf and l.reltuples > 0)
	when c.reltuples < 0 or c.relpages = 0 then -1
	else round(c.reltuples::float8 / c.relpages * (pg_catalog.pg_relation_size(c.oid) / 8192)) end)::text,
	(case when c.relkind = 'p' then 0 else pg_catalog.pg_relation_size(c.oid) / 8192 end)::text`

func (d *dump) tables() {
	d.each(`select n.nspname, c.relname, `+sized+`,
		(case when c.relpages > 0 then round(c.relallvisible::float8 / c.relpages * (pg_catalog.pg_relation_size(c.oid) / 8192)) else 0 end)::bigint::text
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and `+own, func(v []string) {
		d.f.Tables = append(d.f.Tables, stats.Table{Schema: v[0], Name: v[1], Rows: d.number(v[2]), Pages: int64(d.number(v[3])), Visible: int64(d.number(v[4]))})
	})
	d.f.Sort()
}

func (d *dump) indexes() {
	d.each(`select n.nspname, t.relname, c.relname, `+sized+`
		from pg_catalog.pg_index x
		join pg_catalog.pg_class c on c.oid = x.indexrelid
		join pg_catalog.pg_class t on t.oid = x.indrelid and t.relpersistence <> 't'
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'i' and `+own, func(v []string) {
		if t := d.f.Table(v[0], v[1]); t != nil {
			t.Indexes = append(t.Indexes, stats.Index{Name: v[2], Rows: d.number(v[3]), Pages: int64(d.number(v[4]))})
		}
	})
	d.f.Sort()
}

// columns reads pg_stats, in which a server shows a role what it may read.
func (d *dump) columns() {
	// Labels are schema; other values are data.
	safe := "true"
	if !d.f.Values {
		safe = "(y.typtype = 'e' or y.oid = 'pg_catalog.bool'::regtype)"
	}
	d.each(`select s.schemaname, s.tablename, coalesce(t.relname, ''), s.attname, s.inherited::text, s.null_frac::text, s.avg_width::text,
			s.n_distinct::text, s.correlation::text, s.most_common_freqs::text,
			case when `+safe+` then s.most_common_vals::text end,
			coalesce(pg_catalog.array_length(s.histogram_bounds, 1), 0)::text,
			case when `+safe+` then s.histogram_bounds::text end,
			s.most_common_elem_freqs::text,
			case when `+fmt.Sprint(d.f.Values)+` then s.most_common_elems::text end,
			s.elem_count_histogram::text
		from pg_catalog.pg_stats s
		join pg_catalog.pg_namespace n on n.nspname = s.schemaname
		join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = s.attname
		join pg_catalog.pg_type y on y.oid = a.atttypid
		left join pg_catalog.pg_index x on x.indexrelid = c.oid
		left join pg_catalog.pg_class t on t.oid = x.indrelid
		where c.relpersistence <> 't' and `+own, func(v []string) {
		c := stats.Column{
			Name: v[3], Inherited: v[4] == "true", NullFraction: d.number(v[5]), Width: int(d.number(v[6])), Distinct: d.number(v[7]),
			Frequencies: d.numbers(v[9]), Common: v[10], Bounds: int(d.number(v[11])), Histogram: v[12],
			ElementFrequencies: d.numbers(v[13]), Elements: v[14], ElementCounts: d.numbers(v[15]),
		}
		if v[8] != "" {
			r := d.number(v[8])
			c.Correlation = &r
		}
		d.add(v[0], v[1], v[2], c)
	})
}

// add puts a column's statistics where they belong; parent is the table whose index
// rel is, and "" where rel is a table.
func (d *dump) add(schema, rel, parent string, c stats.Column) {
	if parent == "" {
		if t := d.f.Table(schema, rel); t != nil {
			t.Columns = append(t.Columns, c)
		}
		return
	}
	t := d.f.Table(schema, parent)
	if t == nil {
		return
	}
	for i := range t.Indexes {
		if t.Indexes[i].Name == rel {
			t.Indexes[i].Columns = append(t.Indexes[i].Columns, c)
		}
	}
}

// hidden lists tables that have rows and of whose columns nothing can be seen.
func (d *dump) hidden() {
	d.each(`select n.nspname || '.' || c.relname
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and c.reltuples > 0 and `+own+`
		and (pg_catalog.row_security_active(c.oid) or exists (select 1 from pg_catalog.pg_attribute a
			where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and not pg_catalog.has_column_privilege(c.oid, a.attnum, 'select')))`, func(v []string) {
		d.f.Hidden = append(d.f.Hidden, v[0])
	})
}

func (d *dump) number(text string) float64 {
	if text == "" {
		return 0
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("a number is %q", text)
	}
	return x
}

// numbers reads an array of numbers: {0.5,0.25}.
func (d *dump) numbers(text string) []float64 {
	text = strings.Trim(text, "{}")
	if text == "" {
		return nil
	}
	var out []float64
	for x := range strings.SplitSeq(text, ",") {
		out = append(out, d.number(x))
	}
	return out
}
