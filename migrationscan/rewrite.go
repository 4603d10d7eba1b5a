package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// text is a place in the catalog that holds SQL in normal form.
type text struct {
	at *string
	// node is the text's tree, read before the catalog changes.
	node pgast.Node
}

// affectedTexts are the texts of one holder.
type affectedTexts struct {
	holder any
	owner  *catalog.Relation
	texts  []text
}

// affected reads the texts whose uses match, while the names still mean what they
// meant when they were written.
func (r *replayer) affected(match func(*uses) bool) []affectedTexts {
	var out []affectedTexts
	for holder, u := range r.uses {
		if !match(u) {
			continue
		}
		a := affectedTexts{holder: holder, owner: u.owner}
		for _, s := range textsOf(holder) {
			if *s == "" {
				continue
			}
			t := text{at: s}
			if _, view := holder.(*catalog.Relation); view {
				if st, err := pgast.Parse(*s); err == nil {
					t.node = st
				}
			} else if e, err := pgast.ParseExpr(*s); err == nil {
				t.node = e
			}
			if t.node != nil {
				a.texts = append(a.texts, t)
			}
		}
		out = append(out, a)
	}
	return out
}

// textsOf lists the SQL texts that a holder has.
func textsOf(holder any) []*string {
	switch h := holder.(type) {
	case *catalog.Policy:
		return []*string{&h.Using, &h.Check}
	case *catalog.Constraint:
		return []*string{&h.Expr}
	case *catalog.Column:
		return []*string{&h.Default}
	case *catalog.Relation:
		return []*string{&h.Query}
	case *catalog.Index:
		out := []*string{&h.Predicate}
		for i := range h.Keys {
			out = append(out, &h.Keys[i].Expr)
		}
		return out
	}
	return nil
}

// put writes the trees back in the catalog's present names.
func (r *replayer) put(a affectedTexts) {
	var nodes []pgast.Node
	path := r.path
	// The texts are qualified, but for what the default path shows.
	r.path = []string{"public"}
	for _, t := range a.texts {
		switch n := t.node.(type) {
		case pgast.Stmt:
			*t.at = pgast.NormalStmt(n, r.env())
		case pgast.Expr:
			*t.at = r.normal(n, a.owner)
		}
		nodes = append(nodes, t.node)
	}
	self := a.owner
	if _, view := a.holder.(*catalog.Relation); view {
		self = nil
	}
	u := r.usesOf(self, nodes...)
	u.owner = a.owner
	r.uses[a.holder] = u
	r.path = path
}

// edit applies v to the trees of a.
func (r *replayer) edit(a affectedTexts, v refs) {
	v.r = r
	self := a.owner
	if _, view := a.holder.(*catalog.Relation); view {
		self = nil
	}
	for _, t := range a.texts {
		v.walk(t.node, self)
	}
}

// renameColumn renames a column in its table, in what inherits from it, and
// wherever it is named.
func (r *replayer) renameColumn(rel *catalog.Relation, from, to string) error {
	from, to = truncated(from), truncated(to)
	c := rel.Column(from)
	switch {
	case c == nil && rel.Stub:
		return nil
	case c == nil:
		return fail("column %s of %s does not exist", from, rel.Name)
	case rel.Column(to) != nil:
		return fail("column %s of %s already exists", to, rel.Name)
	}
	touched := r.affected(func(u *uses) bool { return u.columns[rel.Name][from] })
	var edits []*pgast.ColumnRef
	for _, a := range touched {
		r.edit(a, refs{column: func(ref *pgast.ColumnRef, of *catalog.Relation) {
			if of == rel && !ref.Star && ref.Names[len(ref.Names)-1] == from {
				edits = append(edits, ref)
			}
		}})
	}
	c.Name = to
	for _, ref := range edits {
		ref.Names[len(ref.Names)-1] = to
	}
	swap := func(names []string) {
		for i := range names {
			if names[i] == from {
				names[i] = to
			}
		}
	}
	for _, k := range rel.Constraints {
		swap(k.Columns)
	}
	for _, x := range rel.Indexes {
		swap(x.Include)
		for i := range x.Keys {
			if x.Keys[i].Column == from {
				x.Keys[i].Column = to
			}
		}
	}
	swap(rel.PartitionKeys)
	for _, fk := range r.foreignKeysOn(rel) {
		swap(fk.c.RefColumns)
	}
	for n, s := range r.sequences {
		if s.table == rel.Name && s.column == from {
			r.sequences[n] = sequence{s.table, to}
		}
	}
	for _, a := range touched {
		r.put(a)
	}
	for _, kid := range r.children[rel.Name] {
		_ = r.renameColumn(kid, from, to)
	}
	return nil
}

// moveRelation gives a relation another name or schema.
func (r *replayer) moveRelation(rel *catalog.Relation, to catalog.Name) {
	from := rel.Name
	touched := r.affected(func(u *uses) bool { return u.relations[from] || u.owner == rel || u.columns[from] != nil })
	var tables []*pgast.Table
	var columns []*pgast.ColumnRef
	for _, a := range touched {
		r.edit(a, refs{
			table: func(t *pgast.Table, of *catalog.Relation) {
				if of == rel {
					tables = append(tables, t)
				}
			},
			column: func(c *pgast.ColumnRef, of *catalog.Relation) {
				if of == rel && len(c.Names) > 1 {
					columns = append(columns, c)
				}
			},
		})
	}
	for _, c := range columns {
		q := len(c.Names) - 2
		if c.Star {
			q = len(c.Names) - 1
		}
		if c.Names[q] == from.Name {
			c.Names[q] = to.Name
		}
	}
	for _, t := range tables {
		t.Name = to.Name
		if t.Schema != "" || to.Schema != from.Schema {
			t.Schema = to.Schema
		}
	}
	r.rehome(rel, to)
	for _, a := range touched {
		r.put(a)
	}
}

// rehome moves the entries of the name spaces and what refers by name.
func (r *replayer) rehome(rel *catalog.Relation, to catalog.Name) {
	from := rel.Name
	for _, fk := range r.foreignKeysOn(rel) {
		fk.c.References = to
	}
	r.cat.RemoveRelation(from)
	for _, x := range rel.Indexes {
		delete(r.indexes, in(rel, x.Name))
	}
	names := []string{}
	for _, c := range rel.Constraints {
		names = append(names, c.Name)
		n := in(rel, c.Name)
		if r.constraints[n]--; r.constraints[n] <= 0 {
			delete(r.constraints, n)
		}
	}
	rel.Name = to
	r.cat.AddRelation(rel)
	for _, x := range rel.Indexes {
		r.indexes[in(rel, x.Name)] = rel
	}
	for _, n := range names {
		r.constraints[in(rel, n)]++
	}
	if kids := r.children[from]; len(kids) > 0 {
		delete(r.children, from)
		r.children[to] = kids
		for _, k := range kids {
			if k.PartitionOf == from {
				k.PartitionOf = to
			}
			if i := slices.Index(k.Inherits, from); i >= 0 {
				k.Inherits[i] = to
			}
		}
	}
	for _, t := range rel.Triggers {
		if f, ok := r.triggers[trigger{from, t}]; ok {
			delete(r.triggers, trigger{from, t})
			r.triggers[trigger{to, t}] = f
		}
	}
	r.moveSequences(from, to)
	r.retype(from, to)
}

func (r *replayer) moveSequences(from, to catalog.Name) {
	for n, s := range r.sequences {
		if s.table != from {
			continue
		}
		delete(r.sequences, n)
		if from.Schema != to.Schema {
			n.Schema = to.Schema
		}
		r.sequences[n] = sequence{to, s.column}
	}
}
