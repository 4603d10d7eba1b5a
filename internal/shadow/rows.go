package shadow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/catalog"
)

// RowReport says what MakeRows did for one table.
type RowReport struct {
	// Rows are in the table now.
	Rows int64
	// Problem says why rows could not be made; "" where they could.
	Problem string
}

const (
	// defaultRows fill a wanted table where nothing says how many.
	defaultRows = 100_000
	// fanOut is how many rows a row of a parent has in a child.
	fanOut = 10
	// fewParents bounds from below what the fan-out gives.
	fewParents = 100
)

// Maker fills tables of one database. Each table is filled once.
type Maker struct {
	conn *pgx.Conn
	cat  *catalog.Catalog
	done map[catalog.Name]RowReport
	// busy are the tables being filled further up, in which a cycle ends.
	busy map[catalog.Name]bool
	// keys are expressions for the columns of filled tables that other tables refer
	// to, in terms of the row number.
	keys map[catalog.Name]map[string]string
	// referred are the columns, schema.table.column, that foreign keys refer to.
	referred map[string]bool
}

// NewMaker returns a maker for a database whose catalog was loaded from it. The
// connection must be a superuser's: triggers and foreign keys are off while rows
// are made.
func NewMaker(conn *pgx.Conn, cat *catalog.Catalog) *Maker {
	return &Maker{conn: conn, cat: cat, done: map[catalog.Name]RowReport{}, busy: map[catalog.Name]bool{}, keys: map[catalog.Name]map[string]string{}}
}

// MakeRows fills tables with rows made from the schema: wanted[t] rows in t, and
// as many in the parents that its foreign keys need. See Maker.Fill.
func MakeRows(ctx context.Context, conn *pgx.Conn, cat *catalog.Catalog, wanted map[catalog.Name]int64) (map[catalog.Name]RowReport, error) {
	return NewMaker(conn, cat).Fill(ctx, wanted)
}

// Fill makes rows in tables and their parents and reports on each table that it
// filled, now or before. The same catalog and wishes give the same rows:
//
//  1. Parents come before children; a cycle ends in NULL, or in a value that the
//     parent will have.
//  2. A value is a function of the row's number and the column: see value.go. A
//     foreign key picks a parent by Zipf's law, so that there are frequent and
//     rare values; under a unique constraint it picks each once.
//  3. CHECK constraints are read for lists, bounds and lengths, for columns that are
//     compared with each other, and for which columns must be empty; where a
//     constraint still fails on a few rows, those that break it are left out, or
//     simple alternatives are tried where that leaves too few.
//  4. Rows that would break a unique or exclusion constraint are dropped, and
//     another round with other numbers fills up.
//
// An error means that the server was lost or has no room left; a table that could not
// be filled for another reason has a Problem instead.
func (m *Maker) Fill(ctx context.Context, wanted map[catalog.Name]int64) (map[catalog.Name]RowReport, error) {
	if _, err := m.conn.Exec(ctx, "reset all; reset role; set session_replication_role = replica; set synchronous_commit = off; "+
		"set statement_timeout = '120s'; set search_path = public"); err != nil {
		return nil, fmt.Errorf("making rows: %w", err)
	}
	tables := make([]catalog.Name, 0, len(wanted))
	for t := range wanted {
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b catalog.Name) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
	})
	for _, t := range tables {
		if err := m.fill(ctx, t, wanted, wanted[t]); err != nil {
			return nil, fmt.Errorf("making rows in %s: %w", t, err)
		}
	}
	_, err := m.conn.Exec(ctx, "reset all")
	return m.done, err
}

// fill fills one table after its parents.
func (m *Maker) fill(ctx context.Context, name catalog.Name, wanted map[catalog.Name]int64, n int64) error {
	if _, ok := m.done[name]; ok || m.busy[name] {
		return nil
	}
	w, asked := wanted[name]
	n = max(n, w)
	r := m.cat.Relation(name.Schema, name.Name)
	if r == nil || !r.IsTable() {
		m.done[name] = RowReport{Problem: "it is not a table of the shadow"}
		return nil
	}
	if r.PartitionOf != (catalog.Name{}) {
		return m.fill(ctx, r.PartitionOf, wanted, n)
	}
	m.busy[name] = true
	defer delete(m.busy, name)
	for _, k := range r.Constraints {
		if k.Kind != catalog.ForeignKey || k.References == name || !asked && !slices.ContainsFunc(k.Columns, func(c string) bool { return m.needs(r, r.Column(c)) }) {
			continue
		}
		parents := max(n/fanOut, min(n, fewParents))
		if size, ok := m.size(k.References); ok {
			parents = size
		}
		if w, ok := wanted[k.References]; ok {
			parents = w
		}
		if unique(r, k.Columns) {
			parents = max(parents, n)
		}
		if err := m.fill(ctx, k.References, wanted, parents); err != nil {
			return err
		}
	}
	report, err := m.insert(ctx, r, n, !asked)
	if lost(err) {
		return err
	}
	if err != nil { // the table is not as the catalog has it
		report.Problem = "rows could not be made: " + oneLine(err)
	}
	m.done[name] = report
	return nil
}

