package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) createIndex(s *pgast.CreateIndex) error {
	rel := r.relation(s.Table)
	if rel == nil {
		return fail("table %s of the index does not exist", s.Table.Name)
	}
	name := truncated(s.Name)
	if name != "" && r.nameTaken(rel.Schema, name) {
		if s.IfNotExists {
			return nil
		}
		return fail("relation %s already exists", in(rel, name))
	}
	for _, k := range s.Keys {
		if k.Column != "" && missing(rel, []string{k.Column}) != "" {
			return fail("index %s names column %s, which %s lacks", name, k.Column, rel.Name)
		}
	}
	if c := missing(rel, s.Include); c != "" {
		return fail("index %s includes column %s, which %s lacks", name, c, rel.Name)
	}
	if name == "" {
		name = r.indexName(rel, indexColumns(s.Keys, s.Include), false, false, false)
	}
	partitioned := rel.Kind == catalog.PartitionedTable
	x := &catalog.Index{
		Name: name, Method: s.Method, Unique: s.Unique, Valid: true, Include: truncateAll(s.Include),
		NullsNotDistinct: s.Unique && !s.NullsDistinct, Location: r.place(int(s.At)),
	}
	if x.Method == "" {
		x.Method = "btree"
	}
	if len(x.Include) == 0 {
		x.Include = nil
	}
	r.indexKeys(rel, x, s.Keys)
	if s.Where != nil {
		x.Predicate = r.normal(s.Where, rel)
	}
	r.addIndex(rel, x)
	r.noteIndex(x, rel, s.Keys, s.Where)
	switch {
	case !partitioned:
	case s.Only:
		// It stays invalid until each partition has one attached.
		x.Valid = len(r.partitions(rel)) == 0
		x.ParentOnly = !x.Valid
	default:
		r.spreadIndex(rel, x)
	}
	return nil
}

// indexKeys fills the keys; (column) and a collation in an expression are plain.
func (r *replayer) indexKeys(rel *catalog.Relation, x *catalog.Index, elems []pgast.IndexElem) {
	for _, e := range elems {
		key := catalog.IndexKey{Column: truncated(e.Column), Desc: e.Desc, NullsFirst: e.NullsFirst}
		collation := e.Collation
		if e.Column == "" {
			expr := e.Expr
			if c, ok := expr.(*pgast.Collate); ok {
				expr, collation = c.Arg, c.Name
			}
			if c, ok := expr.(*pgast.ColumnRef); ok && len(c.Names) == 1 && !c.Star {
				key.Column = c.Names[0]
			} else {
				key.Expr = r.normal(expr, rel)
			}
		}
		typ := ""
		if c := rel.Column(key.Column); key.Column != "" && c != nil {
			typ = c.Type
			if len(collation) > 0 && collation[len(collation)-1] == c.Collation {
				collation = nil
			}
		}
		if len(collation) > 0 && collation[len(collation)-1] != "default" {
			key.Collation = collation[len(collation)-1]
		}
		if len(e.OpClass) > 0 {
			if class := e.OpClass[len(e.OpClass)-1]; !defaultClass(x.Method, typ, class) {
				key.OpClass = class
			}
		}
		x.Keys = append(x.Keys, key)
	}
}

// classTypes are the built-in operator classes that are their types' defaults, by
// the printed type without modifiers.
var classTypes = map[string]string{
	"int2_ops": "smallint", "int4_ops": "integer", "int8_ops": "bigint", "float4_ops": "real",
	"float8_ops": "double precision", "numeric_ops": "numeric", "text_ops": "text", "bpchar_ops": "character",
	"bool_ops": "boolean", "uuid_ops": "uuid", "date_ops": "date", "time_ops": "time without time zone",
	"timetz_ops": "time with time zone", "timestamp_ops": "timestamp without time zone",
	"timestamptz_ops": "timestamp with time zone", "interval_ops": "interval", "bytea_ops": "bytea", "name_ops": "name",
	"char_ops": `"char"`, "oid_ops": "oid", "money_ops": "money", "bit_ops": "bit", "varbit_ops": "bit varying",
	"macaddr_ops": "macaddr", "macaddr8_ops": "macaddr8", "jsonb_ops": "jsonb", "tsvector_ops": "tsvector",
	"tsquery_ops": "tsquery", "point_ops": "point", "box_ops": "box", "poly_ops": "polygon", "circle_ops": "circle",
	"xid8_ops": "xid8", "pg_lsn_ops": "pg_lsn", "citext_ops": "citext", "ltree_ops": "ltree",
}

// defaultClass reports whether an operator class is the one that the type gets
// anyway. An unknown type (an expression's) takes the class's own.
func defaultClass(method, typ, class string) bool {
	typ = withoutMods(typ)
	if method == "brin" {
		class = strings.Replace(class, "_minmax_ops", "_ops", 1)
	}
	array := strings.HasSuffix(typ, "[]")
	switch class {
	case "array_ops":
		return array || typ == ""
	case "range_ops":
		return strings.HasSuffix(typ, "range") || typ == ""
	case "inet_ops":
		return (typ == "inet" || typ == "cidr") && (method == "btree" || method == "hash" || method == "brin")
	case "enum_ops", "record_ops":
		return true
	case "text_ops":
		return typ == "text" || typ == "character varying" || typ == ""
	case "bit_ops":
		return typ == "bit"
	}
	want, known := classTypes[class]
	return known && !array && (typ == want || typ == "")
}

