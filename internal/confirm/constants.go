package confirm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
)

// onlyConstants returns a doubt where every flagged column is compared with
// constants that no made row holds: how many rows production has of them decides
// whether an index helps, and nobody here knows.
func (a *asker) onlyConstants(s *params.Scope, stmt pgast.Stmt, columns []string) string {
	rel := s.ByAlias[s.Flagged]
	if rel == nil || len(columns) == 0 {
		return ""
	}
	variable := false
	var constants []string
	pgast.Walk(stmt, func(n pgast.Node) bool {
		op, ok := n.(*pgast.Op)
		if !ok || op.Left == nil {
			return true
		}
		sides := []pgast.Expr{op.Left, op.Right}
		for i, side := range sides {
			alias, cols := s.Subject(side)
			if alias != s.Flagged || !slices.ContainsFunc(cols, func(c string) bool { return slices.Contains(columns, c) }) {
				continue
			}
			if !literalOnly(sides[1-i]) || op.Kind == pgast.OpPlain && op.Name != "=" {
				variable = true
				continue
			}
			constants = append(constants, pgast.Format(op))
		}
		return true
	})
	if variable {
		return ""
	}
	for _, c := range constants {
		if a.tier != nil {
			if !a.tier.Known(rel.Name) && !slices.ContainsFunc(columns, func(name string) bool { return a.listed(rel.Name, s.Flagged, name, c) }) {
				return "how many rows of production have " + c + " decides, and no statistics tell: name a file of planvet stats dump --values"
			}
			continue
		}
		rows, err := a.o.Server.Query(a.ctx, fmt.Sprintf("select exists (select 1 from %s as %s where %s)", ident(rel.Name), quote(s.Flagged), c))
		if err == nil && len(rows) == 1 && *rows[0][0] == "f" {
			return "no made row has " + c + ": how many rows of production have decides; ask with --confirm live"
		}
	}
	return ""
}

// literalOnly reports whether an expression is made of literals alone.
func literalOnly(e pgast.Expr) bool {
	only := true
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n.(type) {
		case *pgast.Param, *pgast.ColumnRef, *pgast.SubLink, *pgast.FuncCall, *pgast.ValueFunc:
			only = false
		}
		return only
	})
	return only
}

// meetConstants gives half of the made rows what a policy asks of its columns by
// literals, bucket = 'pictures': made rows hold other values, and a condition that
// no row comes to costs nothing. It returns what it did, and a doubt where it could
// not. Triggers stay silent, so a parent row of the value need not be there.
func (a *asker) meetConstants(r *catalog.Relation, pol *catalog.Policy) (fact, doubt string) {
	e, err := pgast.ParseExpr(pol.Using)
	if err != nil || a.o.Live {
		return "", ""
	}
	s := params.NewScope(a.cat, &pgast.Select{Where: e}, params.Focus{})
	s.ByAlias[r.Name.Name], s.Flagged = r, r.Name.Name
	var set, conds []string
	for _, c := range pgast.Flatten(e, pgast.And) {
		op, ok := c.(*pgast.Op)
		if !ok || op.Kind != pgast.OpPlain || op.Name != "=" || op.Left == nil {
			continue
		}
		col, value := op.Left, op.Right
		if literalOnly(col) {
			col, value = value, col
		}
		ref, ok := pgast.Uncast(col).(*pgast.ColumnRef)
		if !ok || !literalOnly(value) {
			continue
		}
		if alias, name := s.Column(ref); alias == s.Flagged {
			set = append(set, quote(name)+" = "+pgast.Format(value))
			conds = append(conds, pgast.Format(op))
		}
	}
	if len(set) == 0 {
		return "", ""
	}
	says := strings.Join(conds, " and ")
	rows, err := a.o.Server.Query(a.ctx, fmt.Sprintf("select count(*) filter (where %s) * 4 >= count(*) from %s as %s", strings.Join(conds, " and "), ident(r.Name), quote(s.Flagged)))
	if err != nil || len(rows) != 1 || *rows[0][0] == "t" {
		return "", ""
	}
	err = a.o.Server.Exec(a.ctx, fmt.Sprintf(`set local session_replication_role = replica; update %[1]s set %[2]s where (ctid::text::point)[1]::int %% 2 = 0;
		set local session_replication_role = origin; analyze %[1]s`, ident(r.Name), strings.Join(set, ", ")))
	if err != nil {
		return "", "few made rows have " + says + ", and the others do not take it: " + message(err)
	}
	return "half of the made rows were given " + says, ""
}
