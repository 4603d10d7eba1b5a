package confirm

import "github.com/planvet/planvet/internal/pgast"

// ordered reports whether a statement needs an order: ORDER BY with LIMIT, min or
// max, at any level.
func ordered(stmt pgast.Stmt) bool {
	found := false
	pgast.Walk(stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Select:
			found = found || n.Limit != nil && len(n.OrderBy) > 0
		case *pgast.FuncCall:
			last := n.Name[len(n.Name)-1]
			found = found || last == "min" || last == "max"
		}
		return true
	})
	return found
}
