package monitor

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// Class is what kind of work a statement does, from its text and the schema: it
// decides what time is to be expected of it.
type Class string

// The classes. Writes are told apart from reads first, then aggregates, then joins.
const (
	// PrimaryKeyLookup reads one table by all columns of a unique index.
	PrimaryKeyLookup Class = "primary-key-lookup"
	// RangeScan reads one table by an interval, a prefix, or the first columns of an
	// index of several.
	RangeScan Class = "range-scan"
	// Lookup reads one table by equality otherwise.
	Lookup Class = "lookup"
	// FullScan reads one table without a condition that selects.
	FullScan Class = "full-scan"
	// Join reads several tables, Aggregate returns fewer rows than it reads.
	Join      Class = "join"
	Aggregate Class = "aggregate"
	Write     Class = "write"
	// Utility is all that is neither read nor write: DDL, BEGIN, SET, COPY, CALL.
	Utility Class = "utility"
	// Unknown statements do not parse, or name what the catalog does not have.
	Unknown Class = "unknown"
)

// classify gives a statement its class and the tables that it names. cat may be nil:
// then only what the text tells is known. sizes are the tables', which cost more to make
// up than a class; nil makes them up.
func classify(stmt pgast.Stmt, cat *catalog.Catalog, sizes catalog.Sizes) (Class, []string) {
	tables := named(stmt, cat)
	switch stmt.(type) {
	case *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
		return Write, tables
	case *pgast.Select:
	default:
		return Utility, tables
	}
	if cat == nil {
		return Unknown, tables
	}
	an := predicate.Analyze(cat, stmt, predicate.Options{Sizes: sizes})
	if len(an.Blocks) == 0 || len(an.Unresolved) > 0 {
		return Unknown, tables
	}
	top := an.Blocks[0]
	switch {
	case top.Aggregated:
		return Aggregate, tables
	case len(top.Rels) != 1 || len(an.Blocks) > 1:
		return Join, tables
	case top.Rels[0].Relation == nil:
		return Unknown, tables
	}
	return reads(top.Rels[0]), tables
}

// reads classes a read of one table by its conditions.
func reads(rel *predicate.Rel) Class {
	equal, interval := map[string]bool{}, false
	for i := range rel.Conjuncts {
		c := &rel.Conjuncts[i]
		switch c.Op {
		case "=":
			if c.Column != "" && !c.Array && (c.Kind == predicate.Constant || c.Kind == predicate.Param) {
				equal[c.Column] = true
			}
		case "<", "<=", ">", ">=":
			interval = true
		case "~~":
			interval = interval || c.Pattern == predicate.PrefixPattern || c.Pattern == predicate.UnknownPattern
		}
	}
	prefix := false
	for _, x := range rel.Relation.Indexes {
		n := slices.IndexFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == "" || !equal[k.Column] })
		if n < 0 && x.Unique && x.Predicate == "" {
			return PrimaryKeyLookup
		}
		prefix = prefix || n > 0
	}
	switch {
	case interval || prefix:
		return RangeScan
	case len(equal) > 0 || rel.Narrow != predicate.No:
		return Lookup
	}
	return FullScan
}

// named are the tables of a statement, schema.name, each once.
func named(stmt pgast.Stmt, cat *catalog.Catalog) []string {
	var out []string
	pgast.Walk(stmt, func(n pgast.Node) bool {
		t, ok := n.(*pgast.Table)
		if !ok {
			return true
		}
		name := catalog.Name{Schema: t.Schema, Name: t.Name}.Short()
		if cat != nil {
			r := cat.Resolve(t.Schema, t.Name, nil)
			if r == nil {
				return true // a CTE, most likely
			}
			name = r.Name.String()
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
		return true
	})
	return out
}
