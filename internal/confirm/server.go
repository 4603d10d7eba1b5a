package confirm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

var sqlstate = regexp.MustCompile(` \(SQLSTATE ([0-9A-Z]{5})\)`)

// code is an error's SQLSTATE, "" for other errors. It is read from the text, so
// that this package needs no driver.
func code(err error) string {
	if m := sqlstate.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return ""
}

// message is a server's error as a reason has it: one line without its SQLSTATE.
func message(err error) string {
	text := sqlstate.ReplaceAllString(err.Error(), "")
	text = strings.ReplaceAll(text, "ERROR: ", "")
	return strings.Join(strings.Fields(text), " ")
}

// SQLSTATEs that the probe's own role runs into.
const (
	insufficientPrivilege = "42501"
	undefinedObject       = "42704"
	invalidParameter      = "22023"
)

// explain asks for a plan. On a server of planvet's own a role that is not there
// is created and one without rights is given them: who may read a table decides
// nothing about how it is read. The verdict says so.
func (a *asker) explain(r plan.Request) (*plan.Plan, error) {
	if r.Analyze {
		r.Timeout = runTimeout
	}
	p, err := a.o.Server.Explain(a.ctx, r)
	if err != nil && a.admit(r.Role, err) {
		p, err = a.o.Server.Explain(a.ctx, r)
		if err != nil && a.admit(r.Role, err) {
			p, err = a.o.Server.Explain(a.ctx, r)
		}
	}
	return p, err
}

func (a *asker) run(r plan.Request, each [][]*string) (plan.Outcome, error) {
	r.Timeout = runTimeout
	out, err := a.o.Server.Run(a.ctx, r, each)
	if err != nil && a.admit(r.Role, err) {
		out, err = a.o.Server.Run(a.ctx, r, each)
	}
	return out, err
}

// admit answers an error that is about the role alone and reports whether the
// question is worth another try.
func (a *asker) admit(role string, cause error) bool {
	if role == "" || a.o.Live {
		return false
	}
	var sql, says string
	switch c := code(cause); {
	case (c == undefinedObject || c == invalidParameter) && strings.Contains(cause.Error(), `role "`+role+`"`):
		sql, says = "create role "+quote(role)+" nologin", "role "+role+" was created for the probe"
	case c == insufficientPrivilege:
		sql = GrantAll(a.cat, role)
		says = "role " + role + " was given rights for the probe"
	default:
		return false
	}
	if slices.Contains(a.granted, says) || a.o.Server.Exec(a.ctx, sql) != nil {
		return false
	}
	a.granted = append(a.granted, says)
	return true
}

// GrantAll are the statements that let a role do all that policies do not forbid,
// on a server of planvet's own.
func GrantAll(cat *catalog.Catalog, role string) string {
	sql := ""
	for _, s := range cat.Schemas() {
		sql += fmt.Sprintf("grant usage on schema %[1]s to %[2]s; grant all on all tables in schema %[1]s to %[2]s; "+
			"grant all on all sequences in schema %[1]s to %[2]s; grant execute on all routines in schema %[1]s to %[2]s; ", quote(s), quote(role))
	}
	return sql
}

// indexes are the definitions of the indexes on some relations, printed as the
// plans of this session print conditions.
func (a *asker) indexes(rels []catalog.Name) (plan.Indexes, error) {
	out := plan.Indexes{}
	for _, rel := range rels {
		name := ident(rel)
		rows, err := a.o.Server.Query(a.ctx, `select n.nspname::text, i.relname::text, am.amname::text, (x.indpred is not null)::text, x.indnkeyatts::text,
			pg_get_indexdef(x.indexrelid, k, false)
			from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace join pg_am am on am.oid = i.relam,
			generate_series(1, x.indnkeyatts) k where x.indrelid = to_regclass($1) order by 1, 2, k`, &name)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			key := *r[0] + "." + *r[1]
			def := out[key]
			def.Name, def.Method, def.Partial = *r[1], *r[2], *r[3] == "true"
			def.Keys = append(def.Keys, *r[5])
			out[key] = def
		}
	}
	return out, nil
}

// relation is what the structural judgement needs to know of a relation, and the
// relation with all its partitions.
func (a *asker) relation(schema, table, alias string) (plan.Relation, []catalog.Name) {
	rel := plan.Relation{Schema: schema, Table: table, Alias: alias}
	all := []catalog.Name{{Schema: schema, Name: table}}
	r := a.cat.Relation(schema, table)
	if r == nil {
		return rel, all
	}
	var below func(n catalog.Name)
	below = func(n catalog.Name) {
		for _, c := range a.cat.Relations() {
			if c.PartitionOf != n && !slices.Contains(c.Inherits, n) {
				continue
			}
			if rel.Parts == nil {
				rel.Parts = map[string]bool{}
			}
			rel.Parts[c.Name.String()] = true
			all = append(all, c.Name)
			if c.Kind == catalog.Table && r.Kind == catalog.PartitionedTable {
				rel.Leaves++
			}
			below(c.Name)
		}
	}
	below(r.Name)
	return rel, all
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func ident(n catalog.Name) string { return quote(n.Schema) + "." + quote(n.Name) }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func ptr(s string) *string { return &s }
