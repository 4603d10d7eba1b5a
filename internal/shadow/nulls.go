package shadow

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// nullRule is a CHECK that asks which columns are empty: num_nonnulls(a, b) = 1,
// a is not null or b is not null, (a is null) <> (b is null) and the like.
type nullRule struct {
	expr pgast.Expr
	// columns are those that may be empty and whose emptiness it asks about.
	columns []string
}

// nullRules are a table's. A rule about one column alone is left to readCheck.
func nullRules(r *catalog.Relation) []nullRule {
	var out []nullRule
	for _, k := range r.Constraints {
		if k.Kind != catalog.Check {
			continue
		}
		e, err := pgast.ParseExpr(k.Expr)
		if err != nil {
			continue
		}
		rule := nullRule{expr: e}
		pgast.Walk(e, func(n pgast.Node) bool {
			for _, a := range askedForNull(n) {
				name, ok := columnOf(a)
				if c := r.Column(name); ok && c != nil && !c.NotNull && !c.Generated && !slices.Contains(rule.columns, name) {
					rule.columns = append(rule.columns, name)
				}
			}
			return true
		})
		if len(rule.columns) > 0 {
			out = append(out, rule)
		}
	}
	return out
}

// askedForNull are the expressions of which a node asks whether they are NULL.
func askedForNull(n pgast.Node) []pgast.Expr {
	switch n := n.(type) {
	case *pgast.NullTest:
		if c, ok := n.Arg.(*pgast.Coalesce); ok {
			return c.Args
		}
		return []pgast.Expr{n.Arg}
	case *pgast.FuncCall:
		if name := n.Name[len(n.Name)-1]; name == "num_nulls" || name == "num_nonnulls" {
			return n.Args
		}
	}
	return nil
}

// columnOf is the column that an expression is, whatever it is cast to.
func columnOf(e pgast.Expr) (string, bool) {
	switch x := e.(type) {
	case *pgast.Cast:
		return columnOf(x.Arg)
	case *pgast.ColumnRef:
		if len(x.Names) > 0 && !x.Star {
			return x.Names[len(x.Names)-1], true
		}
	}
	return "", false
}

// emptiness tells of columns whether they are NULL; of those it does not name
// too: they are not.
type emptiness map[string]bool

// value is what an expression comes to when only the emptiness of columns is known,
// a truth value as 0 or 1; ok is false where that does not tell.
func (null emptiness) value(e pgast.Expr) (v int, ok bool) {
	truth := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	switch x := e.(type) {
	case *pgast.Const:
		switch {
		case x.Kind == pgast.ConstNull:
			return 0, false
		case x.Text == "true" || x.Text == "false":
			return truth(x.Text == "true"), true
		}
		n, err := strconv.Atoi(x.Text)
		return n, err == nil
	case *pgast.Cast:
		return null.value(x.Arg)
	case *pgast.NullTest:
		args := askedForNull(x)
		for _, a := range args {
			if isNull, ok := null.empty(a); !ok {
				return 0, false
			} else if !isNull {
				return truth(x.Not), true
			}
		}
		return truth(!x.Not), true
	case *pgast.FuncCall:
		args := askedForNull(x)
		for _, a := range args {
			isNull, ok := null.empty(a)
			if !ok {
				return 0, false
			}
			v += truth(isNull == (x.Name[len(x.Name)-1] == "num_nulls"))
		}
		return v, len(args) > 0
	case *pgast.Bool:
		return null.connective(x)
	case *pgast.Case:
		return null.branch(x)
	case *pgast.Op:
		if x.Left == nil || x.Kind != pgast.OpPlain {
			return 0, false
		}
		l, ok1 := null.value(x.Left)
		r, ok2 := null.value(x.Right)
		switch x.Name {
		case "+":
			v = l + r
		case "=":
			v = truth(l == r)
		case "<>":
			v = truth(l != r)
		case "<":
			v = truth(l < r)
		case "<=":
			v = truth(l <= r)
		case ">":
			v = truth(l > r)
		case ">=":
			v = truth(l >= r)
		default:
			return 0, false
		}
		return v, ok1 && ok2
	}
	return 0, false
}

func (null emptiness) empty(e pgast.Expr) (isNull, ok bool) {
	name, ok := columnOf(e)
	return null[name], ok
}

