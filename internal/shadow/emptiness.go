package shadow

import (
	"strconv"

	"github.com/planvet/planvet/internal/pgast"
)

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
