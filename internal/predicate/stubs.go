package predicate

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

type (
	clause    struct{}
	resolver  struct{}
	derived   struct{}
	outerJoin struct{}
)

func analyze(*catalog.Catalog, pgast.Stmt, Options) *Analysis { return &Analysis{} }

func policyQuals(*catalog.Catalog, *catalog.Relation, string, string) []Qual { return nil }

func policyAccess(*catalog.Catalog, *catalog.Relation, *catalog.Policy) *Access { return &Access{} }

func suggest([]Need) []Suggestion { return nil }

// Implies reports whether every row for which all of quals are true makes pred
// true as well. It may say no where the answer is yes; a yes holds.
func Implies(quals []pgast.Expr, pred pgast.Expr) bool { return false }

// DefaultSizes is the default profile: 100,000 rows a table, 100 for lookup
// tables, 1 for single-row tables.
func DefaultSizes(cat *catalog.Catalog, workload []pgast.Stmt) catalog.Sizes { return nil }
