package pgast

// Stmt is a statement.
type Stmt interface {
	Node
	stmt()
}

type isStmt struct{}

func (isStmt) stmt() {}

// With is a WITH clause.
type With struct {
	Recursive bool
	CTEs      []CTE
}

// CTE is one common table expression.
type CTE struct {
	At
	Name    string
	Columns []string
	Query   Stmt
	// Materialized is "", "materialized" or "not materialized".
	Materialized string
	// Extra is the SEARCH and CYCLE clauses as SQL.
	Extra string
}

// Select is SELECT, VALUES, TABLE, or a set operation over two selects.
type Select struct {
	At
	isStmt
	With *With
	// SetOp is "", "union", "intersect" or "except"; Left and Right are set then.
	SetOp       string
	All         bool
	Left, Right *Select
	Values      [][]Expr
	Distinct    bool
	DistinctOn  []Expr
	Targets     []Target
	From        []FromItem
	Where       Expr
	// GroupBy holds plain expressions; grouping sets come as Other.
	GroupBy []Expr
	// GroupDistinct is set for GROUP BY DISTINCT.
	GroupDistinct bool
	Having        Expr
	Windows       []NamedWindow
	OrderBy       []SortBy
	Limit         Expr // nil when there is none, or LIMIT ALL
	Offset        Expr
	// WithTies is set for FETCH … WITH TIES.
	WithTies bool
	// Locking holds one entry a FOR UPDATE/SHARE clause.
	Locking []Locking
	// Into is the target of SELECT INTO.
	Into *Table
	// IntoTemp is set when that table lives as long as the session.
	IntoTemp bool
}

// NamedWindow is one entry of a WINDOW clause.
type NamedWindow struct {
	Name string
	Window
}

// Locking is FOR UPDATE and the like.
type Locking struct {
	// Strength is update, no key update, share or key share.
	Strength   string
	Of         []string
	SkipLocked bool
	NoWait     bool
}

// Target is an item of a select list, a RETURNING list or a SET list.
type Target struct {
	At
	// Name is the alias of a select item (empty when none), or the column of a
	// SET item or INSERT column.
	Name string
	Expr Expr
	// Path is the place that a SET or INSERT item assigns where that is more than
	// the column: a Subscript chain over the column's ColumnRef. Nil otherwise.
	Path Expr
}

// SortBy is an item of ORDER BY.
type SortBy struct {
	At
	Expr Expr
	Desc bool
	// NullsFirst is set when the order puts nulls first, by default or by word.
	NullsFirst bool
	// Using is the operator of ORDER BY … USING.
	Using string
}

// FromItem is an item of FROM.
type FromItem interface {
	Node
	fromItem()
}

type isFrom struct{}

func (isFrom) fromItem() {}

// Table is a relation named in FROM, or a statement's target.
type Table struct {
	At
	isFrom
	// Schema is empty when not written.
	Schema, Name string
	Alias        string
	ColAliases   []string
	// Only is set for ONLY t.
	Only bool
	// Sample is set for TABLESAMPLE; SampleText is its method, arguments and seed.
	Sample     bool
	SampleText string
}

// RefName is the name by which expressions refer to the table.
func (t *Table) RefName() string {
	if t.Alias != "" {
		return t.Alias
	}
	return t.Name
}

// Subquery is a subselect in FROM.
type Subquery struct {
	At
	isFrom
	Query      Stmt
	Alias      string
	ColAliases []string
	Lateral    bool
}

// FuncTable is a function in FROM, or ROWS FROM(…), or another row source with
// expressions (XMLTABLE, JSON_TABLE).
type FuncTable struct {
	At
	isFrom
	Calls      []Expr
	Alias      string
	ColAliases []string
	// ColTypes are the types of a column definition list, as ColAliases.
	ColTypes   []TypeName
	Lateral    bool
	Ordinality bool
	// RowsFrom is set for ROWS FROM (…).
	RowsFrom bool
}

// JoinKind is the kind of a join.
type JoinKind int

// The kinds of join.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinCross
)

// Join is a join of two items.
type Join struct {
	At
	isFrom
	Kind        JoinKind
	Natural     bool
	Left, Right FromItem
	Using       []string
	On          Expr
	Alias       string
	// ColAliases belong to Alias; UsingAlias is that of USING (…) AS alias.
	ColAliases []string
	UsingAlias string
}

