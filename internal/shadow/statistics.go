package shadow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/stats"
)

// Loaded says what of a file found its place in a database.
type Loaded struct {
	Tables, Columns, Indexes int
	// Missing are objects of the file that the database lacks, and columns whose
	// statistics it did not take, with the reason.
	Missing []string
}

// LoadStatistics makes an empty database plan like the one that a file is of:
//
//  1. the planner's settings become the database's own;
//  2. pg_class gets sizes, pg_statistic what ANALYZE would have written there;
//  3. Extend, called afterwards, gives the files their lengths, which the planner
//     reads from the file system (estimate_rel_size in PostgreSQL's plancat.c).
//
// All indexes must be there already: building one resets its table's sizes, even in
// a transaction that is rolled back. The connection must be a superuser's. Times are
// invented up to now, see stats.Column.Invent.
func LoadStatistics(ctx context.Context, conn *pgx.Conn, f *stats.File, now time.Time) (Loaded, error) {
	l := loader{ctx: ctx, conn: conn, now: now}
	err := l.load(f)
	if err != nil {
		err = fmt.Errorf("loading statistics: %w", err)
	}
	return l.out, err
}

type loader struct {
	ctx  context.Context
	conn *pgx.Conn
	now  time.Time
	rels map[[2]string]*relation
	// pending are statements that were not sent yet, of so many bytes.
	pending []written
	bytes   int
	out     Loaded
}

// relation is a table or an index of the database.
type relation struct {
	oid   uint32
	attrs map[string]*attribute
}

// attribute is a column with the operators that its statistics are about.
type attribute struct {
	num           int16
	typ, elem     uint32
	typeName      string
	collation     uint32
	eq, lt        uint32
	elemEq        uint32
	elemCollation uint32
}

func (l *loader) load(f *stats.File) error {
	if err := l.settings(f.Settings); err != nil {
		return err
	}
	if err := l.relations(); err != nil {
		return err
	}
	for i := range f.Tables {
		t := &f.Tables[i]
		r := l.rels[[2]string{t.Schema, t.Name}]
		if r == nil {
			l.out.Missing = append(l.out.Missing, "table "+t.Schema+"."+t.Name)
			continue
		}
		l.out.Tables++
		sql := sizeSQL(fmt.Sprint(r.oid), t.Rows, t.Pages, t.Visible)
		if err := l.columns(r, t.Schema+"."+t.Name, t.Columns, t.Rows, sql); err != nil {
			return err
		}
		for k := range t.Indexes {
			x := &t.Indexes[k]
			if r := l.rels[[2]string{t.Schema, x.Name}]; r != nil {
				l.out.Indexes++
				if err := l.columns(r, t.Schema+"."+x.Name, x.Columns, t.Rows, sizeSQL(fmt.Sprint(r.oid), x.Rows, x.Pages, 0)); err != nil {
					return err
				}
			} else {
				l.out.Missing = append(l.out.Missing, "index "+t.Schema+"."+x.Name)
			}
		}
	}
	return l.flush()
}

