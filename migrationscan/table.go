package migrationscan

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// createTable applies CREATE TABLE in the server's order: columns of parents, own
// columns and LIKE in their order, checks, keys (the primary one first), foreign
// keys, then what a partition takes from its parent.
func (r *replayer) createTable(s *pgast.CreateTable) error {
	name, err := r.creation(s.Table)
	if err != nil {
		return err
	}
	if s.Temp {
		name.Schema = tempSchema
	}
	old := r.cat.Relation(name.Schema, name.Name)
	if r.nameTaken(name.Schema, name.Name) {
		if s.IfNotExists {
			return nil
		}
		return fail("relation %s already exists", name)
	}
	rel := &catalog.Relation{Name: name, Kind: catalog.Table, Location: r.place(int(s.At)), Platform: r.platform}
	if s.Foreign {
		rel.Kind = catalog.ForeignTable
	}
	b := &tableBuilder{r: r, rel: rel}
	if err := b.parents(s); err != nil {
		return err
	}
	if err := b.elements(s); err != nil {
		return err
	}
	r.partitionKeys(rel, s.PartitionBy)
	r.cat.AddRelation(rel)
	if old != nil {
		r.adoptStub(old, rel)
	}
	for _, p := range b.inherited {
		r.children[p.Name] = append(r.children[p.Name], rel)
	}
	for _, l := range b.likes {
		r.likeIndexes(rel, l)
	}
	b.constraints(s.Constraints)
	if rel.PartitionOf != (catalog.Name{}) {
		r.becomePartition(b.inherited[0], rel)
	}
	return nil
}

// adoptStub hands what was put on a stub to the table that is created after all.
func (r *replayer) adoptStub(old, rel *catalog.Relation) {
	rel.Policies, rel.Triggers = old.Policies, old.Triggers
	rel.RLSEnabled, rel.RLSForced, rel.RLSLocation = old.RLSEnabled, old.RLSForced, old.RLSLocation
	for _, x := range old.Indexes {
		delete(r.indexes, in(old, x.Name))
		r.addIndex(rel, x)
	}
	for _, u := range r.uses {
		if u.owner == old {
			u.owner = rel
		}
	}
}

func (r *replayer) partitionKeys(rel *catalog.Relation, p *pgast.PartitionBy) {
	if p == nil {
		return
	}
	rel.Kind, rel.PartitionStrategy = catalog.PartitionedTable, p.Strategy
	for _, k := range p.Keys {
		if k.Column != "" {
			rel.PartitionKeys = append(rel.PartitionKeys, k.Column)
		} else {
			rel.PartitionKeys = append(rel.PartitionKeys, r.normal(k.Expr, rel))
		}
	}
}

// tableBuilder gathers the parts of one CREATE TABLE.
type tableBuilder struct {
	r   *replayer
	rel *catalog.Relation
	// inherited are the parents, by INHERITS or PARTITION OF.
	inherited []*catalog.Relation
	likes     []likeSource
	// pending are the column constraints that become constraints of the table.
	pending []pgast.Constraint
}

type likeSource struct {
	from *catalog.Relation
	like pgast.Like
}

func (b *tableBuilder) parents(s *pgast.CreateTable) error {
	names := s.Inherits
	if s.PartitionOf != nil {
		names = []pgast.Name{*s.PartitionOf}
	}
	for _, n := range names {
		p := b.r.relation(n)
		if p == nil {
			return fail("parent %s of %s does not exist", n.Name, b.rel.Name)
		}
		b.inherited = append(b.inherited, p)
		for _, c := range p.Columns {
			if own := b.rel.Column(c.Name); own != nil {
				own.NotNull = own.NotNull || c.NotNull
				continue
			}
			k := *c
			k.Identity = ""
			b.rel.Columns = append(b.rel.Columns, &k)
		}
	}
	switch {
	case s.PartitionOf != nil:
		b.rel.PartitionOf, b.rel.PartitionBound = b.inherited[0].Name, s.Bound
	default:
		for _, p := range b.inherited {
			b.rel.Inherits = append(b.rel.Inherits, p.Name)
		}
	}
	if s.OfType != nil {
		if t := b.r.cat.ResolveType(s.OfType.Schema, s.OfType.Name, b.r.lookupPath()); t != nil {
			for _, c := range t.Columns {
				k := *c
				b.rel.Columns = append(b.rel.Columns, &k)
			}
		}
	}
	return nil
}

// elements adds columns and LIKE clauses in the order in which they are written.
func (b *tableBuilder) elements(s *pgast.CreateTable) error {
	type element struct {
		at   int
		col  *pgast.ColumnDef
		like *pgast.Like
	}
	var es []element
	for i := range s.Columns {
		es = append(es, element{int(s.Columns[i].At), &s.Columns[i], nil})
	}
	for i := range s.Like {
		es = append(es, element{int(s.Like[i].At), nil, &s.Like[i]})
	}
	if len(s.Like) > 0 {
		slices.SortStableFunc(es, func(x, y element) int { return cmp.Compare(x.at, y.at) })
	}
	for _, e := range es {
		if e.like != nil {
			b.like(*e.like)
			continue
		}
		if err := b.column(e.col); err != nil {
			return err
		}
	}
	return nil
}

// column adds one column, or merges it with the inherited one of that name.
func (b *tableBuilder) column(d *pgast.ColumnDef) error {
	c, pending := b.r.column(b.rel, d)
	b.pending = append(b.pending, pending...)
	if own := b.rel.Column(c.Name); own != nil {
		if len(b.inherited) == 0 && len(b.rel.Inherits) == 0 {
			return fail("column %s of %s is given twice", c.Name, b.rel.Name)
		}
		own.NotNull = own.NotNull || c.NotNull
		if c.HasDefault {
			own.HasDefault, own.Default = true, c.Default
		}
		own.Location = c.Location
		return nil
	}
	b.rel.Columns = append(b.rel.Columns, c)
	return nil
}

