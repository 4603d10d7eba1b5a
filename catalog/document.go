package catalog

import (
	"slices"
	"strings"
)

// Document is the machine format of a catalog (schema.schema.json).
type Document struct {
	SchemaVersion string        `json:"schema_version"`
	Source        string        `json:"source"`
	Relations     []DocRelation `json:"relations"`
	Functions     []DocFunction `json:"functions"`
	Types         []DocType     `json:"types"`
	Extensions    []string      `json:"extensions"`
	NotApplied    []DocProblem  `json:"not_applied"`
}

// DocProblem is a statement that was not applied.
type DocProblem struct {
	Location DocLocation `json:"location"`
	Error    string      `json:"error"`
}

// DocLocation is a place in a file.
type DocLocation struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"`
}

// DocRelation is a relation of a Document.
type DocRelation struct {
	Schema      string          `json:"schema"`
	Name        string          `json:"name"`
	Kind        Kind            `json:"kind"`
	PartitionOf *string         `json:"partition_of"`
	RLSEnabled  bool            `json:"rls_enabled"`
	RLSForced   bool            `json:"rls_forced"`
	Location    *DocLocation    `json:"location,omitempty"`
	Columns     []DocColumn     `json:"columns"`
	Constraints []DocConstraint `json:"constraints"`
	Indexes     []DocIndex      `json:"indexes"`
	Policies    []DocPolicy     `json:"policies"`
	Triggers    []string        `json:"triggers"`
}

// DocColumn is a column of a Document.
type DocColumn struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	NotNull    bool   `json:"not_null"`
	HasDefault bool   `json:"has_default"`
	Generated  bool   `json:"generated"`
	Identity   string `json:"identity"`
}

// DocConstraint is a constraint of a Document.
type DocConstraint struct {
	Name       string         `json:"name"`
	Kind       ConstraintKind `json:"kind"`
	Columns    []string       `json:"columns"`
	References *string        `json:"references"`
	RefColumns []string       `json:"referenced_columns"`
	OnDelete   string         `json:"on_delete"`
	Validated  bool           `json:"validated"`
}

// DocIndex is an index of a Document.
type DocIndex struct {
	Name      string   `json:"name"`
	Method    string   `json:"method"`
	Unique    bool     `json:"unique"`
	Valid     bool     `json:"valid"`
	Keys      []string `json:"keys"`
	Include   []string `json:"include"`
	Predicate *string  `json:"predicate"`
}

// DocPolicy is a policy of a Document.
type DocPolicy struct {
	Name       string   `json:"name"`
	Command    string   `json:"command"`
	Permissive bool     `json:"permissive"`
	Roles      []string `json:"roles"`
	Using      *string  `json:"using"`
	Check      *string  `json:"check"`
}

// DocFunction is a function of a Document.
type DocFunction struct {
	Schema          string  `json:"schema"`
	Name            string  `json:"name"`
	Arguments       string  `json:"arguments"`
	Kind            string  `json:"kind"`
	Language        string  `json:"language"`
	Volatility      string  `json:"volatility"`
	SecurityDefiner bool    `json:"security_definer"`
	Leakproof       bool    `json:"leakproof"`
	SearchPath      *string `json:"search_path"`
}

// DocType is a user-defined type of a Document.
type DocType struct {
	Schema string   `json:"schema"`
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Labels []string `json:"labels,omitempty"`
}

// Document returns the catalog's machine format. source is migrations or server;
// platform objects and stubs are left out.
func (c *Catalog) Document(source string, notApplied []DocProblem) *Document {
	d := &Document{
		SchemaVersion: "1", Source: source, Relations: []DocRelation{}, Functions: []DocFunction{},
		Types: []DocType{}, Extensions: []string{}, NotApplied: []DocProblem{},
	}
	for _, r := range c.Relations() {
		if r.Stub || (r.Platform && len(r.userPolicies()) == 0) {
			continue
		}
		d.Relations = append(d.Relations, r.document())
	}
	for _, f := range c.AllFunctions() {
		if !f.Platform {
			d.Functions = append(d.Functions, f.document())
		}
	}
	for _, t := range c.Types() {
		if !t.Platform && t.Kind != "base" && t.Kind != "shell" {
			d.Types = append(d.Types, DocType{Schema: t.Schema, Name: t.Name.Name, Kind: t.Kind, Labels: t.Labels})
		}
	}
	for x := range c.Extensions {
		d.Extensions = append(d.Extensions, x)
	}
	slices.Sort(d.Extensions)
	d.NotApplied = append(d.NotApplied, notApplied...)
	return d
}