// Insert is INSERT.
type Insert struct {
	At
	isStmt
	With    *With
	Table   *Table
	Columns []string
	// Overriding is user, system or empty.
	Overriding string
	// Source is nil for DEFAULT VALUES.
	Source     *Select
	OnConflict *OnConflict
	Returning  []Target
	OldNew     OldNew
}

// OldNew are the names that RETURNING WITH (OLD AS o, NEW AS n) gives to the row before
// and after (PostgreSQL 18); empty where old and new themselves are the names.
type OldNew struct{ Old, New string }

// OnConflict is the ON CONFLICT clause.
type OnConflict struct {
	// Targets are the inference elements; Constraint names one instead.
	Targets    []IndexElem
	Where      Expr
	Constraint string
	// Update is set for DO UPDATE; Set and UpdateWhere belong to it.
	Update      bool
	Set         []Target
	UpdateWhere Expr
}

// Update is UPDATE.
type Update struct {
	At
	isStmt
	With      *With
	Table     *Table
	Set       []Target
	From      []FromItem
	Where     Expr
	Returning []Target
	OldNew    OldNew
}

// Delete is DELETE.
type Delete struct {
	At
	isStmt
	With      *With
	Table     *Table
	Using     []FromItem
	Where     Expr
	Returning []Target
	OldNew    OldNew
}

// Merge is MERGE.
type Merge struct {
	At
	isStmt
	With   *With
	Table  *Table
	Source FromItem
	On     Expr
	Whens  []MergeWhen
	// Returning is of PostgreSQL 17.
	Returning []Target
	OldNew    OldNew
}

// MergeWhen is one WHEN clause of a Merge.
type MergeWhen struct {
	// Matched is set for rows that have a partner; BySource for WHEN NOT MATCHED BY
	// SOURCE (PostgreSQL 17), rows of the target that have none.
	Matched, BySource bool
	Cond              Expr
	// Action is update, delete, insert or nothing.
	Action  string
	Targets []Target
}

// Set is SET, RESET, SET LOCAL.
type Set struct {
	At
	isStmt
	// Name is the setting, lower case: search_path, role, session_authorization.
	Name  string
	Local bool
	// Reset is set for RESET and SET … TO DEFAULT.
	Reset bool
	// Values are the literals' texts.
	Values []string
}

// Transaction is BEGIN, COMMIT, ROLLBACK, SAVEPOINT …
type Transaction struct {
	At
	isStmt
	// Kind is begin, commit, rollback, savepoint, release, rollback to, prepare …
	Kind string
}

// Explain is EXPLAIN of a statement.
type Explain struct {
	At
	isStmt
	Query Stmt
}

// Prepare is PREPARE name AS.
type Prepare struct {
	At
	isStmt
	Name  string
	Query Stmt
}

// DeclareCursor is DECLARE … CURSOR FOR.
type DeclareCursor struct {
	At
	isStmt
	Name string
	// Hold is set for WITH HOLD: the cursor outlives its transaction.
	Hold  bool
	Query Stmt
}

// Listen is LISTEN channel.
type Listen struct {
	At
	isStmt
	Channel string
}

// Copy is COPY.
type Copy struct {
	At
	isStmt
	Table *Table
	Query Stmt
	From  bool
}

// Call is CALL procedure(…).
type Call struct {
	At
	isStmt
	Func *FuncCall
}

// OtherStmt is a statement that planvet has no node for.
type OtherStmt struct {
	At
	isStmt
	// Kind is the grammar's name of the node: VacuumStmt, GrantStmt …
	Kind string
}

// IsQuery reports whether a statement reads or writes rows, itself or as what it
// explains, prepares, declares a cursor for or copies from.
func IsQuery(s Stmt) bool {
	switch s := s.(type) {
	case *Select, *Insert, *Update, *Delete, *Merge:
		return true
	case *Explain:
		return IsQuery(s.Query)
	case *Prepare:
		return IsQuery(s.Query)
	case *DeclareCursor:
		return IsQuery(s.Query)
	case *Copy:
		return s.Query != nil
	}
	return false
}

// ReturnsRows reports whether a query's rows go to the client: those of SELECT without
// INTO, and of a write with RETURNING.
func ReturnsRows(s Stmt) bool {
	switch s := s.(type) {
	case *Select:
		return s.Into == nil
	case *Insert:
		return len(s.Returning) > 0
	case *Update:
		return len(s.Returning) > 0
	case *Delete:
		return len(s.Returning) > 0
	case *Merge:
		return len(s.Returning) > 0
	}
	return false
}
