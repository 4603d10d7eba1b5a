package stats

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/catalog"
)

// Version is the format of the files that this package writes.
const Version = 1

// File are the statistics of one database.
type File struct {
	Version int `json:"version"`
	// Server is the version of the server that they are of, as it prints it: 15.18.
	Server string `json:"server"`
	// Values is set where the file holds values of columns.
	Values bool `json:"values"`
	// Settings are those that the planner reads, as SHOW prints them.
	Settings map[string]string `json:"settings"`
	Tables   []Table           `json:"tables"`
	// Hidden are tables of which the role that asked may not see the columns'
	// statistics: schema.name.
	Hidden []string `json:"hidden,omitempty"`
}

// Table is a table, a partitioned table or a materialized view.
type Table struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Rows is the planner's estimate for the size that the table has now; -1 where it
	// was never analyzed.
	Rows float64 `json:"rows"`
	// Pages are blocks of 8 KiB in the table's file; Visible those of them that an
	// index-only scan need not visit.
	Pages   int64 `json:"pages"`
	Visible int64 `json:"visible"`
	// Columns are sorted by name, the table's own before those with its children.
	Columns []Column `json:"columns"`
	// Indexes are sorted by name.
	Indexes []Index `json:"indexes"`
}

// Index is an index of a table.
type Index struct {
	Name  string  `json:"name"`
	Rows  float64 `json:"rows"`
	Pages int64   `json:"pages"`
	// Columns are statistics of its expressions.
	Columns []Column `json:"columns,omitempty"`
}

// Column are the statistics of a column or of an index's expression, as the view
// pg_stats has them.
type Column struct {
	Name string `json:"name"`
	// Inherited is set for those of a table with its children.
	Inherited bool `json:"inherited,omitempty"`
	// NullFraction is from 0 to 1, Width in bytes; Distinct is a count, or where
	// negative a fraction of the rows, negated.
	NullFraction float64  `json:"null_fraction"`
	Width        int      `json:"width"`
	Distinct     float64  `json:"distinct"`
	Correlation  *float64 `json:"correlation,omitempty"`
	// Frequencies are those of the most common values; Common are the values, as an
	// array that PostgreSQL reads.
	Frequencies []float64 `json:"frequencies,omitempty"`
	Common      string    `json:"common,omitempty"`
	// Bounds counts the bounds of the histogram; Histogram are they.
	Bounds    int    `json:"bounds,omitempty"`
	Histogram string `json:"histogram,omitempty"`
	// ElementFrequencies and Elements are those of the elements of arrays and of the
	// lexemes of text search vectors, ElementCounts the histogram of their numbers.
	ElementFrequencies []float64 `json:"element_frequencies,omitempty"`
	Elements           string    `json:"elements,omitempty"`
	ElementCounts      []float64 `json:"element_counts,omitempty"`
}

// Table returns the statistics of a table; nil where the file has none.
func (f *File) Table(schema, name string) *Table {
	i, ok := slices.BinarySearchFunc(f.Tables, [2]string{schema, name}, func(t Table, key [2]string) int {
		return cmp.Or(cmp.Compare(t.Schema, key[0]), cmp.Compare(t.Name, key[1]))
	})
	if !ok {
		return nil
	}
	return &f.Tables[i]
}

// Sort brings tables, columns and indexes into the file's order.
func (f *File) Sort() {
	slices.SortFunc(f.Tables, func(a, b Table) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
	})
	for i := range f.Tables {
		t := &f.Tables[i]
		slices.SortFunc(t.Indexes, func(a, b Index) int { return cmp.Compare(a.Name, b.Name) })
		sortColumns(t.Columns)
		for k := range t.Indexes {
			sortColumns(t.Indexes[k].Columns)
		}
	}
	slices.Sort(f.Hidden)
}

func sortColumns(cs []Column) {
	slices.SortFunc(cs, func(a, b Column) int {
		if a.Inherited != b.Inherited {
			if b.Inherited {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
}

// Sizes are the row counts of a file, and those of base for tables that it lacks or
// that were never analyzed.
func (f *File) Sizes(base catalog.Sizes) catalog.Sizes { return sizes{f, base} }

type sizes struct {
	f    *File
	base catalog.Sizes
}

// Rows implements catalog.Sizes.
func (s sizes) Rows(r *catalog.Relation) (int64, string) {
	if t := s.f.Table(r.Schema, r.Name.Name); t != nil && t.Rows >= 0 {
		return int64(t.Rows), "statistics"
	}
	return s.base.Rows(r)
}
