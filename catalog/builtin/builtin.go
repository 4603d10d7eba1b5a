package builtin

import "slices"

// Operator returns the operator of exactly these operand types; left is "" for a
// prefix operator. Polymorphic operators (anyarray @> anyarray) are found under
// their declared types only: see Resolve.
func (f *Facts) Operator(name, left, right string) (Op, bool) {
	left, right = f.base(left), f.base(right)
	for _, o := range f.operators[name] {
		if o.Left == left && o.Right == right {
			return o, true
		}
	}
	return Op{}, false
}

// Operators returns all operators of a name.
func (f *Facts) Operators(name string) []Op { return f.operators[name] }

// Function returns the function of exactly these input types. The name comes
// without its schema pg_catalog.
func (f *Facts) Function(name string, args []string) (Func, bool) {
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = f.base(a)
	}
	for _, fn := range f.functions[name] {
		if slices.Equal(fn.Args, types) {
			return fn, true
		}
	}
	return Func{}, false
}

// FunctionAny returns all overloads of a name.
func (f *Facts) FunctionAny(name string) []Func { return f.functions[name] }

// FunctionCalled returns the overloads that a call with n arguments can mean.
func (f *Facts) FunctionCalled(name string, n int) []Func {
	var out []Func
	for _, fn := range f.functions[name] {
		switch {
		case fn.Variadic && n >= len(fn.Args)-1:
		case n <= len(fn.Args) && n >= len(fn.Args)-fn.Defaults:
		default:
			continue
		}
		out = append(out, fn)
	}
	return out
}

// OpClass returns an operator class by name; typ chooses among equal names and
// may be "". An extension's schema is for the caller to cut off.
func (f *Facts) OpClass(method, name, typ string) (OpClass, bool) {
	found := f.classes[classKey{method, name}]
	if len(found) == 0 {
		return OpClass{}, false
	}
	if typ != "" {
		typ = f.base(typ)
		for _, c := range found {
			if f.BinaryCoercible(typ, c.Type) {
				return c, true
			}
		}
	}
	return found[0], true
}

// DefaultOpClass returns the default operator class of a type for an index method,
// also by way of binary-coercible and polymorphic types: character varying is
// text_ops, any array array_ops, anyenum enum_ops. As in PostgreSQL, an exact
// match wins, then the preferred type; among several others there is none.
func (f *Facts) DefaultOpClass(method, typ string) (OpClass, bool) {
	typ = f.base(typ)
	var near []OpClass
	preferred := -1
	for _, c := range f.byMethod[method] {
		if !c.Default {
			continue
		}
		if c.Type == typ {
			return c, true
		}
		if f.BinaryCoercible(typ, c.Type) {
			if isPreferred(c.Type) {
				preferred = len(near)
			}
			near = append(near, c)
		}
	}
	switch {
	case preferred >= 0:
		return near[preferred], true
	case len(near) == 1:
		return near[0], true
	}
	return OpClass{}, false
}

// InFamily tells whether an operator over these types is a member of an operator
// family, so that an index of that family can serve it. The types are an Op's.
func (f *Facts) InFamily(method, family, op, left, right string) (Member, bool) {
	m, ok := f.members[memberKey{method, family, op, f.base(left), f.base(right)}]
	return m, ok
}

// Cast returns the cast from one type to another as pg_cast has it.
func (f *Facts) Cast(source, target string) (Cast, bool) {
	c, ok := f.casts[castKey{f.base(source), f.base(target)}]
	return c, ok
}

// BinaryCoercible tells whether a value of source is one of target without a
// change: equal types, implicit binary casts, any array as anyarray.
func (f *Facts) BinaryCoercible(source, target string) bool {
	source, target = f.base(source), f.base(target)
	if source == target || accepts(target, source) {
		return true
	}
	c := f.casts[castKey{source, target}]
	return c.Binary && c.Implicit
}
