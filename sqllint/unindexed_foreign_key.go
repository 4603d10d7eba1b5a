package sqllint

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedForeignKey = &rules.Rule{
	Name:      "unindexed-foreign-key",
	Summary:   "a delete on the referenced table scans the referencing one",
	Package:   "sqllint",
	Group:     "indexes",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page("unindexed_foreign_key"),
}

// runUnindexedForeignKey reports foreign keys whose columns no index leads with.
//
//  1. The statement that the server runs on the child compares every column with a
//     value; any index that serves it counts, whatever the order of its keys.
//  2. It costs where rows of the parent go: by the key's own action (cascade, set
//     null, set default), by a DELETE or a key's UPDATE of the workload, or by a
//     cascade from a table where that happens. Else the finding is possible.
//  3. A small child costs nothing; a small parent that nothing deletes from is a
//     lookup table.
func runUnindexedForeignKey(p *pass) {
	gone := deleted(p)
	for _, t := range p.cat.Relations() {
		if !t.IsTable() || t.Stub {
			continue
		}
		for _, c := range t.Constraints {
			if c.Kind == catalog.ForeignKey && !c.NotEnforced && !inherited(p.cat, t, c) {
				p.foreignKey(t, c, gone[c.References])
			}
		}
	}
}

func (p *pass) foreignKey(t *catalog.Relation, c *catalog.Constraint, gone bool) {
	rel := predicate.ForeignKey(p.cat, t, c.Columns, p.sizes)
	parent := p.cat.Relation(c.References.Schema, c.References.Name)
	if rel == nil || rel.Gap == nil || rel.Path != nil || parent == nil {
		return
	}
	acts := c.OnDelete == "cascade" || c.OnDelete == "set-null" || c.OnDelete == "set-default"
	rows, _ := p.sizes.Rows(parent)
	lookup := rows < predicate.SmallRows && !gone
	if lookup && !acts {
		return
	}
	child, ref := t.Name.Short(), c.References.Short()
	at := c.Location
	if at.Path == "" {
		at = t.Location
	}
	f := rules.Finding{
		Rule: unindexedForeignKey.Name, Severity: unindexedForeignKey.Severity, Certainty: rules.Certain,
		Location: location(at),
		Object:   rules.Object{Schema: t.Schema, Table: t.Name.Name, Columns: c.Columns, Constraint: c.Name},
		Message: t.Name.Of(c.Columns) + " has no index; each delete on " + ref + " scans " + child +
			" (" + rules.Size(rel.Rows, rel.RowsSource) + ")",
		Probe: &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: t.Schema, Table: t.Name.Name, Columns: c.Columns,
			RefSchema: c.References.Schema, RefTable: c.References.Name, RefColumns: c.RefColumns,
		},
	}
	if parent.Location.Path != "" {
		f.Related = []rules.Related{{Location: location(parent.Location), Message: ref + " is defined here"}}
	}
	if lookup || !acts && !gone || len(t.ChangedBy) > 0 {
		f.Certainty, f.Severity = rules.Possible, rules.Info
	}
	if rel.Gap.Why != "" {
		f.Message += ": " + rel.Gap.Why
	}
	p.report(f, rel.Needs(0))
}

// inherited reports whether a partition has the key from its parent.
func inherited(cat *catalog.Catalog, t *catalog.Relation, c *catalog.Constraint) bool {
	parent := cat.Relation(t.PartitionOf.Schema, t.PartitionOf.Name)
	if parent == nil {
		return false
	}
	return slices.ContainsFunc(parent.Constraints, func(d *catalog.Constraint) bool {
		return d.Kind == catalog.ForeignKey && d.References == c.References && slices.Equal(d.Columns, c.Columns)
	})
}

// deleted are the tables whose rows, or referenced keys, the workload takes away,
// by statement or by a cascade.
func deleted(p *pass) map[catalog.Name]bool {
	gone := map[catalog.Name]bool{}
	for _, s := range p.stmts {
		if s.Stmt == nil {
			continue
		}
		pgast.Walk(s.Stmt, func(n pgast.Node) bool {
			switch n := n.(type) {
			case *pgast.Delete:
				if r := p.cat.Resolve(n.Table.Schema, n.Table.Name, s.SearchPath); r != nil {
					gone[r.Name] = true
				}
			case *pgast.Update:
				r := p.cat.Resolve(n.Table.Schema, n.Table.Name, s.SearchPath)
				if r != nil && slices.ContainsFunc(n.Set, func(t pgast.Target) bool { return key(r, t.Name) }) {
					gone[r.Name] = true
				}
			}
			return true
		})
	}
	for changed := true; changed; {
		changed = false
		for _, t := range p.cat.Relations() {
			for _, c := range t.Constraints {
				if c.Kind == catalog.ForeignKey && c.OnDelete == "cascade" && gone[c.References] && !gone[t.Name] {
					gone[t.Name], changed = true, true
				}
			}
		}
	}
	return gone
}

// key reports whether a column is of the primary key.
func key(r *catalog.Relation, column string) bool {
	return slices.ContainsFunc(r.Constraints, func(c *catalog.Constraint) bool {
		return c.Kind == catalog.PrimaryKey && slices.Contains(c.Columns, column)
	})
}
