package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// sysRow answers for the columns of one row of a system catalog; false means that
// the replay does not know that column. Object identifiers are schema.name.
type sysRow func(column string) (any, bool)

// sysRelations are the system catalogs and views that migrations ask before they
// change something.
var sysRelations = map[string]func(*replayer) []sysRow{
	"pg_class": (*replayer).pgClass, "pg_namespace": (*replayer).pgNamespace, "schemata": (*replayer).pgNamespace,
	"pg_tables": (*replayer).pgTables, "tables": (*replayer).pgTables, "pg_views": (*replayer).pgTables,
	"views": (*replayer).pgTables, "pg_matviews": (*replayer).pgTables,
	"pg_indexes": (*replayer).pgIndexes, "pg_index": (*replayer).pgIndexes,
	"pg_policies": (*replayer).pgPolicies, "pg_policy": (*replayer).pgPolicies,
	"pg_constraint": (*replayer).pgConstraints, "table_constraints": (*replayer).pgConstraints,
	"pg_attribute": (*replayer).pgColumns, "columns": (*replayer).pgColumns,
	"pg_type": (*replayer).pgTypes, "pg_enum": (*replayer).pgEnums, "pg_proc": (*replayer).pgProcs, "routines": (*replayer).pgProcs,
	"pg_trigger": (*replayer).pgTriggers, "triggers": (*replayer).pgTriggers,
	"pg_extension": (*replayer).pgExtensions, "pg_roles": (*replayer).pgRoles, "pg_inherits": (*replayer).pgInherits,
	"pg_sequences": (*replayer).pgSequences, "key_column_usage": (*replayer).keyColumns,
}

// informationSchema are the names of sysRelations that stand in that schema.
var informationSchema = words(`schemata tables views table_constraints columns routines triggers key_column_usage`)

// record is a row whose columns are all at hand.
func record(m map[string]any) sysRow {
	return func(c string) (any, bool) {
		v, ok := m[c]
		return v, ok
	}
}

var relKinds = map[catalog.Kind]string{
	catalog.Table: "r", catalog.PartitionedTable: "p", catalog.View: "v", catalog.MaterializedView: "m", catalog.ForeignTable: "f",
}

func (r *replayer) pgClass() []sysRow {
	var out []sysRow
	add := func(n catalog.Name, kind string, rel *catalog.Relation) {
		out = append(out, func(c string) (any, bool) {
			switch c {
			case "oid":
				return n.String(), true
			case "relname":
				return n.Name, true
			case "relnamespace":
				return n.Schema, true
			case "relkind":
				return kind, true
			case "relrowsecurity":
				return rel != nil && rel.RLSEnabled, true
			case "relforcerowsecurity":
				return rel != nil && rel.RLSForced, true
			case "relispartition":
				return rel != nil && rel.PartitionOf.Name != "", true
			}
			return nil, false
		})
	}
	for _, rel := range r.cat.Relations() {
		if rel.Stub {
			continue
		}
		add(rel.Name, relKinds[rel.Kind], rel)
		for _, x := range rel.Indexes {
			add(in(rel, x.Name), "i", nil)
		}
	}
	for n := range r.sequences {
		add(n, "S", nil)
	}
	return out
}

func (r *replayer) pgNamespace() []sysRow {
	var out []sysRow
	for _, s := range r.cat.Schemas() {
		out = append(out, record(map[string]any{"oid": s, "nspname": s, "schema_name": s}))
	}
	return out
}

// pgTables serves pg_tables, pg_views, pg_matviews, information_schema.tables and
// views: the caller's name of the view picks the kinds.
func (r *replayer) pgTables() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		if rel.Stub {
			continue
		}
		m := map[string]any{
			"schemaname": rel.Schema, "table_schema": rel.Schema, "table_name": rel.Name.Name, "table_type": "BASE TABLE",
			"rowsecurity": rel.RLSEnabled, "kind": relKinds[rel.Kind],
		}
		switch rel.Kind {
		case catalog.View:
			m["viewname"], m["table_type"] = rel.Name.Name, "VIEW"
		case catalog.MaterializedView:
			m["matviewname"] = rel.Name.Name
		default:
			m["tablename"] = rel.Name.Name
		}
		out = append(out, record(m))
	}
	return out
}

