package catalog

import "strings"

// Name is a schema-qualified name.
type Name struct{ Schema, Name string }

// String returns schema.name.
func (n Name) String() string { return n.Schema + "." + n.Name }

// Short is the name as messages show it: the schema public goes without saying.
func (n Name) Short() string {
	if n.Schema == "" || n.Schema == "public" {
		return n.Name
	}
	return n.String()
}

// Of names columns of the relation as messages do: orders.customer_id, orders
// (status, created).
func (n Name) Of(columns []string) string {
	if len(columns) == 1 {
		return n.Short() + "." + columns[0]
	}
	return n.Short() + " (" + strings.Join(columns, ", ") + ")"
}

// Kind is the kind of a relation.
type Kind string

// The kinds of relation.
const (
	Table            Kind = "table"
	PartitionedTable Kind = "partitioned-table"
	View             Kind = "view"
	MaterializedView Kind = "materialized-view"
	ForeignTable     Kind = "foreign-table"
)

// Relation is a table, a view and so on.
type Relation struct {
	Name
	Kind     Kind
	Location Location
	// Stub is set for a relation that something referred to and nothing created:
	// its columns are unknown, and no rule judges it.
	Stub bool
	// Platform is set for objects that a platform brings (Supabase's auth.users):
	// their own definition is nobody's fault; policies that users add on them count.
	Platform    bool
	Columns     []*Column
	Constraints []*Constraint
	Indexes     []*Index
	Policies    []*Policy
	Triggers    []string
	// RLSEnabled and RLSForced are the flags of ALTER TABLE.
	RLSEnabled, RLSForced bool
	RLSLocation           Location
	// PartitionOf is the parent of a partition; zero otherwise.
	PartitionOf Name
	// PartitionBound is the bound's text of a partition.
	PartitionBound string
	// PartitionStrategy is range, list or hash for a partitioned table;
	// PartitionKeys are columns or expressions in normal form.
	PartitionStrategy string
	PartitionKeys     []string
	// Inherits are the parents by INHERITS.
	Inherits []Name
	// Query is the text of a view, with names qualified, "" for others.
	Query string
	// SecurityInvoker is set for views that run as their caller.
	SecurityInvoker bool
	// Owner is the owning role where the migrations set it.
	Owner string
	// ChangedBy are the calls of functions that may give the table indexes, policies or
	// partitions, and that were not followed.
	ChangedBy []Location `json:",omitempty"`
	// SeededRows counts rows that the migrations insert by VALUES.
	SeededRows int
}

// Column is a column of a relation.
type Column struct {
	Name string
	// Type is as format_type() prints it under the default search_path: bigint,
	// character varying(20), text[]; a type of public has no schema, others have.
	Type string
	// TypeName is the type's own name where it is user-defined (an enum, a domain),
	// zero for built-in types.
	TypeName   Name
	NotNull    bool
	HasDefault bool
	// Default is the default's text in normal form.
	Default   string
	Generated bool
	// Virtual is set for a generated column that is not stored, and so has no index (18).
	Virtual bool `json:",omitempty"`
	// Identity is "", always or by-default.
	Identity  string
	Collation string
	Location  Location
}

// ConstraintKind is the kind of a constraint.
type ConstraintKind string

// The kinds of constraint.
const (
	PrimaryKey ConstraintKind = "primary-key"
	Unique     ConstraintKind = "unique"
	ForeignKey ConstraintKind = "foreign-key"
	Check      ConstraintKind = "check"
	Exclusion  ConstraintKind = "exclusion"
)

// Constraint is a constraint of a table.
type Constraint struct {
	Name    string
	Kind    ConstraintKind
	Columns []string
	// References, RefColumns and OnDelete belong to a foreign key. OnDelete is
	// no-action, restrict, cascade, set-null or set-default.
	References Name
	RefColumns []string
	OnDelete   string
	// Expr is a CHECK's expression in normal form.
	Expr      string
	Validated bool
	// NotEnforced constraints check nothing and have no triggers (PostgreSQL 18).
	NotEnforced bool `json:",omitempty"`
	Location    Location
}

