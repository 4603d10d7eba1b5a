package builtin

import "strings"

// Resolve finds the operator that PostgreSQL picks for operand types:
//
//  1. an untyped side ("" or "unknown": a literal, a parameter) takes the other
//     side's type, and an exact match wins;
//  2. else the operators are kept to whose operands both sides convert implicitly;
//  3. of these, those with most exact matches, then with most exact or preferred
//     types; when one is left, it is that one.
//
// A left "" means a prefix operator where the name has one, else an untyped side.
// Domains are the caller's to resolve; enums are handed in as anyenum, composite
// types as record, user-defined ranges as anyrange. It reports false when several
// operators fit equally: the caller must then stay silent.
func (f *Facts) Resolve(name, left, right string) (Op, bool) {
	left, right = f.base(left), f.base(right)
	prefix := left == "" && f.hasPrefix(name)
	if left == "" && !prefix {
		left = "unknown"
	}
	l, r := left, right
	switch {
	case untyped(l) && untyped(r) && !prefix:
		l, r = "text", "text"
	case left == "unknown":
		l = r
	case untyped(r):
		r = l
	}
	if o, ok := f.Operator(name, l, r); ok {
		return o, true
	}
	var fit []Op
	for _, o := range f.operators[name] {
		if (o.Left == "") != prefix || !consistent(o, left, right) {
			continue
		}
		if f.converts(right, o.Right) && (prefix || f.converts(left, o.Left)) {
			fit = append(fit, o)
		}
	}
	fit = best(fit, func(o Op) int { return exact(o.Left, left) + exact(o.Right, right) })
	fit = best(fit, func(o Op) int { return fitness(o.Left, left) + fitness(o.Right, right) })
	if len(fit) > 1 && (untyped(left) || untyped(right)) {
		fit = best(fit, func(o Op) int { return exact(o.Left, l) + exact(o.Right, r) })
		fit = best(fit, func(o Op) int { return exact(o.Left, "text") + exact(o.Right, "text") })
	}
	if len(fit) != 1 {
		return Op{}, false
	}
	return fit[0], true
}

func (f *Facts) hasPrefix(name string) bool {
	for _, o := range f.operators[name] {
		if o.Left == "" {
			return true
		}
	}
	return false
}

func untyped(t string) bool { return t == "" || t == "unknown" }

func exact(want, have string) int {
	if want == have {
		return 1
	}
	return 0
}

// fitness prefers exact types, then the preferred type of the same category.
func fitness(want, have string) int {
	if want == have || isPreferred(want) && category(want) == category(have) {
		return 1
	}
	return 0
}

func best(ops []Op, score func(Op) int) []Op {
	var out []Op
	most := 0
	for _, o := range ops {
		switch s := score(o); {
		case s > most:
			out, most = append(out[:0:0], o), s
		case s == most:
			out = append(out, o)
		}
	}
	return out
}

func (f *Facts) converts(source, target string) bool {
	if untyped(source) || f.BinaryCoercible(source, target) {
		return true
	}
	return f.casts[castKey{source, target}].Implicit
}

// consistent reports whether polymorphic operands agree on their element type.
func consistent(o Op, left, right string) bool {
	l, lok := element(o.Left, left)
	r, rok := element(o.Right, right)
	return !lok || !rok || l == r || strings.HasPrefix(o.Left, "anycompatible")
}

// element is the element type that a polymorphic operand stands for; false when
// the operand is not polymorphic or the type not known.
func element(declared, have string) (string, bool) {
	if untyped(have) {
		return "", false
	}
	switch strings.Replace(declared, "compatible", "", 1) {
	case "anyarray":
		return strings.CutSuffix(have, "[]")
	case "anyelement", "any", "anynonarray":
		return have, true
	case "anyrange":
		e, ok := rangeElements[have]
		return e, ok
	case "anymultirange":
		e, ok := rangeElements[strings.Replace(have, "multirange", "range", 1)]
		return e, ok
	}
	return "", false
}

var rangeElements = map[string]string{
	"int4range": "integer", "int8range": "bigint", "numrange": "numeric", "daterange": "date",
	"tsrange": "timestamp without time zone", "tstzrange": "timestamp with time zone",
}

// accepts reports whether a polymorphic type takes a type.
func accepts(declared, have string) bool {
	switch strings.Replace(declared, "compatible", "", 1) {
	case "anyarray":
		return strings.HasSuffix(have, "[]")
	case "anyelement", "any":
		return declared != "any" || have != ""
	case "anynonarray":
		return !strings.HasSuffix(have, "[]")
	case "anyrange":
		return rangeElements[have] != ""
	case "anymultirange":
		return strings.Contains(have, "multirange")
	}
	return false
}

// base cuts a type's modifiers, and the schema of a type that an extension brings:
// numeric(10,2)[] is numeric[], extensions.citext is citext.
func (f *Facts) base(t string) string {
	if open := strings.IndexByte(t, '('); open >= 0 {
		if length := strings.IndexByte(t[open:], ')'); length > 0 {
			t = t[:open] + t[open+length+1:]
		}
	}
	if dot := strings.LastIndexByte(t, '.'); dot >= 0 && f.extensionTypes[strings.TrimSuffix(t[dot+1:], "[]")] {
		t = t[dot+1:]
	}
	return t
}

// categories are pg_type.typcategory of the types that have implicit casts among
// them; a type by itself needs none.
var categories = map[string]byte{
	"text": 'S', "character varying": 'S', "character": 'S', "name": 'S', "citext": 'S',
	"smallint": 'N', "integer": 'N', "bigint": 'N', "numeric": 'N', "real": 'N', "double precision": 'N', "oid": 'N',
	"money": 'N', "regclass": 'N', "regproc": 'N', "regtype": 'N', "regrole": 'N', "regnamespace": 'N',
	"date": 'D', "timestamp without time zone": 'D', "timestamp with time zone": 'D',
	"time without time zone": 'D', "time with time zone": 'D',
	"interval": 'T', "inet": 'I', "cidr": 'I', "bit": 'V', "bit varying": 'V', "boolean": 'B',
}

func category(t string) byte { return categories[t] }

// isPreferred is pg_type.typispreferred.
func isPreferred(t string) bool {
	switch t {
	case "text", "double precision", "oid", "timestamp with time zone", "interval", "inet", "bit varying", "boolean":
		return true
	}
	return false
}
