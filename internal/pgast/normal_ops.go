package pgast

// maxRepeat bounds the nodes of an operand that is written more than once: nested
// BETWEENs would double the text at each level.
const maxRepeat = 200

func small(e Expr) bool {
	nodes := 0
	Walk(e, func(Node) bool {
		nodes++
		return nodes <= maxRepeat
	})
	return nodes <= maxRepeat
}

func (n *normalizer) op(v *Op) Expr {
	switch v.Kind {
	case OpIn:
		return n.in(v)
	case OpBetween, OpNotBetween, OpBetweenSymmetric, OpNotBetweenSymmetric:
		return n.between(v)
	case OpDistinct, OpNotDistinct:
		return n.distinct(v)
	}
	out := &Op{Kind: v.Kind, Name: v.Name, Left: n.expr(v.Left, true), Right: n.expr(v.Right, true)}
	if v.Kind == OpPlain && v.Left != nil && sameTyped[v.Name] {
		out.Left, out.Right = n.typedLiteral(v.Left, out.Left, v.Right), n.typedLiteral(v.Right, out.Right, v.Left)
	}
	switch v.Kind {
	case OpAny, OpAll:
		// Without its cast, = ANY ((SELECT f())::bigint[]) is = ANY of rows.
		c, cast := v.Right.(*Cast)
		if s, ok := out.Right.(*SubLink); ok && cast && s.Kind == SubScalar {
			out.Right = &Cast{Arg: s, Type: n.typeName(c.Type)}
		}
	case OpLike, OpILike, OpSimilar:
		out.Kind = OpPlain
	case OpPlain:
		if l, r := rowOf(out.Left), rowOf(out.Right); l != nil && r != nil && len(l.Args) == len(r.Args) && len(l.Args) > 0 {
			return rowComparison(out, l, r)
		}
	}
	return out
}

// sameTyped are the operators that give a bare literal the type of the other side.
var sameTyped = map[string]bool{"=": true, "<>": true, "<": true, ">": true, "<=": true, ">=": true, "@>": true, "<@": true}

// typedLiteral spells a literal without a cast as the type of other would.
func (n *normalizer) typedLiteral(e, normal, other Expr) Expr {
	k, ok := e.(*Const)
	if !ok || k.Kind != ConstString {
		return normal
	}
	if t := n.typeOf(other); t != "" {
		return n.literal(k, t)
	}
	return normal
}

func rowOf(e Expr) *Row {
	r, _ := e.(*Row)
	return r
}

// rowComparison spells (a, b) = (c, d) out; other operators stay as they are.
func rowComparison(o *Op, l, r *Row) Expr {
	kind := And
	switch o.Name {
	case "=":
	case "<>":
		kind = Or
	default:
		return o
	}
	var args []Expr
	for i := range l.Args {
		args = append(args, &Op{Name: o.Name, Left: l.Args[i], Right: r.Args[i]})
	}
	return join(kind, args)
}

// in spells IN (list) as PostgreSQL's parser does: elements without columns become
// one array, the others, and a lone element, a comparison each.
func (n *normalizer) in(v *Op) Expr {
	kind, list, name := Or, OpAny, "="
	if v.Name == "<>" {
		kind, list, name = And, OpAll, "<>"
	}
	left := n.expr(v.Left, true)
	if !small(left) {
		return &Op{Kind: OpIn, Name: v.Name, Left: left, Right: n.expr(v.Right, true)}
	}
	var plain, single []Expr
	if l, ok := v.Right.(*List); ok {
		for _, item := range l.Items {
			e := n.expr(item, true)
			if hasColumn(e) || rowOf(left) != nil {
				single = append(single, e)
			} else {
				plain = append(plain, e)
			}
		}
		if len(plain) <= 1 { // then all are compared one by one, in their order
			plain, single = nil, n.exprs(l.Items, true)
		}
	}
	var arms []Expr
	if plain != nil {
		arms = append(arms, &Op{Kind: list, Name: name, Left: left, Right: &Array{Elems: plain}})
	}
	for _, e := range single {
		cmp := &Op{Name: name, Left: left, Right: e}
		if l, r := rowOf(left), rowOf(e); l != nil && r != nil && len(l.Args) == len(r.Args) {
			arms = append(arms, rowComparison(cmp, l, r))
		} else {
			arms = append(arms, cmp)
		}
	}
	return join(kind, arms)
}

func hasColumn(e Expr) bool {
	found := false
	Walk(e, func(x Node) bool {
		switch x.(type) {
		case *ColumnRef:
			found = true
		case *SubLink:
			return false
		}
		return !found
	})
	return found
}

// join is a connective that is flat, or its only argument.
func join(kind BoolKind, args []Expr) Expr {
	var flat []Expr
	for _, a := range args {
		if b, ok := a.(*Bool); ok && b.Kind == kind {
			flat = append(flat, b.Args...)
		} else {
			flat = append(flat, a)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return &Bool{Kind: kind, Args: flat}
}

func (n *normalizer) boolean(v *Bool) Expr {
	args := n.exprs(v.Args, true)
	if v.Kind == Not {
		return &Bool{Kind: Not, Args: args}
	}
	return join(v.Kind, args)
}

func (n *normalizer) between(v *Op) Expr {
	l, ok := v.Right.(*List)
	if !ok || len(l.Items) != 2 {
		return v
	}
	x, lo, hi := n.expr(v.Left, true), n.expr(l.Items[0], true), n.expr(l.Items[1], true)
	if !small(x) || !small(lo) || !small(hi) {
		return &Op{Kind: v.Kind, Name: v.Name, Left: x, Right: &List{Items: []Expr{lo, hi}}}
	}
	in := func(a, b Expr) Expr {
		return join(And, []Expr{&Op{Name: ">=", Left: x, Right: a}, &Op{Name: "<=", Left: x, Right: b}})
	}
	out := func(a, b Expr) Expr {
		return join(Or, []Expr{&Op{Name: "<", Left: x, Right: a}, &Op{Name: ">", Left: x, Right: b}})
	}
	switch v.Kind {
	case OpBetween:
		return in(lo, hi)
	case OpNotBetween:
		return out(lo, hi)
	case OpBetweenSymmetric:
		return join(Or, []Expr{in(lo, hi), in(hi, lo)})
	}
	return join(And, []Expr{out(lo, hi), out(hi, lo)})
}

func (n *normalizer) distinct(v *Op) Expr {
	l, r := n.expr(v.Left, true), n.expr(v.Right, true)
	not := v.Kind == OpNotDistinct
	// A bare NULL makes it a NULL test.
	if isNullConst(v.Right) {
		return &NullTest{Arg: l, Not: !not}
	}
	if isNullConst(v.Left) {
		return &NullTest{Arg: r, Not: !not}
	}
	out := &Op{Kind: OpDistinct, Name: "=", Left: l, Right: r}
	if not {
		return &Bool{Kind: Not, Args: []Expr{out}}
	}
	return out
}

func isNullConst(e Expr) bool {
	k, ok := e.(*Const)
	return ok && k.Kind == ConstNull
}
