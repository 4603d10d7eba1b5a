package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) alterTable(s *pgast.AlterTable) error {
	switch s.Kind {
	case "sequence":
		return nil
	case "type":
		return r.alterComposite(s)
	}
	if rel := r.indexes[r.indexKey(s.Table)]; rel != nil {
		return r.alterIndex(rel, s)
	}
	rel := r.resolve(s.Table)
	if rel == nil {
		if s.IfExists || s.Kind == "index" {
			return r.absent(s)
		}
		if rel = r.relation(s.Table); rel == nil {
			return fail("table %s does not exist", s.Table.Name)
		}
	} else if rel.Stub {
		r.relation(s.Table)
	}
	var first error
	for i := range s.Cmds {
		if err := r.alterCmd(rel, &s.Cmds[i], s.Only); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (r *replayer) absent(s *pgast.AlterTable) error {
	if s.IfExists {
		return nil
	}
	return fail("%s %s does not exist", s.Kind, s.Table.Name)
}

// indexKey is the index that a name means.
func (r *replayer) indexKey(n pgast.Name) catalog.Name {
	if n.Schema != "" {
		return catalog.Name{Schema: n.Schema, Name: truncated(n.Name)}
	}
	for _, s := range r.lookupPath() {
		k := catalog.Name{Schema: s, Name: truncated(n.Name)}
		if r.indexes[k] != nil {
			return k
		}
		if r.cat.Relation(s, k.Name) != nil {
			break
		}
	}
	return catalog.Name{}
}

func (r *replayer) alterIndex(rel *catalog.Relation, s *pgast.AlterTable) error {
	x := rel.Index(truncated(s.Table.Name))
	for _, c := range s.Cmds {
		if c.Action != pgast.AlterAttachPartition {
			continue
		}
		kid := r.indexes[r.indexKey(c.Partition)]
		if kid == nil {
			return fail("index %s does not exist", c.Partition.Name)
		}
		r.indexParent[kid.Index(truncated(c.Partition.Name))] = x
		x.Valid = r.coversPartitions(rel, x)
		x.ParentOnly = !x.Valid
	}
	return nil
}

// coversPartitions reports whether each partition has its part of an index.
func (r *replayer) coversPartitions(rel *catalog.Relation, x *catalog.Index) bool {
	for _, kid := range r.partitions(rel) {
		if !slices.ContainsFunc(kid.Indexes, func(y *catalog.Index) bool { return r.indexParent[y] == x }) {
			return false
		}
	}
	return true
}

// alterCmd applies one action of ALTER TABLE.
func (r *replayer) alterCmd(rel *catalog.Relation, c *pgast.AlterCmd, only bool) error {
	switch c.Action {
	case pgast.AlterAddColumn:
		return r.addColumn(rel, c)
	case pgast.AlterDropColumn:
		return r.dropColumn(rel, truncated(c.Name), c.Cascade, c.IfExists)
	case pgast.AlterAddConstraint:
		return r.newConstraint(rel, *c.Constraint)
	case pgast.AlterDropConstraint:
		if c.IfExists && rel.Constraint(truncated(c.Name)) == nil {
			return nil
		}
		if rel.Stub {
			return nil
		}
		return r.dropConstraint(rel, truncated(c.Name), c.Cascade)
	case pgast.AlterValidateConstraint:
		k := rel.Constraint(truncated(c.Name))
		if k == nil {
			return fail("constraint %s of %s does not exist", c.Name, rel.Name)
		}
		k.Validated = true
	case pgast.AlterEnforce, pgast.AlterNotEnforce:
		k := rel.Constraint(truncated(c.Name))
		if k == nil {
			return fail("constraint %s of %s does not exist", c.Name, rel.Name)
		}
		k.NotEnforced, k.Validated = c.Action == pgast.AlterNotEnforce, c.Action == pgast.AlterEnforce
	case pgast.AlterEnableRLS, pgast.AlterDisableRLS:
		rel.RLSEnabled, rel.RLSLocation = c.Action == pgast.AlterEnableRLS, r.place(0)
	case pgast.AlterForceRLS, pgast.AlterNoForceRLS:
		rel.RLSForced = c.Action == pgast.AlterForceRLS
	case pgast.AlterAttachPartition:
		return r.attach(rel, c)
	case pgast.AlterDetachPartition:
		return r.detach(rel, c)
	case pgast.AlterInherit, pgast.AlterNoInherit:
		return r.inherit(rel, c)
	case pgast.AlterOwner:
		rel.Owner = c.Name
	case pgast.AlterSetOptions, pgast.AlterResetOptions:
		if v, ok := c.Options["security_invoker"]; ok {
			rel.SecurityInvoker = c.Action == pgast.AlterSetOptions && (v == "true" || v == "on" || v == "1")
		}
	default:
		return r.alterColumn(rel, c, only)
	}
	return nil
}

// columnActions are the actions on one column that change the catalog.
var columnActions = map[string]bool{
	pgast.AlterColumnType: true, pgast.AlterSetDefault: true, pgast.AlterDropDefault: true, pgast.AlterSetNotNull: true,
	pgast.AlterDropNotNull: true, pgast.AlterDropExpression: true, pgast.AlterAddIdentity: true,
	pgast.AlterDropIdentity: true, pgast.AlterSetIdentity: true, pgast.AlterSetExpression: true,
}

func (r *replayer) alterColumn(rel *catalog.Relation, c *pgast.AlterCmd, only bool) error {
	if !columnActions[c.Action] {
		return nil
	}
	col := rel.Column(truncated(c.Name))
	if col == nil {
		if rel.Stub {
			return nil
		}
		return fail("column %s of %s does not exist", c.Name, rel.Name)
	}
	switch c.Action {
	case pgast.AlterColumnType:
		p := r.printType(*c.Type, true)
		col.Type, col.TypeName = p.text, p.name
		if c.At >= 0 {
			col.Location = r.place(int(c.At))
		}
		r.renormal(rel, col.Name)
	case pgast.AlterSetDefault:
		r.setDefault(rel, col, c.Expr)
	case pgast.AlterSetExpression:
		r.setDefault(rel, col, c.Expr)
		col.Generated = true
	case pgast.AlterDropDefault:
		col.HasDefault, col.Default = false, ""
		delete(r.uses, col)
	case pgast.AlterSetNotNull:
		col.NotNull = true
	case pgast.AlterDropNotNull:
		if inKey(rel, col.Name) {
			return fail("column %s of %s is in the primary key", col.Name, rel.Name)
		}
		col.NotNull = false
	case pgast.AlterDropExpression:
		col.Generated, col.Virtual, col.HasDefault, col.Default = false, false, false, ""
	case pgast.AlterAddIdentity:
		col.Identity = c.Identity
		r.addSequence(rel, col)
		return nil
	case pgast.AlterDropIdentity:
		col.Identity = ""
		return nil
	case pgast.AlterSetIdentity:
		if c.Identity != "" {
			col.Identity = c.Identity
		}
		return nil
	}
	if only {
		return nil
	}
	for _, kid := range r.children[rel.Name] {
		_ = r.alterColumn(kid, c, false)
	}
	return nil
}

func inKey(rel *catalog.Relation, column string) bool {
	return slices.ContainsFunc(rel.Constraints, func(c *catalog.Constraint) bool {
		return c.Kind == catalog.PrimaryKey && slices.Contains(c.Columns, column)
	})
}

// renormal rebuilds the texts that depend on a column whose type has changed:
// casts on literals come and go with it.
func (r *replayer) renormal(rel *catalog.Relation, column string) {
	for _, a := range r.affected(func(u *uses) bool { return u.columns[rel.Name][column] }) {
		r.put(a)
	}
}

func (r *replayer) addColumn(rel *catalog.Relation, c *pgast.AlterCmd) error {
	name := truncated(c.Column.Name)
	if rel.Column(name) != nil {
		if c.IfExists {
			return nil
		}
		return fail("column %s of %s already exists", name, rel.Name)
	}
	col, pending := r.column(rel, c.Column)
	rel.Columns = append(rel.Columns, col)
	for _, kid := range r.children[rel.Name] {
		if own := kid.Column(name); own == nil {
			r.addInherited(kid, col)
		}
	}
	var first error
	pending = mergeKeys(pending)
	for _, kinds := range constraintOrder {
		for _, k := range pending {
			if slices.Contains(kinds, k.Kind) {
				if err := r.newConstraint(rel, k); err != nil && first == nil {
					first = err
				}
			}
		}
	}
	return first
}

func (r *replayer) addInherited(rel *catalog.Relation, col *catalog.Column) {
	k := *col
	k.Identity = ""
	rel.Columns = append(rel.Columns, &k)
	for _, kid := range r.children[rel.Name] {
		if kid.Column(col.Name) == nil {
			r.addInherited(kid, col)
		}
	}
}

func (r *replayer) attach(rel *catalog.Relation, c *pgast.AlterCmd) error {
	kid := r.relation(c.Partition)
	if kid == nil {
		return fail("table %s does not exist", c.Partition.Name)
	}
	if kid.PartitionOf != (catalog.Name{}) {
		return fail("%s is a partition already", kid.Name)
	}
	kid.PartitionOf, kid.PartitionBound = rel.Name, c.Bound
	r.children[rel.Name] = append(r.children[rel.Name], kid)
	for _, col := range rel.Columns {
		if own := kid.Column(col.Name); own != nil && col.NotNull {
			own.NotNull = true
		}
	}
	r.becomePartition(rel, kid)
	return nil
}

func (r *replayer) detach(rel *catalog.Relation, c *pgast.AlterCmd) error {
	kid := r.resolve(c.Partition)
	if kid == nil || kid.PartitionOf != rel.Name {
		if rel.Stub {
			return nil
		}
		return fail("%s is no partition of %s", c.Partition.Name, rel.Name)
	}
	kid.PartitionOf, kid.PartitionBound = catalog.Name{}, ""
	r.orphan(rel, kid)
	for _, x := range kid.Indexes {
		delete(r.indexParent, x)
	}
	for _, t := range rel.Triggers {
		kid.Triggers = slices.DeleteFunc(kid.Triggers, func(u string) bool { return u == t })
	}
	return nil
}

func (r *replayer) orphan(rel, kid *catalog.Relation) {
	r.children[rel.Name] = slices.DeleteFunc(r.children[rel.Name], func(k *catalog.Relation) bool { return k == kid })
}

// inherit applies INHERIT and NO INHERIT.
func (r *replayer) inherit(rel *catalog.Relation, c *pgast.AlterCmd) error {
	parent := r.resolve(c.Partition)
	if parent == nil {
		return fail("table %s does not exist", c.Partition.Name)
	}
	if c.Action == pgast.AlterInherit {
		rel.Inherits = append(rel.Inherits, parent.Name)
		r.children[parent.Name] = append(r.children[parent.Name], rel)
		return nil
	}
	rel.Inherits = slices.DeleteFunc(rel.Inherits, func(n catalog.Name) bool { return n == parent.Name })
	r.orphan(parent, rel)
	return nil
}
