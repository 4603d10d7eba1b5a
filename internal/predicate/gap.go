package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// whereGap is a relation's missing path by its own quals, nil when they select
// nothing or no index could serve them.
func (b *Block) whereGap(rel *Rel) *Gap {
	g := &Gap{Kind: GapWhere, Pos: -1}
	var range_ []Conjunct
	lowOnly, asked := true, false
	for i := range rel.Conjuncts {
		c := rel.Conjuncts[i]
		if c.Selects == No || len(c.needs) > 0 || !c.fixable() || !b.may(rel, &c) {
			continue
		}
		if j := rel.joinOn(c.Column); c.Derived && j != nil { // the constant came through a join
			g.Kind, c.Other, c.OtherColumn = GapJoin, j.Other, j.OtherColumn
		}
		if c.Outer {
			g.Kind = GapJoin
		}
		asked = asked || !c.FromPolicy // a policy alone is for rlscheck to judge
		lowOnly = lowOnly && c.LowDomain
		grade := c.Selects
		if grade == Maybe && rel.Target && ranges(c.Op) {
			grade = Yes // a cutoff: the statement changes what lies beyond it
		}
		g.grade = max(g.grade, grade)
		if c.Op == "=" {
			g.Conjuncts = append(g.Conjuncts, c)
		} else {
			range_ = append(range_, c)
		}
	}
	if slices.ContainsFunc(g.Conjuncts, func(c Conjunct) bool { return c.Selects == Yes }) {
		// An index needs no key of few values beside one that selects.
		g.Conjuncts = slices.DeleteFunc(g.Conjuncts, func(c Conjunct) bool { return c.LowDomain })
	}
	if len(g.Conjuncts) > 0 { // nor an arm of an OR, nor a range of an expression
		range_ = slices.DeleteFunc(range_, func(c Conjunct) bool { return c.Or != nil || c.KeyExpr != "" })
	}
	g.Conjuncts = append(g.Conjuncts, range_...)
	if len(g.Conjuncts) == 0 || lowOnly || !asked {
		return nil
	}
	if len(active(rel.nullBy)) > 0 && !onlyAnti(rel) && b.path(rel, func(*Conjunct) bool { return true }) != nil {
		return nil // it is read for the rows of the other side, by an index
	}
	if g.grade == Maybe && b.Limit && len(b.OrderBy) == 0 {
		return nil // stops at the first rows that pass
	}
	if b.Hashable && b.Correlated && g.Kind == GapJoin && b.Parent != nil {
		if b.Parent.Narrow == No {
			return nil // one pass into a hash table serves all rows
		}
		g.grade = min(g.grade, b.Parent.Narrow)
	}
	b.seal(rel, g)
	return g
}

// onlyAnti reports whether the relation is nullable by NOT EXISTS only.
func onlyAnti(rel *Rel) bool {
	for _, j := range active(rel.nullBy) {
		if !j.anti {
			return false
		}
	}
	return true
}

// joinOn is a join clause on a column; nil when there is none.
func (rel *Rel) joinOn(column string) *Conjunct {
	for i := range rel.Conjuncts {
		if c := &rel.Conjuncts[i]; c.Other != nil && c.Column == column && column != "" {
			return c
		}
	}
	return nil
}

func ranges(op string) bool { return op == "<" || op == "<=" || op == ">" || op == ">=" }

// joinGap is a missing path from narrow rows at hand.
func (b *Block) joinGap(rel *Rel) *Gap {
	g := &Gap{Kind: GapJoin, Pos: -1}
	for i := range rel.Conjuncts {
		c := rel.Conjuncts[i]
		if len(c.needs) == 0 || c.Op != "=" || !c.fixable() || !b.may(rel, &c) || c.Or != nil {
			continue
		}
		if n := c.carries(); n > No {
			g.grade = max(g.grade, n)
			g.Conjuncts = append(g.Conjuncts, c)
		}
	}
	if len(g.Conjuncts) == 0 {
		return nil
	}
	slices.SortStableFunc(g.Conjuncts, func(x, y Conjunct) int {
		if x.Derived != y.Derived && x.Derived {
			return 1
		} else if x.Derived != y.Derived {
			return -1
		}
		return 0
	})
	b.seal(rel, g)
	return g
}