// partitions are the direct partitions of a relation.
func (r *replayer) partitions(rel *catalog.Relation) []*catalog.Relation {
	var out []*catalog.Relation
	for _, k := range r.children[rel.Name] {
		if k.PartitionOf == rel.Name {
			out = append(out, k)
		}
	}
	return out
}

// spreadIndex gives each partition its part of an index of the parent.
func (r *replayer) spreadIndex(rel *catalog.Relation, x *catalog.Index) {
	for _, kid := range r.partitions(rel) {
		r.partitionIndex(kid, x, rel)
	}
}

// partitionIndex attaches an equal index of the partition, or makes one.
func (r *replayer) partitionIndex(kid *catalog.Relation, x *catalog.Index, parent *catalog.Relation) {
	for _, y := range kid.Indexes {
		if r.indexParent[y] == nil && sameIndex(x, y) && (!x.Constraint || y.Constraint) {
			r.indexParent[y] = x
			r.spreadIndex(kid, y)
			return
		}
	}
	y := r.cloneIndex(x, parent, kid)
	r.indexParent[y] = x
	r.spreadIndex(kid, y)
}

// sameIndex compares definitions, names left aside.
func sameIndex(a, b *catalog.Index) bool {
	return a.Method == b.Method && a.Unique == b.Unique && a.Predicate == b.Predicate && slices.Equal(a.Keys, b.Keys) &&
		slices.Equal(a.Include, b.Include) && a.NullsNotDistinct == b.NullsNotDistinct
}

// cloneIndex copies an index to another table, with its constraint, under the
// name that the server makes up.
func (r *replayer) cloneIndex(x *catalog.Index, from, to *catalog.Relation) *catalog.Index {
	y := *x
	y.Keys, y.Include, y.ParentOnly, y.Valid = slices.Clone(x.Keys), slices.Clone(x.Include), false, true
	var of *catalog.Constraint
	if x.Constraint {
		of = from.Constraint(x.Name)
	}
	kind := catalog.ConstraintKind("")
	if of != nil {
		kind = of.Kind
	}
	y.Name = r.indexName(to, r.attributes[x], kind == catalog.PrimaryKey, kind == catalog.Unique, kind == catalog.Exclusion)
	r.addIndex(to, &y)
	r.attributes[&y] = r.attributes[x]
	r.copyUses(&y, x, to)
	if of != nil {
		c := *of
		c.Name, c.Columns = y.Name, slices.Clone(of.Columns)
		r.addConstraint(to, &c)
		if kind == catalog.PrimaryKey {
			r.notNull(to, c.Columns)
		}
	}
	return &y
}

// likeIndexes does what LIKE adds after the table stands: checks and indexes.
func (r *replayer) likeIndexes(rel *catalog.Relation, l likeSource) {
	if l.like.Constraints {
		for _, c := range l.from.Constraints {
			if c.Kind == catalog.Check && rel.Constraint(c.Name) == nil {
				k := *c
				r.addConstraint(rel, &k)
				r.copyUses(&k, c, rel)
			}
		}
	}
	if !l.like.Indexes {
		return
	}
	for _, x := range slices.Clone(l.from.Indexes) {
		r.cloneIndex(x, l.from, rel)
	}
}

// like adds the columns of a LIKE source.
func (b *tableBuilder) like(l pgast.Like) {
	from := b.r.relation(l.Source)
	if from == nil {
		return
	}
	for _, c := range from.Columns {
		k := catalog.Column{
			Name: c.Name, Type: c.Type, TypeName: c.TypeName, NotNull: c.NotNull, Collation: c.Collation,
			Location: b.r.place(int(l.At)),
		}
		if c.HasDefault && (l.Defaults && !c.Generated || l.Generated && c.Generated) {
			k.HasDefault, k.Default, k.Generated, k.Virtual = true, c.Default, c.Generated, c.Virtual
		}
		if l.Identity {
			k.Identity = c.Identity
		}
		b.rel.Columns = append(b.rel.Columns, &k)
	}
	b.likes = append(b.likes, likeSource{from, l})
}

// becomePartition takes over what the parent has: indexes with their keys, and
// foreign keys.
func (r *replayer) becomePartition(parent, rel *catalog.Relation) {
	for _, x := range slices.Clone(parent.Indexes) {
		r.partitionIndex(rel, x, parent)
	}
	for _, c := range parent.Constraints {
		if c.Kind != catalog.ForeignKey || hasForeignKey(rel, c) {
			continue
		}
		k := *c
		if rel.Constraint(c.Name) != nil {
			k.Name = r.constraintName(rel, joinedColumns(c.Columns), "fkey")
		}
		r.addConstraint(rel, &k)
	}
	for _, t := range parent.Triggers {
		if !slices.Contains(rel.Triggers, t) {
			rel.Triggers = append(rel.Triggers, t)
			r.triggers[trigger{rel.Name, t}] = r.triggers[trigger{parent.Name, t}]
		}
	}
}

func hasForeignKey(rel *catalog.Relation, c *catalog.Constraint) bool {
	return slices.ContainsFunc(rel.Constraints, func(d *catalog.Constraint) bool {
		return d.Kind == catalog.ForeignKey && d.References == c.References && slices.Equal(d.Columns, c.Columns)
	})
}