// String is the key as the machine format writes it: the column or expression,
// then a non-default operator class, DESC, and NULLS where it is not the default.
func (k IndexKey) String() string {
	s := k.Column
	if s == "" {
		s = k.Expr
	}
	if k.Collation != "" {
		s += " COLLATE " + k.Collation
	}
	if k.OpClass != "" {
		s += " " + k.OpClass
	}
	if k.Desc {
		s += " DESC"
	}
	switch {
	case k.NullsFirst && !k.Desc:
		s += " NULLS FIRST"
	case !k.NullsFirst && k.Desc:
		s += " NULLS LAST"
	}
	return s
}

// userPolicies are those that the platform did not bring.
func (r *Relation) userPolicies() []*Policy {
	return slices.DeleteFunc(slices.Clone(r.Policies), func(p *Policy) bool { return p.Platform })
}

func (r *Relation) document() DocRelation {
	d := DocRelation{
		Schema: r.Schema, Name: r.Name.Name, Kind: r.Kind, RLSEnabled: r.RLSEnabled, RLSForced: r.RLSForced,
		Columns: []DocColumn{}, Constraints: []DocConstraint{}, Indexes: []DocIndex{}, Policies: []DocPolicy{},
		Triggers: []string{},
	}
	if r.PartitionOf != (Name{}) {
		d.PartitionOf = new(r.PartitionOf.String())
	}
	if r.Location.Path != "" {
		d.Location = &DocLocation{Path: r.Location.Path, Line: r.Location.Line, Column: r.Location.Column}
	}
	for _, c := range r.Columns {
		d.Columns = append(d.Columns, DocColumn{c.Name, c.Type, c.NotNull, c.HasDefault, c.Generated, c.Identity})
	}
	for _, k := range r.Constraints {
		d.Constraints = append(d.Constraints, k.document())
	}
	for _, x := range r.Indexes {
		d.Indexes = append(d.Indexes, x.document())
	}
	for _, p := range r.Policies {
		d.Policies = append(d.Policies, p.document())
	}
	slices.SortFunc(d.Constraints, func(a, b DocConstraint) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Indexes, func(a, b DocIndex) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Policies, func(a, b DocPolicy) int { return strings.Compare(a.Name, b.Name) })
	d.Triggers = append(d.Triggers, r.Triggers...)
	slices.Sort(d.Triggers)
	return d
}

func (k *Constraint) document() DocConstraint {
	d := DocConstraint{
		Name: k.Name, Kind: k.Kind, Columns: append([]string{}, k.Columns...),
		RefColumns: append([]string{}, k.RefColumns...), OnDelete: k.OnDelete, Validated: k.Validated,
	}
	if k.Kind == ForeignKey {
		d.References = new(k.References.String())
	}
	return d
}

func (x *Index) document() DocIndex {
	d := DocIndex{
		Name: x.Name, Method: x.Method, Unique: x.Unique, Valid: x.Valid, Keys: []string{},
		Include: append([]string{}, x.Include...),
	}
	for _, k := range x.Keys {
		d.Keys = append(d.Keys, k.String())
	}
	if x.Predicate != "" {
		d.Predicate = new(x.Predicate)
	}
	return d
}

func (p *Policy) document() DocPolicy {
	d := DocPolicy{Name: p.Name, Command: p.Command, Permissive: p.Permissive, Roles: append([]string{}, p.Roles...)}
	if p.HasUsing {
		d.Using = new(p.Using)
	}
	if p.HasCheck {
		d.Check = new(p.Check)
	}
	return d
}

func (f *Function) document() DocFunction {
	d := DocFunction{
		Schema: f.Schema, Name: f.Name.Name, Arguments: strings.Join(f.Args, ", "), Kind: f.Kind,
		Language: f.Language, Volatility: f.Volatility, SecurityDefiner: f.SecurityDefiner, Leakproof: f.Leakproof,
	}
	if f.HasSearchPath {
		d.SearchPath = new(f.SearchPath)
	}
	return d
}
