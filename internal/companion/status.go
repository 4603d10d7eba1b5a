package companion

import (
	"context"
	"fmt"
	"strings"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/live"
)

// Kind is in which form planvet's objects are in a database.
type Kind string

// Absent: there is no schema planvet. Extension: create extension made it. Companion:
// Install made it. Foreign: there is a schema of this name, and it is not planvet's.
const (
	Absent    Kind = "absent"
	Extension Kind = "extension"
	Companion Kind = "companion"
	Foreign   Kind = "foreign"
)

// State is what planvet has in a database.
type State struct {
	Kind Kind `json:"kind"`
	// Version is what is installed, "" where nothing is; Newest is what this planvet
	// installs.
	Version string `json:"version,omitempty"`
	Newest  string `json:"newest"`
	// Database, Role and Server are of the session: app, postgres, 15.18.
	Database string `json:"database"`
	Role     string `json:"role"`
	Server   string `json:"server"`
	// Owner owns the schema; Readers are the roles beside it that may use it.
	Owner   string   `json:"owner,omitempty"`
	Readers []string `json:"readers,omitempty"`
	// MayUse says whether this role may read the objects, and MayChange whether it may
	// upgrade and remove them. Who calls a function runs what its owner wrote, so a
	// superuser uses a lesser owner's objects as little as planvet does: Distrusted.
	MayUse     bool `json:"may_use"`
	MayChange  bool `json:"may_change"`
	Distrusted bool `json:"distrusted,omitempty"`
	// Others are objects in a companion's schema that it did not make, as the server
	// prints them: table planvet.notes.
	Others []string `json:"others,omitempty"`
	// Statements is where pg_stat_statements is: 1.10 in extensions; "" where it is not
	// in this database.
	Statements string `json:"pg_stat_statements,omitempty"`
	// AllStats says whether this role sees the statements and waits of others, OwnerSees
	// whether the schema's owner does, as whom its functions read.
	AllStats  bool `json:"all_stats"`
	OwnerSees bool `json:"-"`
	// Snapshots are those of statements that are kept.
	Snapshots int `json:"snapshots"`
	// Gains is what installing, upgrading or being let in would add for this role, a
	// line each: lower case, no full stop.
	Gains []string `json:"gains,omitempty"`
	// Replica is set on a server that only follows another.
	Replica bool `json:"replica"`
}

// Status reads what planvet has in the session's database. It only reads, with
// whatever rights the role has.
func Status(ctx context.Context, s *live.Session) (*State, error) {
	st := &State{Newest: extension.Version(), Server: s.Version()}
	// Nothing of the schema is called here: whoever may create in the database can make
	// one of this name.
	all, err := s.Queries(ctx, placeQuery, schemaQuery, statementsQuery)
	if err == nil {
		r := all[0][0]
		st.Database, st.Role, st.Replica, st.AllStats = *r[0], *r[1], *r[2] == "true", *r[3] == "true"
		if st.Kind = Absent; len(all[1]) > 0 {
			st.readSchema(all[1][0])
		}
		if len(all[2]) > 0 {
			st.Statements = *all[2][0][0]
		}
		err = st.readObjects(ctx, s)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for planvet's objects: %w", err)
	}
	st.Gains = st.gains()
	return st, nil
}

const (
	placeQuery = `select pg_catalog.current_database()::text, current_user::text, pg_catalog.pg_is_in_recovery()::text,
		pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')::text`
	schemaQuery = `select o.rolname::text, o.rolsuper::text, (o.rolname = current_user)::text, m.rolsuper::text,
		pg_catalog.has_schema_privilege(n.oid, 'USAGE')::text,
		(select e.extversion from pg_catalog.pg_extension e where e.extname = 'planvet'),
		(select pg_catalog.substring(pg_catalog.obj_description(c.oid, 'pg_class'), '^made by planvet companion ([0-9.]+):')
			from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relname = 'companion' and c.relkind = 'r'),
		pg_catalog.array_to_string(array(select distinct pg_catalog.pg_get_userbyid(a.grantee)
			from pg_catalog.pg_proc p cross join lateral pg_catalog.aclexplode(p.proacl) a
			where p.pronamespace = n.oid and p.proname = 'version' and a.grantee <> 0 and a.grantee <> n.nspowner order by 1), e'\n'),
		pg_catalog.pg_has_role(n.nspowner, 'pg_read_all_stats', 'USAGE')::text
	from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner, pg_catalog.pg_roles m
	where n.nspname = 'planvet' and m.rolname = current_user`
	statementsQuery = `select e.extversion || ' in ' || n.nspname from pg_catalog.pg_extension e
		join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`
)

