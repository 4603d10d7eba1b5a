package shadow

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/stats"
)

// TableProfile is what somebody knows of a table without its statistics; the zero
// value is nothing.
type TableProfile struct {
	// Width is the average width of a row in bytes, without its header.
	Width int
	// Distinct are numbers of distinct values by column.
	Distinct map[string]int64
	// Recent are the columns that grow in the order of the rows; nil is all times.
	Recent []string
}

// Profile makes statistics up for the tables of a catalog, with the row counts of
// cat.Stats. They are those that MakeRows's rows would have, so that a plan by them is
// the plan on made rows, at any size:
//
//  1. a key of one column has as many values as rows; a foreign key has as many as its
//     parent has rows, by Zipf's law, see Fill for parents of unknown size;
//  2. an enum, a list of a CHECK and a boolean have their values, by Zipf's law, and a
//     status or the like without a list has five that nobody knows;
//  3. a time is a histogram up to now that grows with the rows, correlation 1;
//  4. NOT NULL columns have no NULLs, others a tenth, what is rarely set nearly all;
//  5. widths are by type, blocks by widths. Indexes have no entry: their size follows
//     from that of their columns, see SizeIndexes.
func Profile(cat *catalog.Catalog, known func(catalog.Name) TableProfile) *stats.File {
	p := profiler{cat: cat, known: known, leaves: map[catalog.Name]int{}}
	f := &stats.File{Version: stats.Version, Values: true, Settings: map[string]string{}}
	for _, r := range cat.Relations() {
		if r.PartitionOf != (catalog.Name{}) && r.Kind == catalog.Table {
			p.leaves[p.root(r).Name]++
		}
	}
	for _, r := range cat.Relations() {
		if r.IsTable() || r.Kind == catalog.MaterializedView {
			f.Tables = append(f.Tables, p.table(r))
		}
	}
	f.Sort()
	return f
}

type profiler struct {
	cat   *catalog.Catalog
	known func(catalog.Name) TableProfile
	// leaves counts the partitions that hold rows by the table on top.
	leaves map[catalog.Name]int
}

// root is the partitioned table that a partition belongs to in the end.
func (p *profiler) root(r *catalog.Relation) *catalog.Relation {
	for range 32 {
		up := p.cat.Relation(r.PartitionOf.Schema, r.PartitionOf.Name)
		if up == nil {
			break
		}
		r = up
	}
	return r
}

func (p *profiler) rows(r *catalog.Relation) (rows float64, known bool) {
	rows, source := float64(defaultRows), "default"
	if p.cat.Stats != nil {
		var n int64
		n, source = p.cat.Stats.Rows(r)
		rows = float64(n)
	}
	return rows, source != "default"
}

func (p *profiler) table(r *catalog.Relation) stats.Table {
	top := p.root(r)
	rows, _ := p.rows(top)
	partitioned := r.Kind == catalog.PartitionedTable
	if top != r && !partitioned {
		rows = math.Ceil(rows / float64(max(p.leaves[top.Name], 1)))
	}
	t := stats.Table{Schema: r.Schema, Name: r.Name.Name, Rows: rows}
	k := p.known(top.Name)
	checks := readChecks(r, p.cat)
	width := 0
	for _, c := range r.Columns {
		s := p.column(r, c, k, checks[c.Name], rows)
		if top != r && !partitioned && slices.Contains(top.PartitionKeys, c.Name) {
			// What lies between a partition's bounds is another part of the values.
			s.Frequencies, s.Common, s.Bounds = nil, "", 0
		}
		s.Inherited = partitioned
		width += s.Width
		t.Columns = append(t.Columns, s)
	}
	if k.Width > 0 {
		width = k.Width
	}
	if !partitioned {
		t.Pages = heapPages(rows, width)
		t.Visible = t.Pages
	}
	return t
}

// heapPages are the blocks that rows of a width take: a header of 24 bytes each and a
// line pointer of 4, in blocks of 8192 with a header of 24.
func heapPages(rows float64, width int) int64 {
	perPage := max(math.Floor((blockSize-24)/float64(aligned(width)+24+4)), 1)
	return int64(math.Ceil(rows / perPage))
}

func aligned(width int) int { return (width + 7) / 8 * 8 }

// few is how many values a column has whose name says that it is one of few.
const few = 5