// Index is an index, those behind constraints included.
type Index struct {
	Name   string
	Method string
	Unique bool
	Valid  bool
	Keys   []IndexKey
	// Include are the columns of INCLUDE.
	Include []string
	// Predicate is a partial index's condition in normal form; "" for none.
	Predicate string
	// Constraint is set for the index behind a key or an exclusion.
	Constraint       bool
	NullsNotDistinct bool
	// ParentOnly is set for an index made ON ONLY a partitioned parent.
	ParentOnly bool
	Location   Location
}

// IndexKey is a key of an index.
type IndexKey struct {
	// Column is the key's column; "" where Expr is set.
	Column string
	// Expr is the key's expression in normal form.
	Expr string
	// OpClass is the operator class where it is not the type's default.
	OpClass string
	// Collation is set where it is not the column's.
	Collation  string
	Desc       bool
	NullsFirst bool
}

// Policy is a row level security policy.
type Policy struct {
	Name string
	// Command is all, select, insert, update or delete.
	Command    string
	Permissive bool
	// Roles are sorted; public when none is named.
	Roles []string
	// Using and Check are in normal form; HasUsing and HasCheck tell "" from none.
	Using, Check       string
	HasUsing, HasCheck bool
	// Location is where the policy was created or last altered. UsingLocation is
	// where the USING expression starts.
	Location      Location
	UsingLocation Location
	// Platform is set for policies that the platform brings.
	Platform bool
}

// Function is a function or a procedure of the schema.
type Function struct {
	Name
	// Args are the input types as format_type() prints them.
	Args []string
	// ArgNames are the input names, "" where unnamed.
	ArgNames []string
	// Kind is function, procedure, aggregate or window.
	Kind string
	// Returns is the result type as printed; ReturnsSet is set for SETOF, TABLE.
	Returns    string
	ReturnsSet bool
	// OutNames are the columns of RETURNS TABLE and OUT arguments.
	OutNames []string
	// OutTypes are the types of OutNames where the migrations are read.
	OutTypes   []string `json:",omitempty"`
	Language   string
	Volatility string
	Strict     bool

	SecurityDefiner, Leakproof bool
	// SearchPath is the function's own setting; HasSearchPath whether it has one.
	SearchPath    string
	HasSearchPath bool
	// Body is the source text, and Definition the whole CREATE statement.
	Body, Definition string
	Location         Location
	// BodyLocation is where the body's first byte stands.
	BodyLocation Location
	// Platform is as in Relation.
	Platform bool
}

// Type is a user-defined type.
type Type struct {
	Name
	// Kind is enum, domain, composite or range.
	Kind   string
	Labels []string
	// Base is a domain's base type as printed.
	Base string
	// Columns are a composite type's.
	Columns  []*Column
	Location Location
	// Platform is as in Relation.
	Platform bool
}

// Column returns a column by name, nil when there is none.
func (r *Relation) Column(name string) *Column {
	for _, c := range r.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Index returns an index by name, nil when there is none.
func (r *Relation) Index(name string) *Index {
	for _, x := range r.Indexes {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// Constraint returns a constraint by name, nil when there is none.
func (r *Relation) Constraint(name string) *Constraint {
	for _, c := range r.Constraints {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Policy returns a policy by name, nil when there is none.
func (r *Relation) Policy(name string) *Policy {
	for _, p := range r.Policies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// QualifiedType is the column's type with its schema for every user-defined type,
// as the server prints it under an empty search_path.
func (c *Column) QualifiedType() string {
	if c.TypeName.Schema == "public" && !strings.HasPrefix(c.Type, "public.") {
		return "public." + c.Type
	}
	return c.Type
}

// IsTable reports whether the relation holds rows that DML can reach.
func (r *Relation) IsTable() bool { return r.Kind == Table || r.Kind == PartitionedTable }