// readSchema reads the row of schemaQuery.
func (st *State) readSchema(r []*string) {
	st.Owner, st.OwnerSees = *r[0], *r[8] == "true"
	switch {
	case r[5] != nil:
		st.Kind, st.Version = Extension, *r[5]
	case r[6] != nil:
		st.Kind, st.Version = Companion, *r[6]
	default:
		st.Kind = Foreign
		return
	}
	powerful, own, super := *r[1] == "true", *r[2] == "true", *r[3] == "true"
	st.Distrusted = super && !powerful && !own
	st.MayUse = *r[4] == "true" && !st.Distrusted
	st.MayChange = own || powerful && super
	if *r[7] != "" {
		st.Readers = strings.Split(*r[7], "\n")
	}
}

// readObjects reads what only who may use the schema can.
func (st *State) readObjects(ctx context.Context, s *live.Session) error {
	if !st.MayUse {
		return nil
	}
	rows, err := s.Query(ctx, "select pg_catalog.count(*)::text from planvet.snapshots")
	if err != nil {
		return err
	}
	fmt.Sscan(*rows[0][0], &st.Snapshots)
	if st.Kind != Companion || !st.MayChange {
		return nil
	}
	rows, err = s.Query(ctx, `select i.type || ' ' || i.identity from (`+objects+`) i
		where not exists (select from planvet.companion c where c.kind = i.type and c.object = i.identity) order by 1`)
	for _, r := range rows {
		st.Others = append(st.Others, *r[0])
	}
	return err
}

// gains names what this role cannot have now, by what stands in the way.
func (st *State) gains() []string {
	var out []string
	switch {
	case st.Kind == Foreign:
		return nil
	case (st.Kind == Companion || st.Kind == Extension) && st.MayUse:
		if older(st.Version, "1.1") {
			out = append(out,
				"planvet.lock_tree(): who blocks whom, and since when",
				"planvet.pool_state() and connection_headroom(): connections by state, those idle in a transaction, and how many are left",
				"temp, WAL, planning, JIT and read times of each statement in planvet.statement_deltas()")
		}
		if older(st.Version, "1.2") {
			out = append(out, "planvet.statement_counters(): the figures of other roles' statements as they are now, which planvet monitor shows to readers without pg_read_all_stats")
		}
		return out
	}
	if st.Statements != "" {
		out = append(out, "planvet.statement_deltas(): what statements did between two snapshots that planvet.snapshot() took, also of last week; without it only while planvet watches")
	}
	if !st.AllStats {
		out = append(out, "planvet.statement_counters(): the figures of other roles' statements without their texts, which planvet monitor shows then")
		out = append(out, "planvet.lock_tree(), pool_state() and connection_headroom(): waits, states and idle transactions of other roles, which "+st.Role+" may not see without pg_read_all_stats")
	} else {
		out = append(out, "planvet.lock_tree(), pool_state() and connection_headroom(): for roles that are no members of pg_read_all_stats")
	}
	return append(out,
		"planvet.explain_as(): the plan of a statement as a role with claims, from any SQL client",
		"planvet.unindexed_foreign_keys and policy_report: for people and dashboards that have SQL alone")
}

// Has says whether this role may use what came with a version.
func (st *State) Has(version string) bool {
	return st.MayUse && (st.Kind == Companion || st.Kind == Extension) && !older(st.Version, version)
}

// older compares versions number by number.
func older(a, b string) bool {
	var x, y [2]int
	fmt.Sscanf(a, "%d.%d", &x[0], &x[1])
	fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
}