// fixable reports whether an index could serve the conjunct as it is written.
func (c *Conjunct) fixable() bool {
	if c.Kind == Unknown {
		return false
	}
	if c.Or != nil {
		for _, arm := range c.Or {
			if !slices.ContainsFunc(arm, func(x Conjunct) bool { return x.fixable() && x.Selects > No }) {
				return false
			}
		}
		return true
	}
	if c.Column == "ctid" || c.Column == "tableoid" || c.Column == "" && c.KeyExpr == "" {
		return false
	}
	if noOrder[c.typ] && !contains(c.Op) {
		return false
	}
	return c.Sargable || c.casts != ""
}

// seal fills what follows from a gap's conjuncts.
func (b *Block) seal(rel *Rel, g *Gap) {
	for _, c := range g.Conjuncts {
		if g.Pos < 0 && !c.FromPolicy {
			g.Pos = c.Pos
		}
		for _, col := range c.Columns {
			if !slices.Contains(g.Columns, col) {
				g.Columns = append(g.Columns, col)
			}
		}
	}
	g.Certain = g.grade == Yes
	b.arm(rel, g)
	b.why(rel, g)
}

// arm names the first unserved arm when the gap is one OR.
func (b *Block) arm(rel *Rel, g *Gap) {
	if len(g.Conjuncts) == 0 || g.Conjuncts[0].Or == nil {
		return
	}
	g.Columns = nil
	for i, arm := range g.Conjuncts[0].Or {
		if b.armIndex(rel, arm, func(c *Conjunct) bool { return c.known() }) != nil {
			continue
		}
		if g.Arm == 0 {
			g.Arm = i + 1
		}
		for _, c := range arm {
			for _, col := range c.Columns {
				if c.Selects > No && !slices.Contains(g.Columns, col) {
					g.Columns = append(g.Columns, col)
				}
			}
		}
	}
}

// why says what makes an index at hand useless, and what makes a gap less than
// certain.
func (b *Block) why(rel *Rel, g *Gap) {
	c := &g.Conjuncts[0]
	switch {
	case c.mutable != "":
		g.Certain = false
		g.Why = c.mutable + " is not immutable, so that no index can hold it"
		g.Advice = "compare the column itself, with a range or by a value of its own type"
		return
	case c.Optional:
		g.Certain = false
	case c.casts != "":
		g.Certain = false
		g.Why = "the comparison with " + c.casts + " casts the column"
		g.Advice = "give the value the type of the column, " + c.typ
		return
	case c.castColumn():
		g.Certain = false
		g.Why = "the statement casts the column"
		g.Advice = "cast the value instead, to the type of the column"
		return
	case c.KeyExpr != "" && c.Column == "":
		g.Why = "no index on the expression"
	}
	if rel.Relation.Kind == catalog.MaterializedView {
		g.Certain = false // how many rows its query leaves is not known
	}
	if c.Pattern == PrefixPattern || c.Pattern == InfixPattern || c.Pattern == UnknownPattern {
		g.Certain = false
	}
	for _, x := range b.resolver.indexes(rel) {
		for i, k := range x.Keys {
			if k.Column == "" || k.Column != c.Column {
				continue
			}
			switch {
			case x.Predicate != "" && !b.implied(rel, x.Predicate):
				g.Why = "index " + x.Name + " holds only rows where " + x.Predicate
			case !collated(rel, k, c.collation) && c.Pattern == NoPattern:
				g.Why = "index " + x.Name + " is in another collation"
			case i > 0 && leading(x.Method):
				g.Why = "index " + x.Name + " leads with " + keyName(x.Keys[0])
			case i == 0 && (c.Op == "~~" || c.Op == "~"):
				g.Why = "index " + x.Name + " serves a pattern only in collation C"
			}
		}
		if slices.Contains(x.Include, c.Column) && g.Why == "" && c.Column != "" {
			g.Why = "index " + x.Name + " only includes " + c.Column
		}
	}
}

// castColumn reports whether the key is a column under a cast: the value is the one
// to cast.
func (c *Conjunct) castColumn() bool {
	k, ok := c.keyNode.(*pgast.Cast)
	if !ok {
		return false
	}
	_, ok = pgast.Uncast(k).(*Var)
	return ok
}

func keyName(k catalog.IndexKey) string {
	if k.Column != "" {
		return k.Column
	}
	return k.Expr
}