func (null emptiness) connective(x *pgast.Bool) (int, bool) {
	if x.Kind != pgast.And && x.Kind != pgast.Or {
		v, ok := null.value(x.Args[0])
		return 1 - v, ok
	}
	// What one arm decides, no unknown arm changes.
	decides, all := 0, true
	if x.Kind == pgast.Or {
		decides = 1
	}
	for _, a := range x.Args {
		v, ok := null.value(a)
		if ok && v == decides {
			return decides, true
		}
		all = all && ok
	}
	return 1 - decides, all
}

func (null emptiness) branch(x *pgast.Case) (int, bool) {
	if x.Arg != nil {
		return 0, false
	}
	for _, w := range x.Whens {
		v, ok := null.value(w.Cond)
		if !ok {
			return 0, false
		}
		if v == 1 {
			return null.value(w.Result)
		}
	}
	if x.Else == nil {
		return 0, false
	}
	return null.value(x.Else)
}

// breaks reports whether a row breaks one of the rules whatever its values are.
func (null emptiness) breaks(rules []nullRule) bool {
	return slices.ContainsFunc(rules, func(r nullRule) bool {
		v, ok := null.value(r.expr)
		return ok && v == 0
	})
}

// mustFill are the columns of rules that a row breaks which leaves all empty.
func mustFill(rules []nullRule) map[string]bool {
	null, out := emptiness{}, map[string]bool{}
	for _, r := range rules {
		for _, c := range r.columns {
			null[c] = true
		}
	}
	for _, r := range rules {
		if null.breaks([]nullRule{r}) {
			for _, c := range r.columns {
				out[c] = true
			}
		}
	}
	return out
}

// mostColumns bounds the columns whose combinations of empty and filled are tried.
const mostColumns = 8

// empties leaves some columns of each row empty where the rules do not take rows
// with all of them filled: each row gets one of the combinations that they take.
func (g *generator) empties() {
	for _, rules := range related(nullRules(g.rel)) {
		var columns []*genColumn
		null := emptiness{}
		for _, r := range rules {
			for _, name := range r.columns {
				c := g.column(name)
				if c == nil {
					null[name] = true // nothing fills it
				} else if !slices.Contains(columns, c) {
					columns = append(columns, c)
				}
			}
		}
		if len(columns) > mostColumns || !null.breaks(rules) {
			continue
		}
		var taken []uint
		for p := uint(0); p < 1<<len(columns); p++ {
			for i, c := range columns {
				null[c.col.Name] = p&(1<<i) != 0
			}
			if !null.breaks(rules) {
				taken = append(taken, p)
			}
		}
		// Rows that leave fewer columns empty come first, and stand for those that
		// leave others empty as well where nothing but the columns decides.
		slices.SortStableFunc(taken, func(a, b uint) int { return bits.OnesCount(a) - bits.OnesCount(b) })
		g.leave(columns, taken)
	}
}

// leave makes a row choose one of some sets of columns, as bits, to leave empty.
func (g *generator) leave(columns []*genColumn, sets []uint) {
	if len(sets) == 0 {
		return
	}
	const most = 16
	sets = sets[:min(len(sets), most)]
	choice := fmt.Sprintf("(hashint8extended({i}, %d) & 9223372036854775807) %% %d", hashText(g.rel.Name.String()+".empty."+columns[0].col.Name), len(sets))
	for i, c := range columns {
		var filled []string
		for n, s := range sets {
			if s&(1<<i) == 0 {
				filled = append(filled, strconv.Itoa(n))
			}
		}
		if len(filled) == len(sets) {
			continue
		}
		if len(filled) == 0 {
			c.exprs, c.at = []string{"null"}, 0
			continue
		}
		for k, e := range c.exprs {
			c.exprs[k] = fmt.Sprintf("case when %s in (%s) then (%s)::%s end", choice, strings.Join(filled, ", "), e, c.col.Type)
		}
	}
}

// related puts rules together that share a column.
func related(rules []nullRule) [][]nullRule {
	var out [][]nullRule
	for _, r := range rules {
		group := []nullRule{r}
		out = slices.DeleteFunc(out, func(g []nullRule) bool {
			shares := slices.ContainsFunc(g, func(o nullRule) bool {
				return slices.ContainsFunc(o.columns, func(c string) bool { return slices.Contains(r.columns, c) })
			})
			if shares {
				group = append(g, group...)
			}
			return shares
		})
		out = append(out, group)
	}
	return out
}
