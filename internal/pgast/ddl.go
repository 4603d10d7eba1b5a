package pgast

// Name is a possibly schema-qualified name of an object.
type Name struct {
	// Schema is empty when not written.
	Schema, Name string
}

// ObjectKind names a kind of object in DROP, RENAME and SET SCHEMA.
type ObjectKind string

// The kinds of object.
const (
	ObjTable      ObjectKind = "table"
	ObjView       ObjectKind = "view"
	ObjMatView    ObjectKind = "materialized view"
	ObjForeign    ObjectKind = "foreign table"
	ObjIndex      ObjectKind = "index"
	ObjSequence   ObjectKind = "sequence"
	ObjColumn     ObjectKind = "column"
	ObjConstraint ObjectKind = "constraint"
	ObjPolicy     ObjectKind = "policy"
	ObjTrigger    ObjectKind = "trigger"
	ObjRule       ObjectKind = "rule"
	ObjFunction   ObjectKind = "function" // and procedure, routine, aggregate
	ObjType       ObjectKind = "type"
	ObjDomain     ObjectKind = "domain"
	ObjSchema     ObjectKind = "schema"
	ObjExtension  ObjectKind = "extension"
	ObjAttribute  ObjectKind = "attribute"
	ObjEnumValue  ObjectKind = "enum value"
	ObjRole       ObjectKind = "role"
	ObjOther      ObjectKind = "other"
)

// Drop is DROP of any object.
type Drop struct {
	At
	isStmt
	Kind     ObjectKind
	IfExists bool
	Cascade  bool
	Objects  []DropObject
}

// DropObject is one object of a Drop.
type DropObject struct {
	Name Name
	// On is the table of a policy, trigger or rule.
	On Name
	// Args are the argument types of a function; HasArgs tells () from nothing.
	Args    []TypeName
	HasArgs bool
}

// Rename is ALTER … RENAME.
type Rename struct {
	At
	isStmt
	Kind ObjectKind
	// Object is the object, or the table of a column, constraint, policy …
	Object Name
	// From is the column, constraint, policy, trigger or enum value; empty when
	// Object itself is renamed.
	From string
	To   string
	// OnKind is the kind of Object where From is set.
	OnKind   ObjectKind
	IfExists bool
}

// SetSchema is ALTER … SET SCHEMA.
type SetSchema struct {
	At
	isStmt
	Kind     ObjectKind
	Object   Name
	Args     []TypeName
	To       string
	IfExists bool
}

// CreatePolicy is CREATE POLICY.
type CreatePolicy struct {
	At
	isStmt
	Name  string
	Table Name
	// Command is all, select, insert, update or delete.
	Command    string
	Permissive bool
	// Roles are as written; public when none is.
	Roles []string
	Using Expr
	Check Expr
}

// AlterPolicy is ALTER POLICY; nil fields are left as they were.
type AlterPolicy struct {
	At
	isStmt
	Name  string
	Table Name
	Roles []string
	Using Expr
	Check Expr
}

// CreateFunction is CREATE FUNCTION and CREATE PROCEDURE.
type CreateFunction struct {
	At
	isStmt
	Name      Name
	Replace   bool
	Procedure bool
	Args      []FuncArg
	// Returns is nil for procedures and RETURNS TABLE.
	Returns  *TypeName
	Language string
	// Volatility is volatile, stable or immutable.
	Volatility      string
	Strict          bool
	SecurityDefiner bool
	Leakproof       bool
	// SearchPath is the function's SET search_path, HasSearchPath whether there
	// is one.
	SearchPath    string
	HasSearchPath bool
	// Body is the text between the quotes; BodyPos is the offset of its first byte
	// in the source, -1 when an escape makes positions unusable.
	Body    string
	BodyPos int
	// Stmts is the body of a BEGIN ATOMIC or RETURN function.
	Stmts []Stmt
}

// FuncArg is an argument of a function.
type FuncArg struct {
	// Mode is in, out, inout, variadic or table.
	Mode       string
	Name       string
	Type       TypeName
	HasDefault bool
}

// AlterFunction is ALTER FUNCTION with options; nil fields are left as they were.
type AlterFunction struct {
	At
	isStmt
	Name            Name
	Args            []TypeName
	HasArgs         bool
	Volatility      string
	SecurityDefiner *bool
	Leakproof       *bool
	SearchPath      *string
	ResetSearchPath bool
}

// Do is DO $$…$$.
type Do struct {
	At
	isStmt
	Language string
	Body     string
	// BodyPos is as in CreateFunction.
	BodyPos int
}

// CreateTrigger is CREATE TRIGGER.
type CreateTrigger struct {
	At
	isStmt
	Name    string
	Table   Name
	Replace bool
	Func    Name
}

// CreateType is CREATE TYPE.
type CreateType struct {
	At
	isStmt
	Name Name
	// Kind is enum, composite, range, base or shell.
	Kind    string
	Labels  []string
	Columns []ColumnDef
}

// AlterEnum is ALTER TYPE … ADD VALUE.
type AlterEnum struct {
	At
	isStmt
	Name        Name
	Value       string
	Neighbour   string
	After       bool
	IfNotExists bool
}

// CreateDomain is CREATE DOMAIN.
type CreateDomain struct {
	At
	isStmt
	Name        Name
	Type        TypeName
	Constraints []Constraint
}

// CreateSchema is CREATE SCHEMA.
type CreateSchema struct {
	At
	isStmt
	Name        string
	IfNotExists bool
	// Elements are statements written inside it.
	Elements []Stmt
}

// CreateExtension is CREATE EXTENSION.
type CreateExtension struct {
	At
	isStmt
	Name        string
	Schema      string
	IfNotExists bool
}

// CreateSequence is CREATE SEQUENCE.
type CreateSequence struct {
	At
	isStmt
	Name        Name
	IfNotExists bool
}

// CreateRole is CREATE ROLE, CREATE USER.
type CreateRole struct {
	At
	isStmt
	Name string
	// BypassRLS and Superuser are the attributes that switch policies off.
	BypassRLS, Superuser bool
}
