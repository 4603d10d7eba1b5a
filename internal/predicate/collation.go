package predicate

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// uncollate takes an outer COLLATE off, as CREATE INDEX does with its keys, and
// returns its collation.
func uncollate(e pgast.Expr) (pgast.Expr, string) {
	c, ok := e.(*pgast.Collate)
	if !ok || len(c.Name) == 0 {
		return e, ""
	}
	inner, _ := uncollate(c.Arg)
	return inner, collationName(c.Name[len(c.Name)-1])
}

// collationName is a collation without schema and quotes; "" is the default one.
func collationName(s string) string {
	s = strings.Trim(s[strings.LastIndexByte(s, '.')+1:], `"`)
	if s == "default" {
		return ""
	}
	return s
}

// ownCollation is a key's collation when none is named: its column's.
func ownCollation(rel *Rel, column string) string {
	if rel.Relation == nil {
		return ""
	}
	if c := rel.Relation.Column(column); c != nil && column != "" {
		return collationName(c.Collation)
	}
	return ""
}

// keyCollation is the collation that an index has a key in.
func keyCollation(rel *Rel, k catalog.IndexKey) string {
	if k.Collation != "" {
		return collationName(k.Collation)
	}
	return ownCollation(rel, k.Column)
}

// collated reports whether a key has the collation that an expression on it is
// compared or sorted in; named is "" where the expression names none.
func collated(rel *Rel, k catalog.IndexKey, named string) bool {
	if named == "" {
		named = ownCollation(rel, k.Column)
	}
	return keyCollation(rel, k) == named
}