// size is a table's row count where config or statistics tell it: 40 tenants share
// the rows of a child differently than 10,000 do.
func (m *Maker) size(name catalog.Name) (int64, bool) {
	r := m.cat.Relation(name.Schema, name.Name)
	if r == nil || m.cat.Stats == nil {
		return 0, false
	}
	rows, source := m.cat.Stats.Rows(r)
	return min(rows, defaultRows), source != "default" && rows > 0
}

// unique reports whether columns hold all of a unique key.
func unique(r *catalog.Relation, columns []string) bool {
	for _, x := range r.Indexes {
		if !x.Unique || x.Predicate != "" {
			continue
		}
		all := len(x.Keys) > 0
		for _, k := range x.Keys {
			all = all && k.Column != "" && slices.Contains(columns, k.Column)
		}
		if all {
			return true
		}
	}
	return false
}

// insert makes the rows of one table.
func (m *Maker) insert(ctx context.Context, r *catalog.Relation, n int64, parent bool) (RowReport, error) {
	var have, base int64
	if err := m.conn.QueryRow(ctx, "select count(*) from "+ident(r.Name)).Scan(&have); err != nil {
		return RowReport{}, err
	}
	if have >= n {
		return RowReport{Rows: have}, m.vacuumOnce(ctx, r, have)
	}
	g, err := m.generator(ctx, r, n, parent)
	if err != nil {
		return RowReport{}, err
	}
	if have > 0 {
		// Numbers above those that the migrations' own rows can have.
		base = 10 * n
	}
	if problem, err := m.settle(ctx, g, base); problem != "" || err != nil {
		return RowReport{Rows: have, Problem: problem}, err
	}
	if problem, err := m.rounds(ctx, g, n, base, &have); problem != "" || err != nil {
		return RowReport{Rows: have, Problem: problem}, err
	}
	m.keys[r.Name] = g.keys()
	if err := m.sequences(ctx, r); err != nil && lost(err) {
		return RowReport{}, err
	}
	return RowReport{Rows: have}, m.vacuum(ctx, r)
}

// vacuum makes the table as a server keeps it: analyzed, with a visibility map.
func (m *Maker) vacuum(ctx context.Context, r *catalog.Relation) error {
	// ANALYZE samples 300 rows a unit of target: 340 takes in all of 100,000 rows and
	// gives the same plans in every run. On a wide table that takes too long.
	const all, wide = 340, 20
	target := all
	if len(r.Columns) > wide {
		target = 100
	}
	if _, err := m.conn.Exec(ctx, fmt.Sprintf("set default_statistics_target = %d", target)); err != nil {
		return err
	}
	_, err := m.conn.Exec(ctx, "vacuum (analyze) "+ident(r.Name))
	return err
}

// vacuumOnce leaves a table alone whose statistics are those of its rows.
func (m *Maker) vacuumOnce(ctx context.Context, r *catalog.Relation, have int64) error {
	var known float64
	err := m.conn.QueryRow(ctx, "select reltuples::float8 from pg_class where oid = "+literal(ident(r.Name))+"::regclass").Scan(&known)
	if err != nil || int64(known) == have {
		return err
	}
	return m.vacuum(ctx, r)
}

// sequences moves the sequences of the table beyond the keys that were made.
func (m *Maker) sequences(ctx context.Context, r *catalog.Relation) error {
	for _, c := range r.Columns {
		if c.Identity == "" && !strings.HasPrefix(c.Default, "nextval(") {
			continue
		}
		_, err := m.conn.Exec(ctx, "select pg_catalog.setval(s, v) from (select pg_catalog.pg_get_serial_sequence("+
			literal(ident(r.Name))+", "+literal(c.Name)+")::regclass s, max("+quote(c.Name)+")::bigint v from "+ident(r.Name)+") q where v > 0 and s is not null")
		if err != nil {
			return err
		}
	}
	return nil
}

// lost reports whether an error is not a server's answer, or one that it would give
// to anything: no space is left, no memory, a file cannot be written (SQLSTATE classes
// 53 and 58; a file that may not grow has no class of its own).
func lost(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err != nil
	}
	return strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "58") || strings.HasPrefix(pg.Message, "could not extend file")
}

func ident(n catalog.Name) string { return pgx.Identifier{n.Schema, n.Name}.Sanitize() }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
