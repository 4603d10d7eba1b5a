package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) rename(s *pgast.Rename) error {
	to := truncated(s.To)
	switch s.Kind {
	case pgast.ObjTable, pgast.ObjView, pgast.ObjMatView, pgast.ObjForeign, pgast.ObjIndex, pgast.ObjSequence:
		return r.renameRelation(s, to)
	case pgast.ObjColumn:
		rel := r.resolve(s.Object)
		if rel == nil {
			return r.noTarget(s)
		}
		return r.renameColumn(rel, s.From, to)
	case pgast.ObjConstraint:
		return r.renameConstraintStmt(s, to)
	case pgast.ObjPolicy:
		return r.renamePolicy(s, to)
	case pgast.ObjTrigger:
		return r.renameTrigger(s, to)
	case pgast.ObjFunction:
		return r.renameFunction(s, to)
	case pgast.ObjType, pgast.ObjDomain:
		return r.renameType(s, to)
	case pgast.ObjAttribute, pgast.ObjEnumValue:
		return r.renameInType(s)
	case pgast.ObjSchema:
		return r.renameSchema(s.Object.Name, to)
	case pgast.ObjRole:
		if role, ok := r.cat.Roles[s.Object.Name]; ok {
			delete(r.cat.Roles, s.Object.Name)
			r.cat.Roles[to] = role
		}
	}
	return nil
}

func (r *replayer) noTarget(s *pgast.Rename) error {
	if s.IfExists {
		return nil
	}
	return fail("%s %s does not exist", s.Kind, s.Object.Name)
}

// renameRelation renames a table, view, index or sequence: the grammar allows
// ALTER TABLE for any of them.
func (r *replayer) renameRelation(s *pgast.Rename, to string) error {
	if key := r.indexKey(s.Object); r.indexes[key] != nil {
		rel := r.indexes[key]
		x := rel.Index(key.Name)
		if r.nameTaken(rel.Schema, to) {
			return fail("relation %s already exists", in(rel, to))
		}
		if c := rel.Constraint(x.Name); c != nil && x.Constraint {
			r.renameConstraint(rel, c, to)
		}
		r.renameIndex(rel, x, to)
		return nil
	}
	if n, ok := r.findSequence(s.Object); ok && r.resolve(s.Object) == nil {
		owner := r.sequences[n]
		delete(r.sequences, n)
		r.sequences[catalog.Name{Schema: n.Schema, Name: to}] = owner
		return nil
	}
	rel := r.resolve(s.Object)
	if rel == nil {
		return r.noTarget(s)
	}
	if r.nameTaken(rel.Schema, to) {
		return fail("relation %s already exists", in(rel, to))
	}
	r.moveRelation(rel, in(rel, to))
	return nil
}

func (r *replayer) renameConstraintStmt(s *pgast.Rename, to string) error {
	rel := r.resolve(s.Object)
	if rel == nil {
		if s.OnKind == pgast.ObjDomain {
			return nil
		}
		return r.noTarget(s)
	}
	c := rel.Constraint(truncated(s.From))
	if c == nil {
		if rel.Stub {
			return nil
		}
		return fail("constraint %s of %s does not exist", s.From, rel.Name)
	}
	if x := rel.Index(c.Name); x != nil && x.Constraint {
		if r.nameTaken(rel.Schema, to) {
			return fail("relation %s already exists", in(rel, to))
		}
		r.renameIndex(rel, x, to)
	}
	from := c.Name
	r.renameConstraint(rel, c, to)
	if c.Kind == catalog.Check {
		for _, kid := range r.children[rel.Name] {
			if k := kid.Constraint(from); k != nil && k.Kind == catalog.Check {
				r.renameConstraint(kid, k, to)
			}
		}
	}
	return nil
}

// renameSchema moves all that is in a schema.
func (r *replayer) renameSchema(from, to string) error {
	if !r.cat.HasSchema(from) {
		return fail("schema %s does not exist", from)
	}
	r.cat.AddSchema(to)
	for _, rel := range r.cat.Relations() {
		if rel.Schema == from {
			r.moveRelation(rel, catalog.Name{Schema: to, Name: rel.Name.Name})
		}
	}
	for _, f := range r.cat.AllFunctions() {
		if f.Schema == from {
			r.moveFunction(f, catalog.Name{Schema: to, Name: f.Name.Name})
		}
	}
	for _, t := range r.cat.Types() {
		if t.Schema == from {
			r.moveType(t, catalog.Name{Schema: to, Name: t.Name.Name})
		}
	}
	r.cat.RemoveSchema(from)
	return nil
}

func (r *replayer) setSchema(s *pgast.SetSchema) error {
	switch s.Kind {
	case pgast.ObjFunction:
		for _, f := range r.overloads(s.Object, s.Args, len(s.Args) > 0) {
			r.moveFunction(f, catalog.Name{Schema: s.To, Name: f.Name.Name})
		}
		return nil
	case pgast.ObjType, pgast.ObjDomain:
		if t := r.cat.ResolveType(s.Object.Schema, s.Object.Name, r.lookupPath()); t != nil {
			r.moveType(t, catalog.Name{Schema: s.To, Name: t.Name.Name})
		}
		return nil
	case pgast.ObjTable, pgast.ObjView, pgast.ObjMatView, pgast.ObjForeign:
		rel := r.resolve(s.Object)
		if rel == nil {
			if s.IfExists {
				return nil
			}
			return fail("%s %s does not exist", s.Kind, s.Object.Name)
		}
		r.moveRelation(rel, catalog.Name{Schema: s.To, Name: rel.Name.Name})
	}
	return nil
}

// overloads are the functions that a statement names.
func (r *replayer) overloads(n pgast.Name, args []pgast.TypeName, hasArgs bool) []*catalog.Function {
	fs := r.cat.ResolveFunctions(n.Schema, truncated(n.Name), r.lookupPath())
	if !hasArgs {
		return slices.Clone(fs)
	}
	want := r.argTypes(args)
	var out []*catalog.Function
	for _, f := range fs {
		if slices.Equal(f.Args, want) {
			out = append(out, f)
		}
	}
	return out
}

func (r *replayer) argTypes(args []pgast.TypeName) []string {
	out := []string{}
	for _, a := range args {
		out = append(out, r.printType(a, false).text)
	}
	return out
}