// viewKinds are the kinds of relation that a system view lists.
var viewKinds = map[string]string{"pg_tables": "rp", "tables": "rpvf", "pg_views": "v", "views": "v", "pg_matviews": "m"}

func (r *replayer) pgIndexes() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		for _, x := range rel.Indexes {
			primary := false
			if c := rel.Constraint(x.Name); c != nil {
				primary = c.Kind == catalog.PrimaryKey
			}
			out = append(out, record(map[string]any{
				"schemaname": rel.Schema, "tablename": rel.Name.Name, "indexname": x.Name, "indexrelid": in(rel, x.Name).String(),
				"indrelid": rel.Name.String(), "indisunique": x.Unique, "indisprimary": primary, "indisvalid": x.Valid,
			}))
		}
	}
	return out
}

func (r *replayer) pgPolicies() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		for _, p := range rel.Policies {
			roles := []any{}
			for _, role := range p.Roles {
				roles = append(roles, role)
			}
			m := map[string]any{
				"schemaname": rel.Schema, "tablename": rel.Name.Name, "policyname": p.Name, "polname": p.Name,
				"polrelid": rel.Name.String(), "cmd": strings.ToUpper(p.Command), "roles": roles,
				"permissive": map[bool]string{true: "PERMISSIVE", false: "RESTRICTIVE"}[p.Permissive],
			}
			if !p.HasUsing {
				m["qual"], m["polqual"] = nil, nil
			}
			if !p.HasCheck {
				m["with_check"], m["polwithcheck"] = nil, nil
			}
			out = append(out, record(m))
		}
	}
	return out
}

var constraintLetters = map[catalog.ConstraintKind][2]string{
	catalog.PrimaryKey: {"p", "PRIMARY KEY"}, catalog.Unique: {"u", "UNIQUE"}, catalog.ForeignKey: {"f", "FOREIGN KEY"},
	catalog.Check: {"c", "CHECK"}, catalog.Exclusion: {"x", "EXCLUDE"},
}

func (r *replayer) pgConstraints() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		for _, c := range rel.Constraints {
			kind := constraintLetters[c.Kind]
			m := map[string]any{
				"conname": c.Name, "constraint_name": c.Name, "conrelid": rel.Name.String(), "connamespace": rel.Schema,
				"contype": kind[0], "constraint_type": kind[1], "table_schema": rel.Schema, "constraint_schema": rel.Schema,
				"table_name": rel.Name.Name, "convalidated": c.Validated, "oid": rel.Name.String() + "." + c.Name, "confrelid": "0",
			}
			if c.Kind == catalog.ForeignKey {
				m["confrelid"] = c.References.String()
				m["confdeltype"] = map[string]string{"no-action": "a", "restrict": "r", "cascade": "c", "set-null": "n", "set-default": "d"}[c.OnDelete]
			}
			out = append(out, record(m))
		}
	}
	return out
}

// keyColumns serves information_schema.key_column_usage.
func (r *replayer) keyColumns() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		for _, c := range rel.Constraints {
			if c.Kind == catalog.Check {
				continue
			}
			for _, col := range c.Columns {
				out = append(out, record(map[string]any{
					"constraint_name": c.Name, "constraint_schema": rel.Schema, "table_schema": rel.Schema, "table_name": rel.Name.Name,
					"column_name": col,
				}))
			}
		}
	}
	return out
}

func (r *replayer) pgColumns() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		if rel.Stub {
			continue
		}
		for i, c := range rel.Columns {
			out = append(out, func(name string) (any, bool) { return columnCell(rel, c, i, name) })
		}
	}
	return out
}

// columnCell is a cell of pg_attribute or information_schema.columns.
func columnCell(rel *catalog.Relation, c *catalog.Column, i int, name string) (any, bool) {
	switch name {
	case "attrelid":
		return rel.Name.String(), true
	case "attname", "column_name":
		return c.Name, true
	case "attnum", "ordinal_position":
		return int64(i + 1), true
	case "attisdropped":
		return false, true
	case "attnotnull":
		return c.NotNull, true
	case "atthasdef":
		return c.HasDefault, true
	case "table_schema":
		return rel.Schema, true
	case "table_name":
		return rel.Name.Name, true
	case "is_nullable":
		return map[bool]string{true: "NO", false: "YES"}[c.NotNull], true
	case "is_identity":
		return map[bool]string{true: "YES", false: "NO"}[c.Identity != ""], true
	case "is_generated":
		return map[bool]string{true: "ALWAYS", false: "NEVER"}[c.Generated], true
	case "column_default":
		return nil, !c.HasDefault
	case "data_type":
		return dataType(c), c.Type != ""
	case "udt_name":
		return c.TypeName.Name, c.TypeName.Name != "" && !strings.HasSuffix(c.Type, "[]")
	case "character_maximum_length":
		return maxLength(c.Type), true
	}
	return nil, false
}

