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

// Role is a role created by the schema's own migrations.
type Role struct{ BypassRLS, Superuser bool }

// Sizes says how large relations are.
type Sizes interface {
	// Rows returns a relation's row count and where it comes from: statistics,
	// profile or default.
	Rows(r *Relation) (rows int64, source string)
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
