package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) createPolicy(s *pgast.CreatePolicy) error {
	rel := r.relation(s.Table)
	if rel == nil {
		return fail("table %s of policy %s does not exist", s.Table.Name, s.Name)
	}
	name := truncated(s.Name)
	if rel.Policy(name) != nil {
		return fail("policy %s of %s already exists", name, rel.Name)
	}
	p := &catalog.Policy{Name: name, Command: s.Command, Permissive: s.Permissive, Roles: policyRoles(s.Roles), Platform: r.platform}
	rel.Policies = append(rel.Policies, p)
	r.setPolicy(rel, p, s.Using, s.Check, int(s.At))
	return nil
}

func policyRoles(roles []string) []string {
	if len(roles) == 0 {
		return []string{"public"}
	}
	roles = sortedCopy(roles)
	return slices.Compact(roles)
}

// setPolicy sets the expressions that are given.
func (r *replayer) setPolicy(rel *catalog.Relation, p *catalog.Policy, using, check pgast.Expr, at int) {
	p.Location = r.place(at)
	if using != nil {
		p.Using, p.HasUsing = r.normal(using, rel), true
		p.UsingLocation = r.place(using.Pos())
	}
	if check != nil {
		p.Check, p.HasCheck = r.normal(check, rel), true
	}
	u := r.usesOf(rel, using, check)
	if old := r.uses[p]; old != nil && (using == nil || check == nil) {
		u.merge(old)
	}
	r.uses[p] = u
}

// merge adds what o refers to; an ALTER POLICY leaves one expression as it was.
func (u *uses) merge(o *uses) {
	for n := range o.relations {
		u.relations[n] = true
	}
	for n := range o.functions {
		u.functions[n] = true
	}
	for n := range o.types {
		u.types[n] = true
	}
	for n, cols := range o.columns {
		if u.columns[n] == nil {
			u.columns[n] = map[string]bool{}
		}
		for c := range cols {
			u.columns[n][c] = true
		}
	}
}

func (r *replayer) alterPolicy(s *pgast.AlterPolicy) error {
	rel := r.relation(s.Table)
	if rel == nil {
		return fail("table %s of policy %s does not exist", s.Table.Name, s.Name)
	}
	p := rel.Policy(truncated(s.Name))
	if p == nil {
		return fail("policy %s of %s does not exist", s.Name, rel.Name)
	}
	if len(s.Roles) > 0 {
		p.Roles = policyRoles(s.Roles)
	}
	r.setPolicy(rel, p, s.Using, s.Check, int(s.At))
	return nil
}

func (r *replayer) removePolicy(rel *catalog.Relation, p *catalog.Policy) {
	rel.Policies = slices.DeleteFunc(rel.Policies, func(q *catalog.Policy) bool { return q == p })
	delete(r.uses, p)
}

func (r *replayer) dropPolicy(s *pgast.Drop, o pgast.DropObject) error {
	rel := r.resolve(o.On)
	if rel == nil {
		return gone(s, o.Name.Name)
	}
	p := rel.Policy(truncated(o.Name.Name))
	if p == nil {
		return gone(s, o.Name.Name+" of "+rel.Name.String())
	}
	r.removePolicy(rel, p)
	return nil
}

func (r *replayer) renamePolicy(s *pgast.Rename, to string) error {
	rel := r.resolve(s.Object)
	if rel == nil {
		return r.noTarget(s)
	}
	p := rel.Policy(truncated(s.From))
	if p == nil {
		return fail("policy %s of %s does not exist", s.From, rel.Name)
	}
	p.Name, p.Location = to, r.place(int(s.At))
	return nil
}

func (r *replayer) createTrigger(s *pgast.CreateTrigger) error {
	rel := r.relation(s.Table)
	if rel == nil {
		return fail("table %s of trigger %s does not exist", s.Table.Name, s.Name)
	}
	name := truncated(s.Name)
	if slices.Contains(rel.Triggers, name) {
		if s.Replace {
			return nil
		}
		return fail("trigger %s of %s already exists", name, rel.Name)
	}
	r.addTrigger(rel, name, s.Func)
	return nil
}

// addTrigger also puts the trigger on the partitions.
func (r *replayer) addTrigger(rel *catalog.Relation, name string, f pgast.Name) {
	rel.Triggers = append(rel.Triggers, name)
	if fs := r.cat.ResolveFunctions(f.Schema, f.Name, r.lookupPath()); len(fs) > 0 {
		r.triggers[trigger{rel.Name, name}] = fs[0].Name
	}
	for _, kid := range r.partitions(rel) {
		r.addTrigger(kid, name, f)
	}
}

func (r *replayer) removeTrigger(rel *catalog.Relation, name string) {
	rel.Triggers = slices.DeleteFunc(rel.Triggers, func(t string) bool { return t == name })
	delete(r.triggers, trigger{rel.Name, name})
	for _, kid := range r.partitions(rel) {
		r.removeTrigger(kid, name)
	}
}

func (r *replayer) dropTrigger(s *pgast.Drop, o pgast.DropObject) error {
	rel := r.resolve(o.On)
	if rel == nil || !slices.Contains(rel.Triggers, truncated(o.Name.Name)) {
		return gone(s, o.Name.Name)
	}
	r.removeTrigger(rel, truncated(o.Name.Name))
	return nil
}

func (r *replayer) renameTrigger(s *pgast.Rename, to string) error {
	rel := r.resolve(s.Object)
	if rel == nil {
		return r.noTarget(s)
	}
	i := slices.Index(rel.Triggers, truncated(s.From))
	if i < 0 {
		return fail("trigger %s of %s does not exist", s.From, rel.Name)
	}
	rel.Triggers[i] = to
	r.triggers[trigger{rel.Name, to}] = r.triggers[trigger{rel.Name, s.From}]
	delete(r.triggers, trigger{rel.Name, s.From})
	return nil
}