// dataType is information_schema's name of a type.
func dataType(c *catalog.Column) string {
	switch {
	case strings.HasSuffix(c.Type, "[]"):
		return "ARRAY"
	case c.TypeName.Name != "":
		return "USER-DEFINED"
	}
	return withoutMods(c.Type)
}

func maxLength(t string) any {
	if !strings.HasPrefix(t, "character") {
		return nil
	}
	_, rest, ok := strings.Cut(t, "(")
	if !ok {
		return nil
	}
	return int64(atoi(strings.TrimSuffix(rest, ")")))
}

func atoi(s string) int {
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		return -atoi(rest)
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1<<24 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func (r *replayer) pgTypes() []sysRow {
	var out []sysRow
	kinds := map[string]string{"enum": "e", "domain": "d", "composite": "c", "range": "r"}
	for _, t := range r.cat.Types() {
		k := kinds[t.Kind]
		if k == "" {
			k = "b"
		}
		out = append(out, record(map[string]any{"oid": t.Name.String(), "typname": t.Name.Name, "typnamespace": t.Schema, "typtype": k}))
	}
	for _, rel := range r.cat.Relations() {
		out = append(out, record(map[string]any{"oid": rel.Name.String(), "typname": rel.Name.Name, "typnamespace": rel.Schema, "typtype": "c"}))
	}
	return out
}

func (r *replayer) pgEnums() []sysRow {
	var out []sysRow
	for _, t := range r.cat.Types() {
		for _, l := range t.Labels {
			out = append(out, record(map[string]any{"enumtypid": t.Name.String(), "enumlabel": l}))
		}
	}
	return out
}

func (r *replayer) pgProcs() []sysRow {
	var out []sysRow
	for _, f := range r.cat.AllFunctions() {
		out = append(out, record(map[string]any{
			"oid": f.Name.String() + "(" + strings.Join(f.Args, ", ") + ")", "proname": f.Name.Name, "pronamespace": f.Schema,
			"prosecdef": f.SecurityDefiner, "pronargs": int64(len(f.Args)), "prokind": f.Kind[:1],
			"routine_schema": f.Schema, "routine_name": f.Name.Name, "routine_type": strings.ToUpper(f.Kind),
		}))
	}
	return out
}

func (r *replayer) pgTriggers() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		for _, t := range rel.Triggers {
			out = append(out, record(map[string]any{
				"tgname": t, "tgrelid": rel.Name.String(), "tgisinternal": false, "trigger_name": t, "trigger_schema": rel.Schema,
				"event_object_schema": rel.Schema, "event_object_table": rel.Name.Name,
			}))
		}
	}
	return out
}

func (r *replayer) pgExtensions() []sysRow {
	out := []sysRow{record(map[string]any{"extname": "plpgsql"})}
	for n := range r.cat.Extensions {
		out = append(out, record(map[string]any{"extname": n}))
	}
	return out
}

func (r *replayer) pgRoles() []sysRow {
	out := []sysRow{record(map[string]any{"rolname": "postgres"})}
	for n := range r.cat.Roles {
		out = append(out, record(map[string]any{"rolname": n}))
	}
	return out
}

func (r *replayer) pgInherits() []sysRow {
	var out []sysRow
	for _, rel := range r.cat.Relations() {
		parents := slices.Clone(rel.Inherits)
		if rel.PartitionOf.Name != "" {
			parents = append(parents, rel.PartitionOf)
		}
		for _, p := range parents {
			out = append(out, record(map[string]any{"inhrelid": rel.Name.String(), "inhparent": p.String()}))
		}
	}
	return out
}

func (r *replayer) pgSequences() []sysRow {
	var out []sysRow
	for n := range r.sequences {
		out = append(out, record(map[string]any{"schemaname": n.Schema, "sequencename": n.Name}))
	}
	return out
}
