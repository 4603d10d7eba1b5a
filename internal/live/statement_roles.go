package live

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// StatementRole is a role that ran statements.
type StatementRole struct {
	Name string
	// Bypasses is set where no row security binds it: a superuser, or BYPASSRLS. Owns
	// are tables whose policies do not bind it because they are its own, schema.name.
	Bypasses bool
	Owns     []string
}

// StatementRoles reads who ran some statements, by UserID. A member of a table's owner
// is an owner. A role that is gone is not there.
func (s *Session) StatementRoles(ctx context.Context, all []Statement) (map[int64]StatementRole, error) {
	out := map[int64]StatementRole{}
	used := map[int64]bool{}
	for i := range all {
		used[all[i].UserID] = true
	}
	rows, err := s.Query(ctx, `select r.oid::int8::text, r.rolname::text, (r.rolsuper or r.rolbypassrls)::text,
		(select coalesce(pg_catalog.json_agg(n.nspname || '.' || c.relname order by 1), '[]') from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where c.relrowsecurity and not c.relforcerowsecurity and pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))::text
		from pg_catalog.pg_roles r where r.rolname !~ '^pg_'`)
	if err != nil {
		return nil, fmt.Errorf("reading the roles that ran statements: %w", err)
	}
	for _, row := range rows {
		id, err := strconv.ParseInt(*row[0], 10, 64)
		if err != nil {
			return nil, err
		}
		if !used[id] {
			continue
		}
		r := StatementRole{Name: *row[1], Bypasses: *row[2] == "true"}
		if err := json.Unmarshal([]byte(*row[3]), &r.Owns); err != nil {
			return nil, err
		}
		out[id] = r
	}
	return out, nil
}