func (p *profiler) column(r *catalog.Relation, c *catalog.Column, k TableProfile, check facts, rows float64) stats.Column {
	s := stats.Column{Name: c.Name, Width: p.width(c)}
	name := strings.ToLower(c.Name)
	if !c.NotNull {
		s.NullFraction = 0.1
		if strings.HasPrefix(name, "deleted") || strings.HasPrefix(name, "archived") || strings.HasPrefix(name, "revoked") {
			s.NullFraction = 0.95
		}
	}
	typ, kind := c.Type, p.cat.Type(c.TypeName.Schema, c.TypeName.Name)
	labels := check.list
	for kind != nil && kind.Kind == "domain" {
		typ, kind = kind.Base, nil
	}
	if kind != nil && kind.Kind == "enum" {
		labels = kind.Labels
	}
	base, _, _ := strings.Cut(typ, "(")
	n, told := k.Distinct[c.Name]
	switch {
	case len(labels) > 0 && !strings.HasSuffix(typ, "[]"):
		s.Distinct, s.Frequencies, s.Common = float64(len(labels)), p.zipf(len(labels), len(labels), s.NullFraction), textArray(labels)
	case typ == "boolean":
		s.Distinct, s.Frequencies, s.Common = 2, []float64{0.9 * (1 - s.NullFraction), 0.1 * (1 - s.NullFraction)}, "{f,t}"
	case told:
		p.spread(&s, float64(n), rows, true)
	case unique(r, []string{c.Name}):
		p.spread(&s, rows, rows, false)
	case p.parents(r, c, rows) > 0:
		p.spread(&s, p.parents(r, c, rows), rows, true)
	case strings.HasSuffix(typ, "[]") || base == "tsvector":
		s.Distinct = -0.5
		p.elements(&s, base)
	case strings.HasPrefix(base, "timestamp") || base == "date":
		p.spread(&s, rows, rows, false)
		if base == "date" {
			p.spread(&s, min(rows, 365), rows, false)
		}
		if k.Recent == nil || slices.Contains(k.Recent, c.Name) {
			one := 1.0
			s.Correlation = &one
		}
	case strings.HasSuffix(name, "id"):
		p.spread(&s, max(rows/fanOut, 10), rows, true)
	case fewValued.MatchString(name):
		p.spread(&s, few, rows, true)
	case base == "smallint" || base == "integer" || base == "bigint":
		p.spread(&s, min(rows, 10_000), rows, false)
	case base == "json" || base == "jsonb" || base == "bytea" || base == "xml":
		s.Distinct = -1
	case base == "numeric" || base == "real" || base == "double precision" || base == "money":
		p.spread(&s, rows/2, rows, false)
	default:
		p.spread(&s, rows/10, rows, false)
	}
	if r.Columns[0] == c && s.Correlation == nil && unique(r, []string{c.Name}) && base != "uuid" && base != "text" {
		one := 1.0
		s.Correlation = &one // a key that is counted up
	}
	return s
}

// parents is how many rows a foreign key of one column refers to; 0 for none.
func (p *profiler) parents(r *catalog.Relation, c *catalog.Column, rows float64) float64 {
	for _, k := range r.Constraints {
		if k.Kind != catalog.ForeignKey || len(k.Columns) != 1 || k.Columns[0] != c.Name {
			continue
		}
		n := max(rows/fanOut, min(rows, fewParents))
		if parent := p.cat.Relation(k.References.Schema, k.References.Name); parent != nil {
			have, known := p.rows(parent)
			if known || have < n {
				n = have
			}
		}
		return max(n, 1)
	}
	return 0
}

// listed is how many common values ANALYZE keeps, and bounds how many ends of bins.
const listed, bounds = 100, 101

// spread gives a column a number of values, some of them frequent by Zipf's law.
func (p *profiler) spread(s *stats.Column, distinct, rows float64, skewed bool) {
	distinct = min(max(distinct, 1), max(rows, 1))
	s.Distinct = distinct
	if distinct > rows/10 {
		s.Distinct = -distinct / max(rows, 1) // it grows with the table
	}
	s.Frequencies, s.Bounds = nil, 0
	if skewed && distinct < rows/2 {
		s.Frequencies = p.zipf(int(min(distinct, listed)), int(distinct), s.NullFraction)
	}
	if distinct > float64(len(s.Frequencies)+1) {
		s.Bounds = int(min(bounds, distinct-float64(len(s.Frequencies))))
	}
}

// zipf are the frequencies of the first of n values: the k-th has ln(1+1/k)/ln(n+1), as
// the generator's.
func (p *profiler) zipf(first, n int, nulls float64) []float64 {
	out := make([]float64, first)
	for k := range out {
		f := math.Log(1+1/float64(k+1)) / math.Log(float64(n+1)) * (1 - nulls)
		out[k] = math.Round(f*1e6) / 1e6
	}
	return out
}

// elements are words by Zipf's law, for arrays of text and text search.
func (p *profiler) elements(s *stats.Column, base string) {
	if base != "tsvector" && !strings.HasPrefix(base, "text[]") && !strings.HasPrefix(base, "character varying") {
		return
	}
	const words = 100
	list := make([]string, words)
	for i := range list {
		list[i] = fmt.Sprintf("word%03d", i)
		s.ElementFrequencies = append(s.ElementFrequencies, math.Round(0.2/float64(i+1)*1e6)/1e6)
	}
	s.Elements = textArray(list)
	last := s.ElementFrequencies[words-1]
	s.ElementFrequencies = append(s.ElementFrequencies, last, s.ElementFrequencies[0]) // the least and the most
	if base != "tsvector" {
		s.ElementFrequencies = append(s.ElementFrequencies, 0) // NULL elements
	}
}

// widths are average widths in bytes of types that have no length of their own.
var widths = map[string]int{
	"boolean": 1, `"char"`: 1, "smallint": 2, "integer": 4, "bigint": 8, "real": 4, "double precision": 8, "numeric": 8, "money": 8, "oid": 4,
	"date": 4, "timestamp with time zone": 8, "timestamp without time zone": 8, "time without time zone": 8, "time with time zone": 12,
	"interval": 16, "uuid": 16, "inet": 8, "cidr": 8, "macaddr": 6, "json": 120, "jsonb": 120, "bytea": 64, "tsvector": 200, "point": 16,
}

func (p *profiler) width(c *catalog.Column) int {
	typ := c.Type
	if t := p.cat.Type(c.TypeName.Schema, c.TypeName.Name); t != nil {
		if t.Kind == "enum" {
			return 4
		}
		if t.Kind == "domain" {
			typ = t.Base
		}
	}
	if strings.HasSuffix(typ, "[]") {
		return 48
	}
	base, mods, sized := strings.Cut(typ, "(")
	if w, ok := widths[strings.TrimSpace(base)]; ok {
		return w
	}
	if n := 0; sized {
		if _, err := fmt.Sscanf(mods, "%d", &n); err == nil && n > 0 {
			return min(n+1, 32)
		}
	}
	if fewValued.MatchString(strings.ToLower(c.Name)) {
		return 8
	}
	return 32
}

// textArray writes texts as PostgreSQL reads an array.
func textArray(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
