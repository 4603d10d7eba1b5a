package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// drop takes away what a statement lists, in whatever order what depends on each
// other there stands.
func (r *replayer) drop(s *pgast.Drop) error {
	if s.Kind == pgast.ObjTable && len(s.Objects) > 1 {
		r.unlink(s.Objects)
	}
	for left := s.Objects; ; {
		var first error
		var held []pgast.DropObject
		for _, o := range left {
			if err := r.dropOne(s, o); err != nil {
				held = append(held, o)
				if first == nil {
					first = err
				}
			}
		}
		if len(held) == 0 || len(held) == len(left) {
			return first
		}
		left = held
	}
}

// unlink takes away the foreign keys among tables that go together.
func (r *replayer) unlink(tables []pgast.DropObject) {
	going := map[*catalog.Relation]bool{}
	for _, o := range tables {
		if rel := r.resolve(o.Name); rel != nil {
			going[rel] = true
		}
	}
	for rel := range going {
		for _, fk := range r.foreignKeysOn(rel) {
			if fk.rel != rel && going[fk.rel] {
				r.dropConstraintEntry(fk.rel, fk.c.Name)
			}
		}
	}
}

func (r *replayer) dropOne(s *pgast.Drop, o pgast.DropObject) error {
	switch s.Kind {
	case pgast.ObjTable, pgast.ObjView, pgast.ObjMatView, pgast.ObjForeign:
		return r.dropNamed(s, o.Name)
	case pgast.ObjIndex:
		return r.dropIndex(s, o.Name)
	case pgast.ObjSequence:
		return r.dropSequence(s, o.Name)
	case pgast.ObjPolicy:
		return r.dropPolicy(s, o)
	case pgast.ObjTrigger:
		return r.dropTrigger(s, o)
	case pgast.ObjFunction:
		return r.dropFunction(s, o)
	case pgast.ObjType, pgast.ObjDomain:
		return r.dropType(s, o.Name)
	case pgast.ObjSchema:
		return r.dropSchema(s, o.Name.Name)
	case pgast.ObjExtension:
		delete(r.cat.Extensions, o.Name.Name)
	case pgast.ObjRole:
		delete(r.cat.Roles, o.Name.Name)
	}
	return nil
}

// gone is the answer for an object that does not exist.
func gone(s *pgast.Drop, name string) error {
	if s.IfExists {
		return nil
	}
	return fail("%s %s does not exist", s.Kind, name)
}

func (r *replayer) dropNamed(s *pgast.Drop, n pgast.Name) error {
	rel := r.resolve(n)
	if rel == nil || rel.Stub {
		if rel != nil {
			r.removeRelation(rel)
		}
		return gone(s, n.Name)
	}
	return r.dropRelation(rel, s.Cascade)
}

// dropRelation removes a relation with what belongs to it. Foreign keys on it,
// views over it and policies that read it go with CASCADE, and hold it without.
func (r *replayer) dropRelation(rel *catalog.Relation, cascade bool) error {
	dependent := r.dependents(rel)
	var keys []foreignKey
	for _, fk := range r.foreignKeysOn(rel) {
		if fk.rel != rel && fk.rel.PartitionOf != rel.Name {
			keys = append(keys, fk)
		}
	}
	if !cascade {
		if len(keys) > 0 {
			return fail("%s is needed by foreign key %s of %s", rel.Name, keys[0].c.Name, keys[0].rel.Name)
		}
		if len(dependent) > 0 {
			return fail("%s is needed by %s", rel.Name, dependent[0].what)
		}
		for _, kid := range r.children[rel.Name] {
			if kid.PartitionOf != rel.Name {
				return fail("%s is needed by %s, which inherits from it", rel.Name, kid.Name)
			}
		}
	}
	for _, fk := range keys {
		r.dropConstraintEntry(fk.rel, fk.c.Name)
	}
	for _, d := range dependent {
		d.remove()
	}
	for _, kid := range slices.Clone(r.children[rel.Name]) {
		_ = r.dropRelation(kid, true)
	}
	r.removeRelation(rel)
	return nil
}

// dependent is an object that needs another one.
type dependent struct {
	what   string
	remove func()
}

