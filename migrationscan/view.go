package migrationscan

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) createView(s *pgast.CreateView) error {
	name, err := r.creation(s.View)
	if err != nil {
		return err
	}
	if s.Temp {
		name.Schema = tempSchema
	}
	old := r.cat.Relation(name.Schema, name.Name)
	if old != nil && !old.Stub && (!s.Replace || old.Kind != catalog.View) || old == nil && r.nameTaken(name.Schema, name.Name) {
		return fail("relation %s already exists", name)
	}
	if err := r.readable(s.Query); err != nil {
		return err
	}
	rel := &catalog.Relation{Name: name, Kind: catalog.View, SecurityInvoker: s.SecurityInvoker, Platform: r.platform}
	if old != nil {
		delete(r.uses, old)
		rel.Triggers, rel.Owner = old.Triggers, old.Owner
	}
	r.viewFrom(rel, s.Query, s.Columns, int(s.At))
	r.replaceOwner(old, rel)
	return nil
}

// replaceOwner keeps what refers to a replaced view pointing at the new one.
func (r *replayer) replaceOwner(old, rel *catalog.Relation) {
	if old == nil {
		return
	}
	for _, u := range r.uses {
		if u.owner == old {
			u.owner = rel
		}
	}
}

// viewFrom fills a view or a table made from a query, and adds it.
func (r *replayer) viewFrom(rel *catalog.Relation, q pgast.Stmt, names []string, at int) {
	rel.Location = r.place(at)
	for i, o := range r.outputs(q, nil) {
		if i < len(names) {
			o.name = names[i]
		}
		rel.Columns = append(rel.Columns, &catalog.Column{
			Name: truncated(o.name), Type: o.text, TypeName: o.typ, Location: rel.Location,
		})
	}
	if rel.Kind != catalog.Table {
		rel.Query = pgast.NormalStmt(q, r.env())
		u := r.usesOf(nil, q)
		u.owner = rel
		r.uses[rel] = u
	}
	r.cat.AddRelation(rel)
}

// readable checks that the relations of a query exist; unknown ones become stubs.
func (r *replayer) readable(q pgast.Stmt) error {
	var err error
	ctes := map[string]bool{}
	if q == nil {
		return nil
	}
	pgast.Walk(q, func(n pgast.Node) bool {
		if s, ok := n.(*pgast.Select); ok && s.With != nil {
			for _, c := range s.With.CTEs {
				ctes[c.Name] = true
			}
		}
		return true
	})
	pgast.Walk(q, func(n pgast.Node) bool {
		t, ok := n.(*pgast.Table)
		if !ok || t.Schema == "" && (ctes[t.Name] || builtinRelation(t.Name)) || systemSchema(t.Schema) {
			return true
		}
		if r.relation(pgast.Name{Schema: t.Schema, Name: t.Name}) == nil {
			if _, seq := r.findSequence(pgast.Name{Schema: t.Schema, Name: t.Name}); !seq {
				err = fail("relation %s does not exist", t.Name)
			}
		}
		return true
	})
	return err
}

func systemSchema(s string) bool { return s == "pg_catalog" || s == "information_schema" }

func builtinRelation(name string) bool { return len(name) > 3 && name[:3] == "pg_" }

func (r *replayer) createTableAs(s *pgast.CreateTableAs) error {
	name, err := r.creation(s.Table)
	if err != nil {
		return err
	}
	if s.Temp {
		name.Schema = tempSchema
	}
	if r.nameTaken(name.Schema, name.Name) {
		if s.IfNotExists {
			return nil
		}
		return fail("relation %s already exists", name)
	}
	if err := r.readable(s.Query); err != nil {
		return err
	}
	rel := &catalog.Relation{Name: name, Kind: catalog.Table, Platform: r.platform}
	if s.Materialized {
		rel.Kind = catalog.MaterializedView
	}
	r.viewFrom(rel, s.Query, s.Columns, int(s.At))
	return nil
}

// insert counts the rows that migrations put into a table.
func (r *replayer) insert(s *pgast.Insert) error {
	if s.Table == nil || s.Source == nil {
		return nil
	}
	if rel := r.cat.Resolve(s.Table.Schema, s.Table.Name, r.lookupPath()); rel != nil {
		rel.SeededRows += len(s.Source.Values)
	}
	return nil
}