// settings makes a file's settings those of new sessions; one that this version does
// not know, or does not take, is left out.
func (l *loader) settings(all map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var db string
		if err := l.conn.QueryRow(l.ctx, "select current_database()").Scan(&db); err != nil {
			return err
		}
		_, err := l.conn.Exec(l.ctx, "alter database "+quote(db)+" set "+quote(name)+" = "+literal(all[name]))
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			l.out.Missing = append(l.out.Missing, "setting "+name+": "+pg.Message)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// attributesSQL lists columns with what ANALYZE would compare them by: the default
// btree operators of the type, or of the one that it stands for.
const attributesSQL = `
with recursive base(oid, typ) as (
	select oid, oid from pg_type
	union all
	select b.oid, t.typbasetype from base b join pg_type t on t.oid = b.typ where t.typtype = 'd'
), kind as (
	select b.oid, t.typelem, array[t.oid,
		case when t.oid = 'varchar'::regtype then 'text'::regtype when t.typtype = 'e' then 'anyenum'::regtype
			when t.typtype = 'r' then 'anyrange'::regtype when t.typcategory = 'A' then 'anyarray'::regtype end] as names
	from base b join pg_type t on t.oid = b.typ where t.typtype <> 'd'
), compared as (
	select k.oid, k.typelem,
		(select o.amopopr from pg_opclass c join pg_amop o on o.amopfamily = c.opcfamily and o.amoplefttype = c.opcintype and o.amoprighttype = c.opcintype
			where c.opcmethod = 403 and c.opcdefault and c.opcintype = any(k.names) and o.amopstrategy = 3
			order by c.opcintype <> k.oid limit 1) as eq,
		(select o.amopopr from pg_opclass c join pg_amop o on o.amopfamily = c.opcfamily and o.amoplefttype = c.opcintype and o.amoprighttype = c.opcintype
			where c.opcmethod = 403 and c.opcdefault and c.opcintype = any(k.names) and o.amopstrategy = 1
			order by c.opcintype <> k.oid limit 1) as lt
	from kind k
)
select n.nspname, c.relname, c.oid, a.attname, a.attnum, a.atttypid, format_type(a.atttypid, null), a.attcollation,
	coalesce(y.eq, 0), coalesce(y.lt, 0),
	case when a.atttypid = 'tsvector'::regtype then 'text'::regtype::oid else coalesce(y.typelem, 0) end,
	coalesce(e.eq, 0), coalesce(et.typcollation, 0)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join compared y on y.oid = a.atttypid
left join compared e on e.oid = case when a.atttypid = 'tsvector'::regtype then 'text'::regtype::oid else y.typelem end
left join pg_type et on et.oid = e.oid
where c.relkind in ('r', 'p', 'm', 'i') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

func (l *loader) relations() error {
	l.rels = map[[2]string]*relation{}
	rows, err := l.conn.Query(l.ctx, attributesSQL)
	if err != nil {
		return err
	}
	var schema, name, column string
	var oid uint32
	var a attribute
	_, err = pgx.ForEachRow(rows, []any{
		&schema, &name, &oid, &column, &a.num, &a.typ, &a.typeName, &a.collation, &a.eq, &a.lt, &a.elem, &a.elemEq, &a.elemCollation,
	}, func() error {
		key := [2]string{schema, name}
		if l.rels[key] == nil {
			l.rels[key] = &relation{oid: oid, attrs: map[string]*attribute{}}
		}
		copied := a
		l.rels[key].attrs[column] = &copied
		return nil
	})
	return err
}

func sizeSQL(oid string, rows float64, pages, visible int64) string {
	return fmt.Sprintf("update pg_class set reltuples = %v, relpages = %d, relallvisible = %d where oid = %s", rows, pages, visible, oid)
}

// written are the statements for one relation: all at once, or its size and then column
// by column where the server refuses some.
type written struct {
	name, all, size string
	each            []string
}

// columns notes the statistics of a relation's columns and its size.
func (l *loader) columns(r *relation, name string, cs []stats.Column, rows float64, size string) error {
	w := written{name: name, size: size}
	var keys, tuples []string
	for i := range cs {
		a := r.attrs[cs[i].Name]
		if a == nil {
			l.out.Missing = append(l.out.Missing, "column "+name+"."+cs[i].Name)
			continue
		}
		key, tuple := fmt.Sprintf("(%d, %v)", a.num, cs[i].Inherited), l.statistic(r.oid, a, cs[i], rows)
		keys, tuples = append(keys, key), append(tuples, tuple)
		w.each = append(w.each, statisticsOf(r.oid, []string{key}, []string{tuple}))
	}
	w.all = size + ";\n" + statisticsOf(r.oid, keys, tuples) + ";\n"
	l.pending, l.bytes = append(l.pending, w), l.bytes+len(w.all)
	if l.bytes > batch {
		return l.flush()
	}
	return nil
}

// batch is how many bytes of statements are sent at once.
const batch = 1 << 19

// flush writes what was noted: in one transaction, else a relation at a time, else a
// column at a time.
func (l *loader) flush() error {
	pending := l.pending
	l.pending, l.bytes = nil, 0
	var all strings.Builder
	columns := 0
	for _, w := range pending {
		all.WriteString(w.all)
		columns += len(w.each)
	}
	err := l.exec(all.String())
	if err == nil {
		l.out.Columns += columns
		return nil
	}
	for _, w := range pending {
		if lost(err) {
			return err
		}
		if err = l.exec(w.all); err == nil {
			l.out.Columns += len(w.each)
			continue
		}
		if lost(err) {
			return err
		}
		if err = l.eachColumn(w); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) eachColumn(w written) error {
	if err := l.exec(w.size); err != nil {
		return err
	}
	for _, sql := range w.each {
		if err := l.exec(sql); lost(err) {
			return err
		} else if err != nil {
			l.out.Missing = append(l.out.Missing, "a column of "+w.name+": "+oneLine(err))
		} else {
			l.out.Columns++
		}
	}
	return nil
}

func (l *loader) exec(sql string) error {
	_, err := l.conn.PgConn().Exec(l.ctx, sql).ReadAll()
	return err
}

// The kinds of slot in pg_statistic, from PostgreSQL's pg_statistic.h.
const (
	slotCommon      = 1
	slotHistogram   = 2
	slotCorrelation = 3
	slotElements    = 4
	slotCounts      = 5
)

// statisticsOf writes rows of pg_statistic in place of those that are there.
func statisticsOf(oid uint32, keys, tuples []string) string {
	if len(keys) == 0 {
		return ""
	}
	return fmt.Sprintf("delete from pg_statistic where starelid = %d and (staattnum, stainherit) in (%s);\ninsert into pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, %s) values\n%s",
		oid, strings.Join(keys, ", "), slotColumns, strings.Join(tuples, ",\n"))
}

// slotColumns are the columns of a row's five slots.
var slotColumns = func() string {
	var names []string
	for n := 1; n <= 5; n++ {
		names = append(names, fmt.Sprintf("stakind%[1]d, staop%[1]d, stacoll%[1]d, stanumbers%[1]d, stavalues%[1]d", n))
	}
	return strings.Join(names, ", ")
}()

// statistic is a column's row of pg_statistic.
func (l *loader) statistic(oid uint32, a *attribute, c stats.Column, rows float64) string {
	c.Invent(a.typeName, rows, l.now)
	var slots []string
	slot := func(kind int, op, collation uint32, numbers []float64, array string, elem uint32) {
		if op == 0 {
			return // ANALYZE keeps nothing of a type that cannot be compared
		}
		num, val := "null", "null"
		if numbers != nil {
			num = "'{" + strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]") + "}'::float4[]"
		}
		if array != "" {
			val = fmt.Sprintf("array_in(%s::cstring, %d, -1)", literal(array), elem)
		}
		slots = append(slots, fmt.Sprintf("%d, %d, %d, %s, %s", kind, op, collation, num, val))
	}
	if len(c.Frequencies) > 0 && c.Common != "" {
		slot(slotCommon, a.eq, a.collation, c.Frequencies, c.Common, a.typ)
	}
	if c.Histogram != "" {
		slot(slotHistogram, a.lt, a.collation, nil, c.Histogram, a.typ)
	}
	if c.Correlation != nil {
		slot(slotCorrelation, a.lt, a.collation, []float64{*c.Correlation}, "", 0)
	}
	if len(c.ElementFrequencies) > 0 && c.Elements != "" {
		slot(slotElements, a.elemEq, cmp.Or(a.collation, a.elemCollation), c.ElementFrequencies, c.Elements, a.elem)
	}
	if len(c.ElementCounts) > 0 {
		slot(slotCounts, a.elemEq, cmp.Or(a.collation, a.elemCollation), c.ElementCounts, "", 0)
	}
	for len(slots) < 5 {
		slots = append(slots, "0, 0, 0, null, null")
	}
	return fmt.Sprintf("(%d, %d, %v, %v, %d, %v, %s)", oid, a.num, c.Inherited, c.NullFraction, c.Width, c.Distinct, strings.Join(slots, ", "))
}