// dependents are the views, policies and so on of others that read a relation.
func (r *replayer) dependents(rel *catalog.Relation) []dependent {
	return r.holders(func(u *uses) bool {
		return u.owner != rel && (u.relations[rel.Name] || u.types[rel.Name])
	})
}

// holders are the objects whose uses match, as dependents, sorted.
func (r *replayer) holders(match func(*uses) bool) []dependent {
	var out []dependent
	for holder, u := range r.uses {
		if !match(u) {
			continue
		}
		owner := u.owner
		switch h := holder.(type) {
		case *catalog.Policy:
			out = append(out, dependent{"policy " + h.Name + " of " + owner.Name.String(), func() { r.removePolicy(owner, h) }})
		case *catalog.Constraint:
			out = append(out, dependent{"constraint " + h.Name + " of " + owner.Name.String(), func() { r.dropConstraintEntry(owner, h.Name) }})
		case *catalog.Index:
			out = append(out, dependent{"index " + h.Name, func() {
				r.removeIndex(owner, h)
				r.dropConstraintEntry(owner, h.Name)
			}})
		case *catalog.Column:
			out = append(out, dependent{"the default of " + owner.Name.String() + "." + h.Name, func() {
				h.HasDefault, h.Default = false, ""
				delete(r.uses, h)
			}})
		case *catalog.Relation:
			out = append(out, dependent{string(h.Kind) + " " + h.Name.String(), func() { _ = r.dropRelation(h, true) }})
		}
	}
	slices.SortFunc(out, func(a, b dependent) int { return strings.Compare(a.what, b.what) })
	return out
}

// removeRelation takes a relation out of every table of the replay.
func (r *replayer) removeRelation(rel *catalog.Relation) {
	for _, x := range slices.Clone(rel.Indexes) {
		delete(r.indexes, in(rel, x.Name))
		delete(r.uses, x)
		delete(r.indexParent, x)
		delete(r.attributes, x)
	}
	for _, c := range slices.Clone(rel.Constraints) {
		r.dropConstraintEntry(rel, c.Name)
	}
	for _, p := range rel.Policies {
		delete(r.uses, p)
	}
	for _, c := range rel.Columns {
		delete(r.uses, c)
	}
	delete(r.uses, rel)
	for _, t := range rel.Triggers {
		delete(r.triggers, trigger{rel.Name, t})
	}
	for n, s := range r.sequences {
		if s.table == rel.Name {
			delete(r.sequences, n)
		}
	}
	for _, p := range append(slices.Clone(rel.Inherits), rel.PartitionOf) {
		if kids := r.children[p]; kids != nil {
			r.children[p] = slices.DeleteFunc(kids, func(k *catalog.Relation) bool { return k == rel })
		}
	}
	delete(r.children, rel.Name)
	if r.cat.Relation(rel.Schema, rel.Name.Name) == rel {
		r.cat.RemoveRelation(rel.Name)
	}
}

func (r *replayer) dropIndex(s *pgast.Drop, n pgast.Name) error {
	key := r.indexKey(n)
	rel := r.indexes[key]
	if rel == nil {
		return gone(s, n.Name)
	}
	x := rel.Index(key.Name)
	if x.Constraint && rel.Constraint(x.Name) != nil {
		return fail("index %s belongs to a constraint of %s", key, rel.Name)
	}
	if r.indexParent[x] != nil {
		return fail("index %s belongs to an index of the parent", key)
	}
	r.removeIndex(rel, x)
	return nil
}

