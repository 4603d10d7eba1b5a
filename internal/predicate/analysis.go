package predicate

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// Options say how a statement runs.
type Options struct {
	// Role is the role that the statement runs as; "" is the owner. RoleKnown is
	// false when nothing is known, and then no policy quals are added.
	Role      string
	RoleKnown bool
	// Policies switches policy quals on; they need RoleKnown too.
	Policies bool
	// SearchPath resolves unqualified names; nil means the catalog's.
	SearchPath []string
	// Variables are names that are parameters though they look like columns, lower
	// case.
	Variables map[string]bool
	// Sizes overrides the catalog's statistics; nil means those, and the default
	// profile where there are none.
	Sizes catalog.Sizes
	// Major is the server's major version; 0 is the oldest supported.
	Major int
}

func (o Options) major() int {
	if o.Major == 0 {
		return builtin.Oldest
	}
	return o.Major
}

// Analysis is what is known of one statement.
type Analysis struct {
	// Blocks are the statement's query blocks, outermost first.
	Blocks []*Block
	// Unresolved names what could not be bound: relation orderz, column o.foo.
	Unresolved []string
}

// Block is one query block: a SELECT, an UPDATE, an arm of a UNION, after simple
// subqueries, views and single-use CTEs were merged into the block around them.
type Block struct {
	// Stmt is the statement or subselect.
	Stmt pgast.Node
	// Parent is the block around this one, nil for the outermost.
	Parent *Block
	Depth  int
	Rels   []*Rel
	// OrderBy is the order that the block asks for, bound to its relations.
	OrderBy []Order
	// OrderPos is where ORDER BY (or min, max) stands, -1 when unknown.
	OrderPos int
	// Limit is set for LIMIT and FETCH FIRST; LimitRows is its value, -1 for a
	// parameter.
	Limit     bool
	LimitRows int64
	// Aggregated is set for a block with GROUP BY or aggregates; Grouped tells
	// that there is a GROUP BY.
	Aggregated, Grouped bool
	// MinMax is set when the only result is min or max of a column; OrderBy holds
	// that column then.
	MinMax bool
	// Correlated is set when the block refers to columns of a block around it, and
	// so runs once for each row there.
	Correlated bool
	// FromPolicy is set for a subquery of a policy: the policy's fault, not the
	// statement's.
	FromPolicy bool
	// Hashable is set for a correlated EXISTS or an IN that PostgreSQL may run once
	// into a hash table instead.
	Hashable bool
	// Selective is set when some relation has a qual that selects.
	Selective bool
	// Narrow says whether the block yields few rows.
	Narrow Likelihood
	// OrderGap is set when ORDER BY … LIMIT, min or max has no index to give its
	// order and nothing else makes the input small.
	OrderGap *OrderGap

	clauses  []*clause
	children []*Block // derived tables and arms, analysed before
	sublinks []*Block // subqueries in expressions, analysed after
	sets     []arm    // the arms of a set operation
	outer    []*Var   // columns of blocks around this one
	groupBy  []pgast.Expr
	distinct []pgast.Expr   // DISTINCT ON
	windows  [][]pgast.Expr // PARTITION BY of each window function
	noPush   bool           // LIMIT, set-returning functions and so on stop quals
	open     bool           // its outputs are not all known
	done     bool
	resolver *resolver
}

// Likelihood grades a claim.
type Likelihood int

// The likelihoods.
const (
	No Likelihood = iota
	Maybe
	Yes
)

// Rel is one use of a relation, or of a derived row source, in a block.
type Rel struct {
	// Relation is nil for functions, VALUES, CTE scans and unmerged subqueries.
	Relation *catalog.Relation
	Alias    string
	// Pos is where the relation is named, -1 when that is not in the statement.
	Pos   int
	Block *Block
	// Target is set for the relation that UPDATE, DELETE or MERGE changes.
	Target bool
	// ViaView is set when the relation was named by a view.
	ViaView bool
	// Conjuncts are the quals on the relation, one a key and operator.
	Conjuncts []Conjunct
	// Rows is the assumed row count and RowsSource where it comes from.
	Rows       int64
	RowsSource string
	// Small is set when reading all of it costs nothing to speak of.
	Small bool
	// Reached is set when there is an access path, or the relation is small.
	Reached bool
	// Path is the access path, nil when there is none.
	Path *Path
	// Narrow says whether few of its rows are read.
	Narrow Likelihood
	// Gap is set when the relation is unreached in a block that is selective.
	Gap *Gap
	// Security is set when policy quals stand on the relation.
	Security bool
	// Leaks are the conjuncts that an index would serve, were their operator
	// leakproof.
	Leaks []Leak

	nullBy  []*outerJoin
	semi    bool
	derived *derived
	only    bool
	known   []pgast.Expr // quals in normal form, for implication; filled when asked for
}

// Leak is a conjunct that lost its index to row level security.
type Leak struct {
	Conjunct Conjunct
	Index    *catalog.Index
	// Function is the operator or function that is not leakproof.
	Function string
}

// Comparand is what a key is compared with.
type Comparand int

