package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Location is where an object was last defined; the zero value is unknown.
type Location struct {
	Path   string
	Line   int
	Column int
}

// Catalog is one database's schema.
type Catalog struct {
	relations map[Name]*Relation
	functions map[Name][]*Function
	types     map[Name]*Type
	schemas   map[string]bool
	// Extensions are the names of installed extensions.
	Extensions map[string]Location
	// Roles are the roles that the migrations create, with what matters of them.
	Roles map[string]Role
	// SearchPath resolves unqualified names of statements; "public" by default.
	SearchPath []string
	// Stats are sizes from statistics or config; nil where there are none.
	Stats Sizes
}

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

// Role is a role created by the schema's own migrations.
type Role struct{ BypassRLS, Superuser bool }

// Sizes says how large relations are.
type Sizes interface {
	// Rows returns a relation's row count and where it comes from: statistics,
	// profile or default.
	Rows(r *Relation) (rows int64, source string)
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
	Location  Location
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

// New returns an empty catalog with the schema public.
func New() *Catalog {
	return &Catalog{
		relations:  map[Name]*Relation{},
		functions:  map[Name][]*Function{},
		types:      map[Name]*Type{},
		schemas:    map[string]bool{"public": true},
		Extensions: map[string]Location{},
		Roles:      map[string]Role{},
		SearchPath: []string{"public"},
	}
}

// Relation returns the relation of that exact name, nil when there is none.
func (c *Catalog) Relation(schema, name string) *Relation {
	return c.relations[Name{schema, name}]
}

// Resolve finds a relation as a statement names it: by schema, or by the search
// path when schema is empty. A nil path means the catalog's own.
func (c *Catalog) Resolve(schema, name string, path []string) *Relation {
	if schema != "" {
		return c.Relation(schema, name)
	}
	if path == nil {
		path = c.SearchPath
	}
	for _, s := range path {
		if r := c.Relation(s, name); r != nil {
			return r
		}
	}
	return nil
}

// Relations returns all relations sorted by schema and name.
func (c *Catalog) Relations() []*Relation {
	return sorted(c.relations, func(r *Relation) Name { return r.Name })
}

// AddRelation puts a relation in, replacing one of the same name.
func (c *Catalog) AddRelation(r *Relation) {
	c.schemas[r.Schema] = true
	c.relations[r.Name] = r
}

// With returns a catalog in which r stands in the place of the relation of its
// name; c stays as it is. Everything else is shared.
func (c *Catalog) With(r *Relation) *Catalog {
	d := *c
	d.relations = maps.Clone(c.relations)
	d.relations[r.Name] = r
	return &d
}

// RemoveRelation takes a relation out.
func (c *Catalog) RemoveRelation(n Name) { delete(c.relations, n) }

// Functions returns the overloads of a function.
func (c *Catalog) Functions(schema, name string) []*Function {
	return c.functions[Name{schema, name}]
}

// ResolveFunctions finds the overloads of a function as a statement names it.
func (c *Catalog) ResolveFunctions(schema, name string, path []string) []*Function {
	if schema != "" {
		return c.Functions(schema, name)
	}
	if path == nil {
		path = c.SearchPath
	}
	for _, s := range path {
		if fs := c.Functions(s, name); len(fs) > 0 {
			return fs
		}
	}
	return nil
}

// AllFunctions returns every function sorted by schema, name and arguments.
func (c *Catalog) AllFunctions() []*Function {
	var out []*Function
	for _, fs := range c.functions {
		out = append(out, fs...)
	}
	slices.SortFunc(out, func(a, b *Function) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name.Name, b.Name.Name),
			cmp.Compare(strings.Join(a.Args, ","), strings.Join(b.Args, ",")))
	})
	return out
}

// AddFunction puts a function in, replacing the overload of the same arguments.
func (c *Catalog) AddFunction(f *Function) {
	c.schemas[f.Schema] = true
	fs := c.functions[f.Name]
	for i, g := range fs {
		if slices.Equal(g.Args, f.Args) {
			fs[i] = f
			return
		}
	}
	c.functions[f.Name] = append(fs, f)
}

// RemoveFunction takes out the overload with these arguments; nil args means
// every overload. It reports whether there was one.
func (c *Catalog) RemoveFunction(n Name, args []string) bool {
	fs := c.functions[n]
	if len(fs) == 0 {
		return false
	}
	if args == nil {
		delete(c.functions, n)
		return true
	}
	kept := slices.DeleteFunc(slices.Clone(fs), func(f *Function) bool { return slices.Equal(f.Args, args) })
	if len(kept) == 0 {
		delete(c.functions, n)
	} else {
		c.functions[n] = kept
	}
	return len(kept) < len(fs)
}

// Type returns the user-defined type of that exact name, nil when there is none.
func (c *Catalog) Type(schema, name string) *Type { return c.types[Name{schema, name}] }

// ResolveType finds a user-defined type as a statement names it.
func (c *Catalog) ResolveType(schema, name string, path []string) *Type {
	if schema != "" {
		return c.Type(schema, name)
	}
	if path == nil {
		path = c.SearchPath
	}
	for _, s := range path {
		if t := c.Type(s, name); t != nil {
			return t
		}
	}
	return nil
}

// Types returns the user-defined types sorted by schema and name.
func (c *Catalog) Types() []*Type { return sorted(c.types, func(t *Type) Name { return t.Name }) }

// AddType puts a type in, replacing one of the same name.
func (c *Catalog) AddType(t *Type) {
	c.schemas[t.Schema] = true
	c.types[t.Name] = t
}

// RemoveType takes a type out.
func (c *Catalog) RemoveType(n Name) { delete(c.types, n) }

// AddSchema records a schema.
func (c *Catalog) AddSchema(name string) { c.schemas[name] = true }

// HasSchema reports whether a schema exists.
func (c *Catalog) HasSchema(name string) bool { return c.schemas[name] }

// RemoveSchema forgets a schema and all that is in it.
func (c *Catalog) RemoveSchema(name string) {
	delete(c.schemas, name)
	for n := range c.relations {
		if n.Schema == name {
			delete(c.relations, n)
		}
	}
	for n := range c.functions {
		if n.Schema == name {
			delete(c.functions, n)
		}
	}
	for n := range c.types {
		if n.Schema == name {
			delete(c.types, n)
		}
	}
}

// Schemas returns the schemas' names, sorted.
func (c *Catalog) Schemas() []string {
	var out []string
	for s := range c.schemas {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// Partitions returns the direct partitions of a relation, sorted by name.
func (c *Catalog) Partitions(parent Name) []*Relation {
	var out []*Relation
	for _, r := range c.Relations() {
		if r.PartitionOf == parent {
			out = append(out, r)
		}
	}
	return out
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

func sorted[T any](m map[Name]T, name func(T) Name) []T {
	out := make([]T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b T) int {
		x, y := name(a), name(b)
		return cmp.Or(cmp.Compare(x.Schema, y.Schema), cmp.Compare(x.Name, y.Name))
	})
	return out
}