// column builds a column; pending are its constraints other than attributes.
func (r *replayer) column(rel *catalog.Relation, d *pgast.ColumnDef) (c *catalog.Column, pending []pgast.Constraint) {
	p := r.printType(d.Type, true)
	c = &catalog.Column{Name: truncated(d.Name), Type: p.text, TypeName: p.name, Location: r.place(int(d.At))}
	if len(d.Collation) > 0 {
		c.Collation = d.Collation[len(d.Collation)-1]
	}
	if p.serial {
		c.NotNull = true
		r.ownSequence(rel, c)
	}
	if t := r.cat.Type(p.name.Schema, p.name.Name); t != nil && t.Kind == "domain" && len(d.Type.Names) > 0 && d.Type.ArrayDims == 0 {
		// A domain's default and NOT NULL are not the column's.
		c.TypeName = t.Name
	}
	for _, k := range d.Constraints {
		switch k.Kind {
		case pgast.ConNotNull:
			c.NotNull = true
		case pgast.ConNull:
		case pgast.ConDefault:
			r.setDefault(rel, c, k.Expr)
		case pgast.ConIdentity:
			c.Identity, c.NotNull = k.Identity, true
			r.addSequence(rel, c)
		case pgast.ConGenerated:
			c.Generated, c.Virtual = true, k.Virtual
			r.setDefault(rel, c, k.Expr)
		default:
			if len(k.Columns) == 0 && k.Kind != pgast.ConCheck {
				k.Columns = []string{c.Name}
			}
			pending = append(pending, k)
		}
	}
	return c, pending
}

// setDefault sets a column's default; DEFAULT NULL is none, unless a coercion to
// the column's type or length stands around it.
func (r *replayer) setDefault(rel *catalog.Relation, c *catalog.Column, e pgast.Expr) {
	inner, same := e, withoutMods(c.Type) == c.Type
	if cast, ok := e.(*pgast.Cast); ok {
		inner = cast.Arg
		same = same && r.printType(cast.Type, true).text == c.Type
	}
	if k, ok := inner.(*pgast.Const); e == nil || ok && k.Kind == pgast.ConstNull && same {
		c.HasDefault, c.Default = false, ""
		delete(r.uses, c)
		return
	}
	c.HasDefault = true
	c.Default = pgast.NormalDefault(e, r.selfEnv(rel), pgast.Name{Schema: rel.Schema, Name: rel.Name.Name}, c.Type)
	r.note(c, rel, e)
}

// ownSequence gives a serial column its sequence and default.
func (r *replayer) ownSequence(rel *catalog.Relation, c *catalog.Column) {
	n := r.addSequence(rel, c)
	c.HasDefault, c.Default = true, "nextval("+quoteLiteral(quoteIdent(n.Schema)+"."+quoteIdent(n.Name))+")"
}

func (r *replayer) addSequence(rel *catalog.Relation, c *catalog.Column) catalog.Name {
	n := in(rel, freeName(rel.Name.Name, c.Name, "seq", func(s string) bool { return r.nameTaken(rel.Schema, s) }))
	r.sequences[n] = sequence{rel.Name, c.Name}
	return n
}

// constraintOrder is the order in which the server makes the constraints of a
// statement.
var constraintOrder = [][]pgast.ConstraintKind{
	{pgast.ConCheck}, {pgast.ConPrimaryKey}, {pgast.ConUnique, pgast.ConExclusion}, {pgast.ConForeignKey},
}

// constraints adds the constraints of a CREATE TABLE: checks, then keys, then
// foreign keys. Keys that are written twice are one.
func (b *tableBuilder) constraints(table []pgast.Constraint) {
	for _, p := range b.inherited {
		for _, c := range p.Constraints {
			if c.Kind == catalog.Check && b.rel.Constraint(c.Name) == nil {
				k := *c
				b.r.addConstraint(b.rel, &k)
				b.r.copyUses(&k, c, b.rel)
			}
		}
	}
	all := mergeKeys(slices.Concat(b.pending, table))
	for _, kinds := range constraintOrder {
		for _, k := range all {
			if !slices.Contains(kinds, k.Kind) {
				continue
			}
			if err := b.r.newConstraint(b.rel, k); err != nil && !b.r.quiet && !b.r.platform {
				b.r.res.NotApplied = append(b.r.res.NotApplied, b.r.problem(int(k.At), err.Error()))
			}
		}
	}
}

// mergeKeys drops keys that the server makes one of: a UNIQUE over the columns of
// the primary key, or of a UNIQUE before it. The one that is kept takes the name
// of the other where it has none.
func mergeKeys(all []pgast.Constraint) []pgast.Constraint {
	var out []pgast.Constraint
	for _, k := range all {
		if k.Kind == pgast.ConPrimaryKey {
			out = append(out, k)
		}
	}
	for _, k := range all {
		if k.Kind == pgast.ConPrimaryKey {
			continue
		}
		i := -1
		if k.Kind == pgast.ConUnique && k.UsingIndex == "" {
			i = slices.IndexFunc(out, func(o pgast.Constraint) bool { return sameKey(o, k) })
		}
		if i < 0 {
			out = append(out, k)
		} else if out[i].Name == "" {
			out[i].Name = k.Name
		}
	}
	return out
}

func sameKey(a, b pgast.Constraint) bool {
	return (a.Kind == pgast.ConPrimaryKey || a.Kind == pgast.ConUnique && a.NullsDistinct == b.NullsDistinct) &&
		slices.Equal(a.Columns, b.Columns) && slices.Equal(a.Include, b.Include) && a.Deferrable == b.Deferrable
}
