package builtin

// Facts are those of one major version.
type Facts struct{}

// For returns the facts of a major version. 0 means the oldest; a version outside
// of those known gets the nearest.
func For(major int) *Facts { return &Facts{} }

// Operator returns the operator of exactly these operand types; left is "" for a
// prefix operator. Polymorphic operators (anyarray @> anyarray) are found under
// their declared types only: see Resolve.
func (f *Facts) Operator(name, left, right string) (Op, bool) { return Op{}, false }

// Operators returns all operators of a name, sorted by operand types.
func (f *Facts) Operators(name string) []Op { return nil }

// Resolve finds the operator that PostgreSQL picks for operand types, by exact
// match, binary-coercible types (character varying as text), domains left to the
// caller, arrays and enums and ranges as the polymorphic ones (enum types must be
// handed in as "anyenum", composite ones as "record"), and implicit casts where
// one operator fits best. unknown is "" or "unknown": an untyped literal or a
// parameter takes the other side's type.
func (f *Facts) Resolve(name, left, right string) (Op, bool) { return Op{}, false }

// Function returns the function of exactly these input types. A name must come
// without its schema pg_catalog.
func (f *Facts) Function(name string, args []string) (Func, bool) { return Func{}, false }

// FunctionAny returns all overloads of a name.
func (f *Facts) FunctionAny(name string) []Func { return nil }

// DefaultOpClass returns the default operator class of a type for an index method,
// also by way of binary-coercible and polymorphic types: character varying is
// text_ops, any array array_ops, anyenum enum_ops.
func (f *Facts) DefaultOpClass(method, typ string) (OpClass, bool) { return OpClass{}, false }

// OpClass returns an operator class by name; typ chooses among equal names and
// may be "".
func (f *Facts) OpClass(method, name, typ string) (OpClass, bool) { return OpClass{}, false }

// InFamily tells whether an operator over these types is a member of an operator
// family, so that an index of that family can serve it.
func (f *Facts) InFamily(method, family, op, left, right string) (Member, bool) {
	return Member{}, false
}

// Cast returns the cast from one type to another as pg_cast has it.
func (f *Facts) Cast(source, target string) (Cast, bool) { return Cast{}, false }

// BinaryCoercible tells whether a value of source is one of target without a
// change: equal types, binary casts, any array as anyarray.
func (f *Facts) BinaryCoercible(source, target string) bool { return source == target }
