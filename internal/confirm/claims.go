package confirm

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// sources are the session's values that an expression without columns is made of.
func (id *identity) sources(e pgast.Expr, depth int) []source {
	if path, ok := claimPath(e); ok && len(path) > 0 {
		return []source{{claim: strings.Join(path, ".")}}
	}
	var out []source
	columns := false
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.ColumnRef:
			columns = true
		case *pgast.Op:
			if path, ok := claimPath(n); ok && len(path) > 0 {
				out = append(out, source{claim: strings.Join(path, ".")})
				return false
			}
		case *pgast.FuncCall:
			switch name := strings.Join(n.Name, "."); name {
			case "auth.uid":
				out = append(out, source{claim: "sub"})
			case "auth.email":
				out = append(out, source{claim: "email"})
			case "current_setting", "pg_catalog.current_setting":
				if src, ok := settingOf(n); ok {
					out = append(out, src)
				}
			default:
				if depth < 3 {
					out = append(out, id.simple(n, depth)...)
				}
			}
		}
		return true
	})
	if columns {
		return nil
	}
	return out
}

// simple are the sources of a function that only returns an expression.
func (id *identity) simple(call *pgast.FuncCall, depth int) []source {
	var out []source
	for _, f := range id.functions(call) {
		for _, st := range bodyOf(f) {
			if sel, ok := st.(*pgast.Select); ok && len(sel.From) == 0 && len(sel.Targets) == 1 {
				out = append(out, id.sources(sel.Targets[0].Expr, depth+1)...)
			}
		}
	}
	return out
}

// settingOf reads a call of current_setting; the settings that Supabase derives
// from the token are claims.
func settingOf(n *pgast.FuncCall) (source, bool) {
	if len(n.Args) == 0 {
		return source{}, false
	}
	c, ok := pgast.Uncast(n.Args[0]).(*pgast.Const)
	if !ok {
		return source{}, false
	}
	if claim, ok := strings.CutPrefix(c.Text, "request.jwt.claim."); ok {
		return source{claim: claim}, true
	}
	if c.Text == "request.jwt.claims" {
		return source{}, false // its path says which claim, see claimPath
	}
	return source{setting: c.Text, optional: len(n.Args) > 1}, true
}

// claimPath is the path of -> and ->> into the token, ok false for other
// expressions. auth.jwt() itself has an empty path.
func claimPath(e pgast.Expr) ([]string, bool) {
	switch x := e.(type) {
	case *pgast.Cast:
		return claimPath(x.Arg)
	case *pgast.SubLink:
		if sel, ok := x.Query.(*pgast.Select); ok && x.Kind == pgast.SubScalar && len(sel.Targets) == 1 && len(sel.From) == 0 {
			return claimPath(sel.Targets[0].Expr)
		}
	case *pgast.FuncCall:
		name := strings.Join(x.Name, ".")
		if name == "auth.jwt" {
			return nil, true
		}
		if (name == "current_setting" || name == "nullif") && len(x.Args) > 0 {
			c, ok := pgast.Uncast(x.Args[0]).(*pgast.Const)
			return nil, ok && c.Text == "request.jwt.claims"
		}
	case *pgast.Coalesce:
		if len(x.Args) > 0 {
			return claimPath(x.Args[0])
		}
	case *pgast.Op:
		if x.Kind == pgast.OpNullIf && x.Left != nil {
			return claimPath(x.Left)
		}
		if x.Name != "->" && x.Name != "->>" && x.Name != "#>>" || x.Left == nil {
			return nil, false
		}
		path, ok := claimPath(x.Left)
		c, isConst := pgast.Uncast(x.Right).(*pgast.Const)
		if !ok || !isConst {
			return nil, false
		}
		if x.Name == "#>>" {
			return append(path, strings.Split(strings.Trim(c.Text, "{}"), ",")...), true
		}
		return append(path, c.Text), true
	}
	return nil, false
}
