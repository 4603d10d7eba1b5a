package pgast

import (
	"strings"
)

// Normal is the normal form of an expression that belongs to the table self (a
// policy, CHECK, default, index key or predicate): the text that a migration has and
// the text that a server with an empty search_path prints come out equal.
//
//  1. Names of relations, functions and types are qualified through env; pg_catalog
//     is dropped; what env does not know stays as written.
//  2. A column of self stands bare; inside subqueries each column is qualified by
//     its relation's alias, made unique as PostgreSQL does it (posts_1).
//  3. Casts of literals, of arrays and rows of literals, casts to a type that the
//     operand has, and those that the server adds (varchar to text …) are gone.
//  4. Syntax with a shorter spelling is spelled out: IN, BETWEEN, LIKE, IS NOT
//     DISTINCT FROM, row equality; nested AND and OR are flat.
//  5. Select lists of EXISTS are 1, those of other subqueries have no aliases.
//
// env may also implement FuncTyper, DomainTyper and ColumnLister. The result parses again, and
// is its own normal form.
func Normal(e Expr, env Env, self Name) string {
	if e == nil {
		return ""
	}
	n := &normalizer{env: env}
	n.scope = &scope{level: 0}
	if self.Name != "" {
		n.scope.items = []scopeItem{{ref: self.Name, alias: self.Name, schema: n.relation(self).Schema, rel: self.Name, self: true}}
	}
	return Format(n.expr(e, false))
}

// NormalDefault is the normal form of a column's default: a bare literal is spelled as
// the column's type, which is written as format_type prints it, would print it.
func NormalDefault(e Expr, env Env, self Name, typ string) string {
	if k, ok := e.(*Const); ok {
		n := &normalizer{env: env, scope: &scope{}}
		return Format(n.literal(k, n.base(n.typeText(typ))))
	}
	return Normal(e, env, self)
}

// NormalStmt is the normal form of a view's query, under the rules of Normal.
func NormalStmt(s Stmt, env Env) string {
	if s == nil || isNil(s) {
		return ""
	}
	n := &normalizer{env: env, scope: &scope{level: 0}}
	return Format(n.query(s, false, false))
}

// FuncTyper is an Env that knows what functions return.
type FuncTyper interface {
	// FunctionType is the result's type as format_type prints it; empty when unknown.
	FunctionType(schema, name string) string
}

// DomainTyper is an Env that knows domains.
type DomainTyper interface {
	// DomainBase is the base type as format_type prints it; empty for other types.
	DomainBase(schema, name string) string
}

// ColumnLister is an Env that lists columns, so that * can be written out.
type ColumnLister interface {
	// Columns are the columns of a relation in order; nil when unknown.
	Columns(schema, rel string) []string
}

type normalizer struct {
	env   Env
	scope *scope
}

func (n *normalizer) exprs(es []Expr, operand bool) []Expr {
	if es == nil {
		return nil
	}
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = n.expr(e, operand)
	}
	return out
}

// expr is the normal form of e; operand is set where e stands in an operator, a
// function's argument or the like, the places where the server adds casts.
func (n *normalizer) expr(e Expr, operand bool) Expr {
	switch v := e.(type) {
	case nil:
		return nil
	case *ColumnRef:
		return n.column(v)
	case *Op:
		return n.op(v)
	case *Bool:
		return n.boolean(v)
	case *NullTest:
		return &NullTest{Arg: n.expr(v.Arg, true), Not: v.Not}
	case *BoolTest:
		return &BoolTest{Arg: n.expr(v.Arg, true), Test: v.Test}
	case *SubLink:
		return n.subLink(v)
	case *FuncCall:
		return n.call(v)
	case *Case:
		out := &Case{Arg: n.expr(v.Arg, true), Else: n.expr(v.Else, true)}
		for _, w := range v.Whens {
			out.Whens = append(out.Whens, When{n.expr(w.Cond, true), n.expr(w.Result, true)})
		}
		if k, ok := out.Else.(*Const); ok && k.Kind == ConstNull {
			out.Else = nil
		}
		return out
	case *Coalesce:
		return &Coalesce{Args: n.exprs(v.Args, true)}
	case *MinMax:
		return &MinMax{Greatest: v.Greatest, Args: n.exprs(v.Args, true)}
	case *Cast:
		return n.cast(v, operand)
	case *Array:
		return &Array{Elems: n.exprs(v.Elems, true)}
	case *Row:
		return &Row{Args: n.exprs(v.Args, true)}
	case *List:
		return &List{Items: n.exprs(v.Items, true)}
	case *Subscript:
		out := *v
		out.Arg, out.Lower, out.Upper = n.expr(v.Arg, true), n.expr(v.Lower, true), n.expr(v.Upper, true)
		return &out
	case *Collate:
		name := v.Name
		if len(name) == 2 && name[0] == "pg_catalog" {
			name = name[1:]
		}
		return &Collate{Arg: n.expr(v.Arg, operand), Name: name}
	}
	return e
}

