package builtin

// Oldest and Newest are the major versions that are known.
const (
	Oldest = 13
	Newest = 18
)

// Volatility is a function's volatility.
type Volatility byte

// The volatilities, as pg_proc.provolatile has them.
const (
	Immutable Volatility = 'i'
	Stable    Volatility = 's'
	Volatile  Volatility = 'v'
)

// Op is one operator.
type Op struct {
	// Name is the operator; Left is "" for a prefix operator.
	Name, Left, Right string
	// Result is the result type.
	Result string
	// Function is the name of the function behind it, in pg_catalog.
	Function string
	// Leakproof, Strict and Volatility are that function's.
	Leakproof, Strict bool
	Volatility        Volatility
	// Commutator and Negator are operators' names; "" for none.
	Commutator, Negator string
	// Restrict is the selectivity estimator: eqsel, scalarltsel, contsel, likesel …;
	// "" for none.
	Restrict string
	// CanMerge and CanHash tell whether a merge join and a hash join may use it.
	CanMerge, CanHash bool
	// Extension is the contrib extension that brings it; "" for PostgreSQL itself.
	Extension string
}

// Func is one function.
type Func struct {
	Name string
	// Args are the input types.
	Args   []string
	Result string
	// Kind is f, a (aggregate), w (window) or p (procedure).
	Kind       byte
	Leakproof  bool
	Strict     bool
	Volatility Volatility
	// ReturnsSet is set for functions in FROM: generate_series.
	ReturnsSet bool
	// Variadic is set when the last argument repeats.
	Variadic bool
	// Defaults counts trailing arguments that may be left out.
	Defaults int
	// Extension is as in Op.
	Extension string
}

// OpClass is an operator class.
type OpClass struct {
	// Method is btree, hash, gin, gist, spgist or brin.
	Method, Name string
	// Family is the operator family; families of different methods may share a name.
	Family string
	// Type is the indexed type.
	Type    string
	Default bool
	// Key is the type that is stored, where it differs: "" otherwise.
	Key string
	// Extension is as in Op: gin_trgm_ops is of pg_trgm.
	Extension string
}

// Cast is a cast between two types.
type Cast struct {
	Source, Target string
	// Implicit casts are applied by the parser everywhere, Assignment casts in
	// assignments only, others when written.
	Implicit, Assignment bool
	// Binary is set when the cast changes no byte (binary-coercible, WITHOUT
	// FUNCTION).
	Binary bool
}

// Member is an operator of an operator family.
type Member struct {
	// Strategy is the operator's number: 1 to 5 are < <= = >= > in btree.
	Strategy int
	// Order is set for an ordering operator (ORDER BY a <-> b).
	Order bool
}
