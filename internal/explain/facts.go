package explain

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

// Facts are what heuristics ask beyond the plan. Each may be missing: what cannot
// be told without it is not said.
type Facts struct {
	// SQL is the statement that was planned, Role as whom; "" is the session's own.
	SQL, Role string
	// Generic is set for a plan that serves every value.
	Generic bool
	// Major is the server's major version.
	Major int
	// Catalog is the server's schema; nil where it was not loaded. Policies, types of
	// functions and foreign keys are read from it.
	Catalog *catalog.Catalog
	// Tables are the tables that the plan reads or writes, by schema.name.
	Tables map[string]*TableFacts
	// Indexes are those of these tables, in order of schema.name of table and index.
	Indexes []IndexFacts
}

// TableFacts is what the server knows of a table.
type TableFacts struct {
	// Rows and Pages are what the planner goes by, in rows and blocks of 8 KiB; Rows
	// is -1 before the first ANALYZE. Visible are pages that an index-only scan need not
	// look into.
	// PagesNow are the blocks of its file.
	Rows, Pages, Visible, PagesNow float64
	// Changed are rows written since the last ANALYZE, Live those in the table by the
	// server's running count. Never is set where nobody has analysed it since counting
	// began; AnalyzedAgo is seconds, 0 where unknown.
	Changed, Live, AnalyzedAgo float64
	Never                      bool
	// Vacuumed is set where some VACUUM is known of.
	Vacuumed bool
	// Updates are rows updated since counting began, HOT those of them that changed
	// no index.
	Updates, HOT float64
	// Types are the columns' types by name, names as the server quotes them.
	Types map[string]string
	// Extended are its extended statistics.
	Extended []ExtendedStatistics
	// Partition keys, by pg_get_partkeydef, of the partitioned tables that it is a part
	// of; Root is the topmost one, schema.name.
	PartitionKeys []string
	Root          string
}

// ExtendedStatistics is a CREATE STATISTICS object.
type ExtendedStatistics struct {
	Name string
	// Columns are names as the server quotes them, Expressions as it prints them.
	Columns, Expressions []string
	// Built is set once ANALYZE has filled it; also where that may not be seen.
	Built bool
}

// IndexFacts is one index.
type IndexFacts struct {
	plan.IndexDef
	// Schema and Table are its table's; Include are columns that it only carries.
	Schema, Table string
	Include       []string
	Unique, Valid bool
	// Predicate is a partial index's condition.
	Predicate string
	Pages     float64
}

// table is what is known of the table that a node reads; nil for nothing.
func (f *Facts) table(n *plan.Node) *TableFacts {
	if f == nil || n.Relation == "" {
		return nil
	}
	return f.Tables[n.Full()]
}

// index is an index of a table, by the schema of the table, which is the index's.
func (f *Facts) index(schema, name string) *IndexFacts {
	if f == nil {
		return nil
	}
	for i := range f.Indexes {
		if x := &f.Indexes[i]; x.Name == name && (schema == "" || x.Schema == schema) {
			return x
		}
	}
	return nil
}

// relation is a table in the catalog; nil where that is unknown.
func (f *Facts) relation(n *plan.Node) *catalog.Relation {
	if f == nil || f.Catalog == nil || n.Relation == "" {
		return nil
	}
	return f.Catalog.Relation(n.Schema, n.Relation)
}