// dropColumn drops a column with its indexes and constraints; what else needs it
// goes with CASCADE, and holds it without.
func (r *replayer) dropColumn(rel *catalog.Relation, name string, cascade, ifExists bool) error {
	c := rel.Column(name)
	if c == nil {
		if ifExists || rel.Stub {
			return nil
		}
		return fail("column %s of %s does not exist", name, rel.Name)
	}
	// Its own checks and indexes go without asking; views, policies and
	// generated columns do not.
	used := func(u *uses) bool { return u.columns[rel.Name][name] }
	others := r.holders(func(u *uses) bool { return used(u) && !r.ownPart(u, rel) })
	keys := r.keysOver(rel, name)
	if !cascade {
		if len(others) > 0 {
			return fail("column %s of %s is needed by %s", name, rel.Name, others[0].what)
		}
		if len(keys) > 0 {
			return fail("column %s of %s is needed by foreign key %s of %s", name, rel.Name, keys[0].c.Name, keys[0].rel.Name)
		}
	}
	for _, d := range others {
		d.remove()
	}
	for _, fk := range keys {
		r.dropConstraintEntry(fk.rel, fk.c.Name)
	}
	for _, k := range slices.Clone(rel.Constraints) {
		if slices.Contains(k.Columns, name) {
			r.dropConstraintEntry(rel, k.Name)
		}
	}
	for _, x := range slices.Clone(rel.Indexes) {
		if indexUses(x, name) || r.uses[x] != nil && used(r.uses[x]) {
			r.removeIndex(rel, x)
			r.dropConstraintEntry(rel, x.Name)
		}
	}
	rel.Columns = slices.DeleteFunc(rel.Columns, func(d *catalog.Column) bool { return d == c })
	delete(r.uses, c)
	for n, s := range r.sequences {
		if s.table == rel.Name && s.column == name {
			delete(r.sequences, n)
		}
	}
	for _, kid := range r.children[rel.Name] {
		_ = r.dropColumn(kid, name, true, true)
	}
	return nil
}

// ownPart reports whether uses are those of a table's own index, check or default.
func (r *replayer) ownPart(u *uses, rel *catalog.Relation) bool {
	if u.owner != rel {
		return false
	}
	for _, p := range rel.Policies {
		if r.uses[p] == u {
			return false
		}
	}
	return true
}

// keysOver are the foreign keys of other tables over a column.
func (r *replayer) keysOver(rel *catalog.Relation, column string) []foreignKey {
	var out []foreignKey
	for _, fk := range r.foreignKeysOn(rel) {
		if slices.Contains(fk.c.RefColumns, column) && !(fk.rel == rel && slices.Contains(fk.c.Columns, column)) {
			out = append(out, fk)
		}
	}
	return out
}

func indexUses(x *catalog.Index, column string) bool {
	return slices.Contains(x.Include, column) || slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == column })
}

func (r *replayer) dropSequence(s *pgast.Drop, n pgast.Name) error {
	name, ok := r.findSequence(n)
	if !ok {
		return gone(s, n.Name)
	}
	owner := r.sequences[name]
	if rel := r.cat.Relation(owner.table.Schema, owner.table.Name); rel != nil && s.Cascade {
		if c := rel.Column(owner.column); c != nil && c.Identity == "" {
			c.HasDefault, c.Default = false, ""
		}
	}
	delete(r.sequences, name)
	return nil
}

func (r *replayer) findSequence(n pgast.Name) (catalog.Name, bool) {
	schemas := []string{n.Schema}
	if n.Schema == "" {
		schemas = r.lookupPath()
	}
	for _, s := range schemas {
		k := catalog.Name{Schema: s, Name: truncated(n.Name)}
		if _, ok := r.sequences[k]; ok {
			return k, true
		}
	}
	return catalog.Name{}, false
}

// dropSchema drops a schema with all in it.
func (r *replayer) dropSchema(s *pgast.Drop, name string) error {
	if !r.cat.HasSchema(name) {
		return gone(s, name)
	}
	var inside []*catalog.Relation
	for _, rel := range r.cat.Relations() {
		if rel.Schema == name {
			inside = append(inside, rel)
		}
	}
	if len(inside) > 0 && !s.Cascade {
		return fail("schema %s is not empty", name)
	}
	for _, rel := range inside {
		if r.cat.Relation(name, rel.Name.Name) == rel {
			_ = r.dropRelation(rel, true)
		}
	}
	for _, f := range r.cat.AllFunctions() {
		if f.Schema == name {
			r.removeFunction(f)
		}
	}
	for _, t := range r.cat.Types() {
		if t.Schema == name {
			r.removeType(t)
		}
	}
	for n := range r.sequences {
		if n.Schema == name {
			delete(r.sequences, n)
		}
	}
	r.cat.RemoveSchema(name)
	delete(r.schemas, name)
	return nil
}
