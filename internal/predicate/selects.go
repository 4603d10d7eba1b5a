package predicate

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// judge says how surely the qual keeps few rows.
func (b *Block) judge(c *Conjunct, rel *Rel) {
	r := b.resolver
	switch c.Op {
	case "=":
		c.Selects = Yes
		if c.Column != "" && r.lowDomain(rel, c.Column) || c.Column == "" && c.typ == "boolean" {
			c.Selects, c.LowDomain = Maybe, true
			if c.typ == "boolean" {
				c.Selects = No
			}
		} else if c.Kind == Constant && r.absent(rel, c) {
			c.Selects = No
		} else if c.Kind == Constant && token(c.Comparand) || c.values != nil && tokens(c.values) {
			c.Selects, c.LowDomain = Maybe, true
		}
	case "<", "<=", ">", ">=", "~~", "~~*", "~", "~*", "&&", "?", "?|", "?&", "%", "<@":
		c.Selects = Maybe
	case "<<", ">>", "&<", "&>", "-|-", "~=": // a path where there is one, and none is missed
		c.Selects = No
	case "@@", "@>", "@@@", "@?":
		c.Selects = Yes
		if c.Kind == Constant {
			c.Selects = Maybe // a tag written in the code
		}
	default:
		c.Kind, c.Sargable = Unknown, false
	}
	if c.Pattern == ExactPattern {
		c.Selects = Yes
	}
	if c.mutable != "" {
		c.Selects = min(c.Selects, Maybe)
	}
	c.Leaky = r.leaky(c)
}

// token reports whether a literal looks like the value of a status or type column:
// written in the code, a short word or a small number. Such an equality keeps a
// share of the table that the code does not tell.
func token(e pgast.Expr) bool {
	c, ok := pgast.Uncast(e).(*pgast.Const)
	if !ok {
		return false
	}
	switch c.Kind {
	case pgast.ConstInt:
		return len(c.Text) <= 2
	case pgast.ConstString:
		return len(c.Text) <= 24 && !strings.ContainsAny(c.Text, "@. ")
	}
	return c.Kind == pgast.ConstBool
}

func tokens(es []pgast.Expr) bool {
	for _, e := range es {
		if !token(e) {
			return false
		}
	}
	return len(es) > 0
}

// pattern reads the comparand of LIKE, ILIKE and ~.
func pattern(e *pgast.Op) Pattern {
	switch e.Name {
	case "~~", "~~*", "~", "~*":
	default:
		return NoPattern
	}
	first := pgast.Uncast(e.Right)
	for {
		op, ok := first.(*pgast.Op)
		if !ok || op.Name != "||" || isNil(op.Left) {
			break
		}
		first = pgast.Uncast(op.Left)
	}
	whole := first == pgast.Uncast(e.Right)
	c, ok := first.(*pgast.Const)
	if !ok {
		if whole {
			return UnknownPattern
		}
		return PrefixPattern // $1 || '%'
	}
	t := c.Text
	if e.Kind == pgast.OpSimilar {
		if i := strings.IndexAny(t, `%_|*+?{}()[]\`); i != 0 && whole {
			return PrefixPattern
		}
		return InfixPattern
	}
	if e.Name == "~" || e.Name == "~*" {
		if strings.HasPrefix(t, "^") && len(t) > 1 {
			return PrefixPattern
		}
		return InfixPattern
	}
	switch i := strings.IndexAny(t, "%_"); {
	case i == 0:
		return InfixPattern
	case i < 0 && whole:
		return ExactPattern
	}
	return PrefixPattern
}
