package pgast

import "reflect"

var exprNode = reflect.TypeFor[Expr]()

// Replace changes a tree in place: f is called for each expression below n,
// subqueries included, parents first; where it returns true, its expression
// takes the place of the old one and is not visited itself. n's own place is the
// caller's. It panics when a place needs a node of another type than f returns.
func Replace(n Node, f func(Expr) (Expr, bool)) {
	if !isNil(n) {
		replace(reflect.ValueOf(n), f)
	}
}

// ReplaceExpr is Replace with n's own place: it returns what takes it.
func ReplaceExpr(n Expr, f func(Expr) (Expr, bool)) Expr {
	if isNil(n) {
		return n
	}
	if r, ok := f(n); ok {
		return r
	}
	Replace(n, f)
	return n
}

func replace(v reflect.Value, f func(Expr) (Expr, bool)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			replace(v.Elem(), f)
		}
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Type() == exprNode {
			if r, ok := f(v.Interface().(Expr)); ok {
				v.Set(reflect.ValueOf(r))
				return
			}
		}
		replace(v.Elem(), f)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				replace(v.Field(i), f)
			}
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Int:
			return
		}
		for i := range v.Len() {
			replace(v.Index(i), f)
		}
	}
}
