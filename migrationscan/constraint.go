package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// newConstraint adds one constraint to a table and to what inherits it.
func (r *replayer) newConstraint(rel *catalog.Relation, k pgast.Constraint) error {
	if k.Name != "" {
		k.Name = truncated(k.Name)
		if rel.Constraint(k.Name) != nil {
			return fail("constraint %s of %s already exists", k.Name, rel.Name)
		}
	}
	switch k.Kind {
	case pgast.ConCheck:
		return r.newCheck(rel, k)
	case pgast.ConForeignKey:
		return r.newForeignKey(rel, k)
	case pgast.ConNotNull: // one of the table, of PostgreSQL 18; before it is validated it says nothing
		if c := missing(rel, k.Columns); c != "" {
			return fail("constraint of %s names column %s, which does not exist", rel.Name, c)
		}
		if !k.NotValid {
			r.notNull(rel, truncateAll(k.Columns))
		}
	case pgast.ConPrimaryKey, pgast.ConUnique, pgast.ConExclusion:
		if k.UsingIndex != "" {
			return r.keyFromIndex(rel, k)
		}
		return r.newKey(rel, k)
	}
	return nil
}

func (r *replayer) newCheck(rel *catalog.Relation, k pgast.Constraint) error {
	u := r.usesOf(rel, k.Expr)
	columns := columnsInOrder(rel, k.Expr)
	name := k.Name
	if name == "" {
		column := ""
		if len(columns) == 1 {
			column = columns[0]
		}
		name = r.constraintName(rel, column, "check")
	}
	c := &catalog.Constraint{
		Name: name, Kind: catalog.Check, Columns: columns, Expr: r.normal(k.Expr, rel),
		Validated: !k.NotValid && !k.NotEnforced, NotEnforced: k.NotEnforced, Location: r.place(int(k.At)),
	}
	r.addConstraint(rel, c)
	u.owner = rel
	r.uses[c] = u
	for _, kid := range r.children[rel.Name] {
		if kid.Constraint(name) == nil {
			k.Name = name
			_ = r.newCheck(kid, k)
		}
	}
	return nil
}

// columnsInOrder are the columns that a check names, in the order in which it does.
func columnsInOrder(rel *catalog.Relation, e pgast.Expr) []string {
	var out []string
	pgast.Walk(e, func(n pgast.Node) bool {
		if c, ok := n.(*pgast.ColumnRef); ok && len(c.Names) > 0 {
			if name := c.Names[len(c.Names)-1]; rel.Column(name) != nil && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return true
	})
	return out
}

// missing names the first column that a table lacks.
func missing(rel *catalog.Relation, columns []string) string {
	if rel.Stub {
		return ""
	}
	for _, c := range columns {
		if rel.Column(truncated(c)) == nil {
			return c
		}
	}
	return ""
}

func (r *replayer) newForeignKey(rel *catalog.Relation, k pgast.Constraint) error {
	if c := missing(rel, k.Columns); c != "" {
		return fail("foreign key of %s names column %s, which does not exist", rel.Name, c)
	}
	ref := r.resolve(k.Ref)
	if ref == nil && rel.Name.Name == k.Ref.Name && (k.Ref.Schema == "" || k.Ref.Schema == rel.Schema) {
		ref = rel
	}
	if ref == nil {
		if ref = r.relation(k.Ref); ref == nil {
			return fail("foreign key of %s refers to %s, which does not exist", rel.Name, k.Ref.Name)
		}
	}
	refColumns := k.RefColumns
	if len(refColumns) == 0 {
		for _, c := range ref.Constraints {
			if c.Kind == catalog.PrimaryKey {
				refColumns = c.Columns
			}
		}
	} else if c := missing(ref, refColumns); c != "" {
		return fail("foreign key of %s refers to column %s of %s, which does not exist", rel.Name, c, ref.Name)
	}
	name := k.Name
	if name == "" {
		name = r.constraintName(rel, joinedColumns(k.Columns), "fkey")
	}
	r.addConstraint(rel, &catalog.Constraint{
		Name: name, Kind: catalog.ForeignKey, Columns: truncateAll(k.Columns), References: ref.Name, RefColumns: truncateAll(refColumns),
		OnDelete: k.OnDelete, Validated: !k.NotValid && !k.NotEnforced, NotEnforced: k.NotEnforced, Location: r.place(int(k.At)),
	})
	for _, kid := range r.partitions(rel) {
		k.Name, k.RefColumns = name, refColumns
		if kid.Constraint(name) != nil {
			k.Name = ""
		}
		_ = r.newForeignKey(kid, k)
	}
	return nil
}

func truncateAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = truncated(n)
	}
	return out
}

