package pgast

// Node is any node of a tree.
type Node interface {
	// Pos is the byte offset of the node in the parsed text, -1 when unknown.
	Pos() int
}

// At is a byte offset; nodes embed it.
type At int

// Pos returns the offset.
func (a At) Pos() int { return int(a) }

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

type isExpr struct{}

func (isExpr) expr() {}

// ColumnRef is a name in an expression: c, t.c, s.t.c, t.*, *.
type ColumnRef struct {
	At
	isExpr
	// Names are the parts before the star, outermost first.
	Names []string
	// Star is set for * and t.*.
	Star bool
}

// ConstKind is the kind of a literal.
type ConstKind int

// The kinds of literal.
const (
	ConstNull ConstKind = iota
	ConstInt
	ConstFloat
	ConstString
	ConstBool
	ConstBit
)

// Const is a literal.
type Const struct {
	At
	isExpr
	Kind ConstKind
	// Text is the value: digits, the unquoted string, true or false.
	Text string
}

// Param is $n.
type Param struct {
	At
	isExpr
	Number int
}

// OpKind says how an operator is applied.
type OpKind int

// The kinds of operator expression, after PostgreSQL's A_Expr_Kind.
const (
	OpPlain       OpKind = iota // a op b, op a
	OpAny                       // a op ANY (array)
	OpAll                       // a op ALL (array)
	OpDistinct                  // a IS DISTINCT FROM b
	OpNotDistinct               // a IS NOT DISTINCT FROM b
	OpNullIf                    // NULLIF(a, b)
	OpIn                        // a IN (list), Op is =; NOT IN has Op <>; Right is a List
	OpLike                      // Op is ~~ or !~~
	OpILike                     // Op is ~~* or !~~*
	OpSimilar                   // Op is ~ or !~
	OpBetween                   // Right is a List of two
	OpNotBetween
	OpBetweenSymmetric
	OpNotBetweenSymmetric
)

// Op is an operator applied to one or two operands.
type Op struct {
	At
	isExpr
	Kind OpKind
	// Schema is that of OPERATOR(schema.op); empty otherwise.
	Schema string
	// Name is the operator: = <> < ~~ @> and so on.
	Name string
	// Left is nil for a prefix operator.
	Left, Right Expr
}

// BoolKind is and, or, not.
type BoolKind int

// The boolean connectives.
const (
	And BoolKind = iota
	Or
	Not
)

// Bool is a connective over its arguments; Not has one.
type Bool struct {
	At
	isExpr
	Kind BoolKind
	Args []Expr
}

// NullTest is IS NULL, IS NOT NULL.
type NullTest struct {
	At
	isExpr
	Arg Expr
	Not bool
}

// BoolTest is IS TRUE, IS NOT FALSE and so on.
type BoolTest struct {
	At
	isExpr
	Arg Expr
	// Test is TRUE, NOT TRUE, FALSE, NOT FALSE, UNKNOWN or NOT UNKNOWN.
	Test string
}

// SubLinkKind says how a subquery is used in an expression.
type SubLinkKind int

// The kinds of subquery expression.
const (
	SubExists SubLinkKind = iota // EXISTS (…)
	SubAny                       // a op ANY (…), a IN (…)
	SubAll                       // a op ALL (…)
	SubScalar                    // (…)
	SubArray                     // ARRAY(…)
)

// SubLink is a subquery in an expression.
type SubLink struct {
	At
	isExpr
	Kind SubLinkKind
	// Test is the left operand of SubAny and SubAll, nil otherwise.
	Test Expr
	// Op is the operator of SubAny and SubAll; "=" for IN.
	Op    string
	Query Stmt
}

// FuncCall is a call of a function, an aggregate or a window function.
type FuncCall struct {
	At
	isExpr
	// Name is the name as written, schema first; at most three parts.
	Name []string
	Args []Expr
	// ArgNames has a name for each argument passed as name => value, "" else;
	// nil when none is.
	ArgNames []string
	Star     bool // count(*)
	Distinct bool
	Variadic bool
	OrderBy  []SortBy
	Filter   Expr
	Within   bool // WITHIN GROUP
	Over     *Window
}

// Window is an OVER clause.
type Window struct {
	// Name is that of OVER name; Base that of OVER (name …).
	Name, Base  string
	PartitionBy []Expr
	OrderBy     []SortBy
	// Frame is the frame clause as SQL, empty for the default; equal frames have
	// equal texts.
	Frame string
}

// ValueFunc is a SQL value function: CURRENT_USER, CURRENT_TIMESTAMP(3) …
type ValueFunc struct {
	At
	isExpr
	// Name is in upper case.
	Name string
}

// Case is CASE.
type Case struct {
	At
	isExpr
	Arg   Expr
	Whens []When
	Else  Expr
}

// When is one arm of a Case.
type When struct{ Cond, Result Expr }

// Coalesce is COALESCE.
type Coalesce struct {
	At
	isExpr
	Args []Expr
}

// MinMax is GREATEST or LEAST.
type MinMax struct {
	At
	isExpr
	Greatest bool
	Args     []Expr
}

// Cast is CAST(a AS t), a::t.
type Cast struct {
	At
	isExpr
	Arg  Expr
	Type TypeName
}

// Uncast takes casts off an expression, those around others too.
func Uncast(e Expr) Expr {
	for {
		c, ok := e.(*Cast)
		if !ok {
			return e
		}
		e = c.Arg
	}
}

// Array is ARRAY[…].
type Array struct {
	At
	isExpr
	Elems []Expr
}

// Row is ROW(…), (a, b).
type Row struct {
	At
	isExpr
	Args []Expr
}

// List is a parenthesised list where the grammar has one: IN, BETWEEN.
type List struct {
	At
	isExpr
	Items []Expr
}

// Subscript is a[i], a[i:j], (a).f or (a).*.
type Subscript struct {
	At
	isExpr
	Arg Expr
	// Field is the field's name for (a).f, "*" for (a).*; "" for an index.
	Field string
	// Lower and Upper are the index, or the bounds of a slice.
	Lower, Upper Expr
	Slice        bool
}

// Collate is a COLLATE c.
type Collate struct {
	At
	isExpr
	Arg  Expr
	Name []string
}

// Default is DEFAULT in a VALUES or SET list.
type Default struct {
	At
	isExpr
}

// Other is an expression that planvet has no node for (XML, JSON constructors,
// GROUPING and so on); its operands can still be walked.
type Other struct {
	At
	isExpr
	// Kind is the grammar's name of the node.
	Kind string
	// Text is its SQL, in which a change of Args does not show; for a GroupingSet
	// rollup, cube, sets, simple or empty; for a MultiAssignRef (SET (a, b) = …) its
	// place, 1/2, whose first one alone has the source in Args.
	Text string
	Args []Expr
}

// TypeName is a type as written.
type TypeName struct {
	// Names is the name, schema first; pg_catalog is kept where the grammar adds
	// it (int4, bool, timestamptz …).
	Names []string
	// Mods are the modifiers' texts: 20 in varchar(20).
	Mods []string
	// ArrayDims counts [].
	ArrayDims int
	SetOf     bool
	// PctType is set for t.c%TYPE.
	PctType bool
	At
}

// Flatten returns the arms of nested ANDs, or ORs, in order: one for an expression that
// is neither, none for nil.
func Flatten(e Expr, kind BoolKind) []Expr {
	if e == nil {
		return nil
	}
	b, ok := e.(*Bool)
	if !ok || b.Kind != kind {
		return []Expr{e}
	}
	var out []Expr
	for _, a := range b.Args {
		out = append(out, Flatten(a, kind)...)
	}
	return out
}
