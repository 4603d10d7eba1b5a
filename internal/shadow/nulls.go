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
					null[name] = !g.rel.Column(name).HasDefault // nothing else fills it
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
		// Where there are too many, those that leave few columns empty are kept.
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