// newKey adds a primary key, a unique or an exclusion constraint with its index.
func (r *replayer) newKey(rel *catalog.Relation, k pgast.Constraint) error {
	k.Columns = truncateAll(k.Columns)
	if c := missing(rel, k.Columns); c != "" {
		return fail("key of %s names column %s, which does not exist", rel.Name, c)
	}
	x := &catalog.Index{
		Method: "btree", Unique: k.Kind != pgast.ConExclusion, Valid: true, Constraint: true, Include: k.Include,
		NullsNotDistinct: k.Kind == pgast.ConUnique && !k.NullsDistinct, Location: r.place(int(k.At)),
	}
	if k.Temporal { // WITHOUT OVERLAPS is kept by a gist index
		x.Method = "gist"
	}
	elems := k.Elems
	kind := catalog.Exclusion
	switch k.Kind {
	case pgast.ConPrimaryKey:
		kind = catalog.PrimaryKey
		if i := slices.IndexFunc(rel.Constraints, func(c *catalog.Constraint) bool { return c.Kind == catalog.PrimaryKey }); i >= 0 {
			return fail("%s has a primary key already", rel.Name)
		}
		r.notNull(rel, k.Columns)
	case pgast.ConUnique:
		kind = catalog.Unique
	default:
		if k.Method != "" {
			x.Method = k.Method
		}
	}
	for _, c := range k.Columns {
		elems = append(elems, pgast.IndexElem{At: -1, Column: c})
	}
	r.indexKeys(rel, x, elems)
	if k.Where != nil {
		x.Predicate = r.normal(k.Where, rel)
	}
	x.Name = k.Name
	if x.Name == "" {
		x.Name = r.indexName(rel, indexColumns(elems, k.Include), kind == catalog.PrimaryKey, kind == catalog.Unique, kind == catalog.Exclusion)
	} else if r.nameTaken(rel.Schema, x.Name) {
		return fail("relation %s already exists", in(rel, x.Name))
	}
	var columns []string
	for _, key := range x.Keys {
		if key.Column != "" {
			columns = append(columns, key.Column)
		}
	}
	r.addIndex(rel, x)
	r.noteIndex(x, rel, elems, k.Where)
	r.addConstraint(rel, &catalog.Constraint{
		Name: x.Name, Kind: kind, Columns: columns, Validated: true, Location: x.Location,
	})
	r.spreadIndex(rel, x)
	return nil
}

// notNull sets columns NOT NULL in a table and in what inherits from it.
func (r *replayer) notNull(rel *catalog.Relation, columns []string) {
	for _, n := range columns {
		if c := rel.Column(n); c != nil {
			c.NotNull = true
		}
	}
	for _, kid := range r.children[rel.Name] {
		r.notNull(kid, columns)
	}
}

// keyFromIndex is ADD CONSTRAINT … USING INDEX: the index takes the constraint's
// name.
func (r *replayer) keyFromIndex(rel *catalog.Relation, k pgast.Constraint) error {
	x := rel.Index(k.UsingIndex)
	if x == nil {
		return fail("index %s of %s does not exist", k.UsingIndex, rel.Name)
	}
	name := k.Name
	if name == "" {
		name = x.Name
	}
	if name != x.Name {
		r.renameIndex(rel, x, name)
	}
	x.Constraint = true
	var columns []string
	for _, key := range x.Keys {
		columns = append(columns, key.Column)
	}
	kind := catalog.Unique
	if k.Kind == pgast.ConPrimaryKey {
		kind = catalog.PrimaryKey
		r.notNull(rel, columns)
	}
	r.addConstraint(rel, &catalog.Constraint{Name: name, Kind: kind, Columns: columns, Validated: true, Location: r.place(int(k.At))})
	return nil
}

// dropConstraint takes a constraint and its index away. Foreign keys on a key go
// with CASCADE, and hold it without.
func (r *replayer) dropConstraint(rel *catalog.Relation, name string, cascade bool) error {
	c := rel.Constraint(name)
	if c == nil {
		return fail("constraint %s of %s does not exist", name, rel.Name)
	}
	if c.Kind == catalog.PrimaryKey || c.Kind == catalog.Unique {
		for _, fk := range r.foreignKeysOn(rel) {
			if !slices.Equal(sortedCopy(fk.c.RefColumns), sortedCopy(c.Columns)) || r.otherKey(rel, c) {
				continue
			}
			if !cascade {
				return fail("constraint %s of %s is needed by foreign key %s of %s", name, rel.Name, fk.c.Name, fk.rel.Name)
			}
			r.dropConstraintEntry(fk.rel, fk.c.Name)
		}
	}
	if x := rel.Index(name); x != nil && x.Constraint {
		r.removeIndex(rel, x)
	}
	r.dropConstraintEntry(rel, name)
	if c.Kind == catalog.Check || c.Kind == catalog.ForeignKey {
		for _, kid := range r.children[rel.Name] {
			if k := kid.Constraint(name); k != nil && k.Kind == c.Kind && (c.Kind == catalog.Check || kid.PartitionOf == rel.Name) {
				_ = r.dropConstraint(kid, name, cascade)
			}
		}
	}
	return nil
}

// otherKey reports whether another unique key has the same columns.
func (r *replayer) otherKey(rel *catalog.Relation, c *catalog.Constraint) bool {
	for _, o := range rel.Constraints {
		if o != c && (o.Kind == catalog.PrimaryKey || o.Kind == catalog.Unique) && slices.Equal(sortedCopy(o.Columns), sortedCopy(c.Columns)) {
			return true
		}
	}
	return false
}

func sortedCopy(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// foreignKey is a foreign key with its table.
type foreignKey struct {
	rel *catalog.Relation
	c   *catalog.Constraint
}

// foreignKeysOn are the foreign keys that refer to a table.
func (r *replayer) foreignKeysOn(ref *catalog.Relation) []foreignKey {
	var out []foreignKey
	for _, rel := range r.cat.Relations() {
		for _, c := range rel.Constraints {
			if c.Kind == catalog.ForeignKey && c.References == ref.Name {
				out = append(out, foreignKey{rel, c})
			}
		}
	}
	return out
}
