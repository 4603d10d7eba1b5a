package predicate

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// The default profile, in rows.
const (
	// DefaultRows is what a table holds when nothing is known of it.
	DefaultRows = 100_000
	// LookupRows is what a lookup table holds: only referenced, and seeded in
	// migrations, or keyed by an enum or a boolean.
	LookupRows = 100
	// SmallRows is the bound below which reading all of a table is no fault: some
	// ten blocks.
	SmallRows = 1000
)

// profile is the default profile of a catalog.
type profile map[catalog.Name]int64

func (p profile) Rows(r *catalog.Relation) (int64, string) {
	if n, ok := p[r.Name]; ok {
		return n, "default"
	}
	return DefaultRows, "default"
}

// DefaultSizes is the default profile: 100,000 rows a table, 100 for a lookup
// table, 1 for a table whose key allows one row. workload are all statements that
// are known: a table that one of them inserts into is no lookup table; without
// any, tables that migrations seed count as lookups when others refer to them.
func DefaultSizes(cat *catalog.Catalog, workload []pgast.Stmt) catalog.Sizes {
	grows := map[catalog.Name]bool{}
	for _, s := range workload {
		pgast.Walk(s, func(n pgast.Node) bool {
			var t *pgast.Table
			switch n := n.(type) {
			case *pgast.Insert:
				t = n.Table
			case *pgast.Copy:
				if n.From {
					t = n.Table
				}
			case *pgast.Merge:
				t = n.Table
			}
			if t != nil {
				if r := cat.Resolve(t.Schema, t.Name, nil); r != nil {
					grows[r.Name] = true
				}
			}
			return true
		})
	}
	referenced := map[catalog.Name]bool{}
	for _, r := range cat.Relations() {
		for _, c := range r.Constraints {
			if c.Kind == catalog.ForeignKey {
				referenced[c.References] = true
			}
		}
	}
	p := profile{}
	for _, r := range cat.Relations() {
		switch {
		case singleRow(r):
			p[r.Name] = 1
		case ledger.MatchString(r.Name.Name):
			p[r.Name] = LookupRows
		case grows[r.Name]:
		case r.SeededRows > 0 && (referenced[r.Name] || len(workload) > 0), enumKeyed(cat, r):
			p[r.Name] = max(LookupRows, int64(r.SeededRows))
		}
	}
	return p
}

// singleRow reports whether a table's key allows one row: a boolean key, or
// CHECK (id = 1).
func singleRow(r *catalog.Relation) bool {
	key := primaryKey(r)
	if len(key) != 1 {
		return false
	}
	if c := r.Column(key[0]); c != nil && plainType(c.Type) == "boolean" {
		return true
	}
	for _, c := range r.Constraints {
		if c.Kind != catalog.Check || !strings.Contains(c.Expr, key[0]) {
			continue
		}
		e, err := pgast.ParseExpr(c.Expr)
		if err != nil {
			continue
		}
		for _, a := range conjunction(e) {
			if op := equality(a); op != nil && columnName(op.Left) == key[0] && values(op.Right) == 1 {
				return true
			}
		}
	}
	return false
}

// ledger is the name of a table in which a tool notes the migrations that ran.
var ledger = regexp.MustCompile(`(^|_)migrations?(_(history|lock|log))?$|^schema_(versions?|info)(_history)?$|^goose_db_version$|^flyway_schema_history$|^alembic_version$|^databasechangelog(lock)?$`)

func enumKeyed(cat *catalog.Catalog, r *catalog.Relation) bool {
	key := primaryKey(r)
	if len(key) != 1 {
		return false
	}
	c := r.Column(key[0])
	if c == nil {
		return false
	}
	t := cat.Type(c.TypeName.Schema, c.TypeName.Name)
	return t != nil && t.Kind == "enum"
}

func primaryKey(r *catalog.Relation) []string {
	for _, c := range r.Constraints {
		if c.Kind == catalog.PrimaryKey {
			return c.Columns
		}
	}
	return nil
}

// rows fills a relation's size.
func (r *resolver) rows(rel *Rel) {
	if rel.Relation == nil {
		return
	}
	sizes := r.o.Sizes
	if sizes == nil {
		sizes = r.cat.Stats
	}
	if sizes == nil {
		sizes = DefaultSizes(r.cat, nil)
		r.o.Sizes = sizes
	}
	rel.Rows, rel.RowsSource = sizes.Rows(rel.Relation)
	rel.Small = rel.Rows < SmallRows
}