func (n *normalizer) subLink(v *SubLink) Expr {
	out := &SubLink{Kind: v.Kind, Op: v.Op, Test: n.expr(v.Test, true)}
	out.Query = n.query(v.Query, v.Kind == SubExists, false)
	dropNames(out.Query)
	return out
}

// dropNames removes the aliases of a subquery's select list: none sees them.
func dropNames(s Stmt) {
	q, ok := s.(*Select)
	if !ok || q == nil {
		return
	}
	dropNames(q.Left)
	dropNames(q.Right)
	for i := range q.Targets {
		q.Targets[i].Name = ""
	}
}

func (n *normalizer) call(v *FuncCall) Expr {
	out := *v
	out.At = 0
	out.Name = n.function(v.Name)
	out.Args = n.exprs(v.Args, true)
	out.OrderBy = n.sorts(v.OrderBy)
	out.Filter = n.expr(v.Filter, true)
	if v.Over != nil {
		w := n.window(*v.Over)
		out.Over = &w
	}
	if out.Variadic && out.ArgNames == nil {
		if a, ok := out.Args[len(out.Args)-1].(*Array); ok {
			out.Args = append(out.Args[:len(out.Args)-1:len(out.Args)-1], a.Elems...)
			out.Variadic = false
		}
	}
	if len(out.Name) == 1 && len(out.Args) > 0 && (out.Name[0] == "nextval" || out.Name[0] == "currval" || out.Name[0] == "setval") {
		if k, ok := out.Args[0].(*Const); ok {
			out.Args[0] = n.regclass(k)
		}
	}
	return &out
}

func (n *normalizer) window(w Window) Window {
	w.PartitionBy = n.exprs(w.PartitionBy, true)
	w.OrderBy = n.sorts(w.OrderBy)
	return w
}

func (n *normalizer) sorts(ss []SortBy) []SortBy {
	var out []SortBy
	for _, s := range ss {
		s.Expr = n.expr(s.Expr, true)
		out = append(out, s)
	}
	return out
}

// function is a function's name, qualified unless it is in pg_catalog.
func (n *normalizer) function(name []string) []string {
	q := qualified(name)
	if n.env != nil {
		if schema, ok := n.env.Function(q.Schema, q.Name); ok {
			q.Schema = schema
		}
	}
	return parts(q)
}

func parts(q Name) []string {
	if q.Schema == "" || q.Schema == "pg_catalog" {
		return []string{q.Name}
	}
	return []string{q.Schema, q.Name}
}

func (n *normalizer) relation(q Name) Name {
	if n.env != nil {
		if schema, ok := n.env.Relation(q.Schema, q.Name); ok {
			q.Schema = schema
		}
	}
	return q
}

// regclass qualifies the relation that a literal names.
func (n *normalizer) regclass(k *Const) Expr {
	id, err := ParseExpr(k.Text)
	ref, ok := id.(*ColumnRef)
	if err != nil || !ok || ref.Star || len(ref.Names) > 2 {
		return k
	}
	q := n.relation(qualified(ref.Names))
	return &Const{Kind: ConstString, Text: strings.Join(quoteEach(parts(q)), ".")}
}

func quoteEach(ss []string) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = quoteIdent(s)
	}
	return out
}