// The kinds of comparand.
const (
	// Unknown comparands are never judged.
	Unknown Comparand = iota
	// Constant is a literal, or an expression over literals.
	Constant
	// Param is a parameter, a variable, a stable function, or a column of an outer
	// block: known when the scan starts.
	Param
	// OtherRelation is a column of another relation of the block.
	OtherRelation
	// Subquery is an uncorrelated scalar subquery.
	Subquery
	// ArrayOf is = ANY (array) and IN (list).
	ArrayOf
	// Nothing is for quals without a comparand: IS NULL, a bare boolean.
	Nothing
)

// Conjunct is one qual on a relation, with the relation's key at the left.
type Conjunct struct {
	// Expr is the clause with its columns bound; Pos is where it stands, -1 when
	// not in the statement.
	Expr pgast.Expr
	Pos  int
	// Column is the key when it is a plain column; else KeyExpr is the key's normal
	// form. Both are empty for an OR and for a qual without a key.
	Column  string
	KeyExpr string
	// Columns are all columns of the relation in the clause.
	Columns []string
	// Op is the operator as it reads with the key at the left: = < @> ~~, and "is
	// null", "is not null", "true", "false" for quals without a comparand.
	Op        string
	Kind      Comparand
	Comparand pgast.Expr
	// Other and OtherColumn are the other side of a join clause; Other is nil when
	// that side is a column of an outer block, whose name OtherColumn still has.
	Other       *Rel
	OtherColumn string
	// Outer is set when the comparand refers to a block around this one.
	Outer bool
	// Sargable is set when an index on the key could serve the qual as written.
	Sargable bool
	// Selects says how surely the qual keeps few rows.
	Selects Likelihood
	// FromPolicy, FromJoin and Derived say where the qual comes from: a policy, a
	// join clause, an equivalence class.
	FromPolicy, FromJoin, Derived bool
	// Optional is set for arms of ($1 IS NULL OR col = $1).
	Optional bool
	// Pattern is set for LIKE and the like.
	Pattern Pattern
	// Row holds the columns of a row comparison (a, b) > ($1, $2), in order.
	Row []string
	// Or holds the arms of a disjunction, each a conjunction.
	Or [][]Conjunct
	// Leaky is the function that keeps the qual from being an index condition under
	// row level security, "" when it is leakproof.
	Leaky string

	// Array is set for = ANY and IN; LowDomain for equality on a column of few
	// values, or with a literal that looks like one of few.
	Array, LowDomain bool

	keyNode pgast.Expr // the key, bound
	// collation is the one that the statement names, "" for none.
	collation string
	mutable   string       // what keeps an index from holding the key: date_trunc, a cast to date
	values    []pgast.Expr // of a written list
	needs     []*Rel       // every other relation of the comparand
	typ       string       // the key's type as printed, "" when unknown
	casts     string       // the comparand's type where it forces the key to be cast
	// unknownKey is set when a function of the key is not known at all.
	unknownKey bool
}

// Pattern is what is known of a LIKE pattern.
type Pattern int

// The patterns.
const (
	NoPattern Pattern = iota
	PrefixPattern
	InfixPattern
	ExactPattern
	UnknownPattern
)

// PathKind says why a relation counts as accessible.
type PathKind string

// The kinds of path.
const (
	LeadingKey PathKind = "leading-key"
	AnyKey     PathKind = "any-key"
	Implied    PathKind = "implied-partial"
	Pruning    PathKind = "pruning"
	InOrder    PathKind = "order"
	UniqueKey  PathKind = "unique"
	Bitmap     PathKind = "bitmap-or"
	TID        PathKind = "tid"
)

// Path is an access path.
type Path struct {
	Kind PathKind
	// Index is nil for pruning and for a bitmap of several indexes.
	Index *catalog.Index
	// Used are the conjuncts that the path serves.
	Used []Conjunct
	// Indexes are those of a bitmap.
	Indexes []*catalog.Index
}

// Order is one item of an order.
type Order struct {
	Rel *Rel
	// Column is the key when it is a plain column; else KeyExpr is its normal form.
	Column, KeyExpr string
	// Collation is the one that ORDER BY names, "" for none.
	Collation        string
	Desc, NullsFirst bool
	Pos              int
}

// GapKind says what is missing.
type GapKind int

// The kinds of gap.
const (
	// GapWhere: the relation's own quals have no index.
	GapWhere GapKind = iota
	// GapJoin: the relation is joined from rows at hand, by columns without an index.
	GapJoin
)

// Gap is a missing access path.
type Gap struct {
	Kind GapKind
	// Conjuncts are those that an index could serve, equalities first.
	Conjuncts []Conjunct
	// Columns are their columns, in that order, each once.
	Columns []string
	// Arm is the unserved arm of an OR, 1-based; 0 when the gap is not in an OR.
	Arm int
	// Certain is set when few rows are surely wanted of a large relation.
	Certain bool
	// Why says in words what keeps a gap from being certain, or an existing index
	// from being used: index x leads with y.
	Why string
	// Advice is what to do where no index helps as the statement is written.
	Advice string
	Pos    int

	grade Likelihood
}

// OrderGap is a missing order.
type OrderGap struct {
	Rel     *Rel
	Columns []string
	Certain bool
	Why     string
	Pos     int
}

// Analyze finds the access paths of a statement. It never fails: what it cannot
// bind is listed in Unresolved, and is not judged.
func Analyze(cat *catalog.Catalog, stmt pgast.Stmt, o Options) *Analysis {
	return analyze(cat, stmt, o)
}
