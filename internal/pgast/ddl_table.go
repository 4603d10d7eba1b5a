package pgast

// ColumnDef defines a column.
type ColumnDef struct {
	At
	Name string
	Type TypeName
	// Constraints are those written with the column.
	Constraints []Constraint
	Collation   []string
}

// ConstraintKind is the kind of a constraint.
type ConstraintKind int

// The kinds of constraint, column attributes included.
const (
	ConNotNull ConstraintKind = iota
	ConNull
	ConDefault
	ConIdentity
	ConGenerated
	ConCheck
	ConPrimaryKey
	ConUnique
	ConExclusion
	ConForeignKey
)

// Constraint is a table or column constraint.
type Constraint struct {
	At
	Kind ConstraintKind
	// Name is empty when the server makes it up.
	Name string
	// Columns are the constrained columns (table constraints, foreign keys).
	Columns []string
	// Include are the columns of INCLUDE.
	Include []string
	// Expr is the CHECK, DEFAULT or GENERATED expression.
	Expr Expr
	// Identity is always or by-default.
	Identity string
	// Ref, RefColumns and OnDelete belong to a foreign key; OnDelete is no-action,
	// restrict, cascade, set-null or set-default.
	Ref        Name
	RefColumns []string
	OnDelete   string
	// UsingIndex names the index of ADD CONSTRAINT … USING INDEX.
	UsingIndex string
	// Elems, Method and Where belong to an exclusion constraint.
	Elems  []IndexElem
	Method string
	Where  Expr
	// NotValid is set for NOT VALID.
	NotValid      bool
	NullsDistinct bool // false for UNIQUE NULLS NOT DISTINCT
	Deferrable    bool
	// NotEnforced is NOT ENFORCED: nothing is checked. Temporal is WITHOUT OVERLAPS, or
	// PERIOD in a foreign key, on the last column. Virtual is GENERATED … VIRTUAL: the
	// value is not stored. All three are of PostgreSQL 18.
	NotEnforced bool `fingerprint:"omitzero"`
	Temporal    bool `fingerprint:"omitzero"`
	Virtual     bool `fingerprint:"omitzero"`
}

// IndexElem is a key of an index.
type IndexElem struct {
	At
	// Column is the column's name; empty when Expr is set.
	Column    string
	Expr      Expr
	Collation []string
	OpClass   []string
	Desc      bool
	// NullsFirst is set when nulls come first, by default (Desc) or by word.
	NullsFirst bool
	// Operator is that of an exclusion constraint's element.
	Operator string
}

// CreateTable is CREATE TABLE, and CREATE FOREIGN TABLE.
type CreateTable struct {
	At
	isStmt
	Table       Name
	IfNotExists bool
	Temp        bool
	// OnCommitDrop is set for a temporary table that ends with its transaction.
	OnCommitDrop bool
	Unlogged     bool
	Foreign      bool
	Columns      []ColumnDef
	Constraints  []Constraint
	// Like are the sources of LIKE clauses.
	Like []Like
	// Inherits are parents of INHERITS.
	Inherits []Name
	// PartitionOf is the parent; nil when none.
	PartitionOf *Name
	// Bound is the partition's bound as text, "DEFAULT" for the default one.
	Bound       string
	PartitionBy *PartitionBy
	// OfType is set for CREATE TABLE … OF type.
	OfType *Name
}

// Like is LIKE source INCLUDING ….
type Like struct {
	At
	Source Name
	// The INCLUDING options that matter to a schema.
	Defaults, Constraints, Indexes, Generated, Identity bool
}

// PartitionBy is a PARTITION BY clause.
type PartitionBy struct {
	// Strategy is range, list or hash.
	Strategy string
	Keys     []IndexElem
}

// CreateTableAs is CREATE TABLE AS and CREATE MATERIALIZED VIEW.
type CreateTableAs struct {
	At
	isStmt
	Table        Name
	Columns      []string
	Query        Stmt
	Materialized bool
	IfNotExists  bool
	Temp         bool
	// OnCommitDrop is as in CreateTable.
	OnCommitDrop bool
}

// CreateView is CREATE VIEW.
type CreateView struct {
	At
	isStmt
	View    Name
	Columns []string
	Query   Stmt
	Replace bool
	Temp    bool
	// SecurityInvoker is set for WITH (security_invoker = true).
	SecurityInvoker bool
}

// AlterTable is ALTER TABLE, and ALTER INDEX, ALTER VIEW and the like where the
// grammar shares it.
type AlterTable struct {
	At
	isStmt
	// Kind is table, index, view, materialized view, foreign table, sequence, type.
	Kind     string
	Table    Name
	IfExists bool
	Only     bool
	Cmds     []AlterCmd
}

// AlterCmd is one action of ALTER TABLE.
type AlterCmd struct {
	At
	// Action is one of the Alter… constants, or the grammar's name of the
	// subcommand in lower case for those that no schema depends on.
	Action string
	// Name is the column, constraint, trigger or index that it acts on.
	Name       string
	IfExists   bool // IF EXISTS, and IF NOT EXISTS of ADD COLUMN
	Column     *ColumnDef
	Constraint *Constraint
	Type       *TypeName
	Expr       Expr
	Cascade    bool
	// Partition and Bound belong to attach and detach; Partition is also the
	// parent of inherit and no-inherit and the index of ALTER INDEX ATTACH.
	Partition Name
	Bound     string
	// Identity is always or by-default for add-identity.
	Identity string
	// Options are those of SET (…): security_invoker=true …
	Options map[string]string
}

// Actions of ALTER TABLE.
const (
	AlterAddColumn          = "add-column"
	AlterDropColumn         = "drop-column"
	AlterColumnType         = "column-type"
	AlterSetDefault         = "set-default"
	AlterDropDefault        = "drop-default"
	AlterSetNotNull         = "set-not-null"
	AlterDropNotNull        = "drop-not-null"
	AlterDropExpression     = "drop-expression"
	AlterAddIdentity        = "add-identity"
	AlterDropIdentity       = "drop-identity"
	AlterSetIdentity        = "set-identity"
	AlterAddConstraint      = "add-constraint"
	AlterDropConstraint     = "drop-constraint"
	AlterValidateConstraint = "validate-constraint"
	AlterEnableRLS          = "enable-rls"
	AlterDisableRLS         = "disable-rls"
	AlterForceRLS           = "force-rls"
	AlterNoForceRLS         = "no-force-rls"
	AlterAttachPartition    = "attach-partition"
	AlterDetachPartition    = "detach-partition"
	AlterInherit            = "inherit"
	AlterNoInherit          = "no-inherit"
	AlterOwner              = "owner"
	AlterSetOptions         = "set-options"
	AlterResetOptions       = "reset-options"
	AlterSetExpression      = "setexpression"      // of PostgreSQL 17; Expr is the generated column's
	AlterEnforce            = "enforce-constraint" // of PostgreSQL 18, as is the next
	AlterNotEnforce         = "not-enforce-constraint"
)

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	At
	isStmt
	// Name is empty when the server makes it up.
	Name          string
	Table         Name
	Only          bool
	Unique        bool
	Concurrently  bool
	IfNotExists   bool
	Method        string // btree when not written
	Keys          []IndexElem
	Include       []string
	Where         Expr
	NullsDistinct bool
}
