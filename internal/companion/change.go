package companion

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/live"
)

// ErrRefused says that nothing was done because of what is in the database.
var ErrRefused = errors.New("nothing was done")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// Change is what a command does to a database. Apply does it.
type Change struct {
	// Before is the state that the change starts from.
	Before *State
	// SQL is all that is sent, in one transaction; "" where there is nothing to do.
	SQL string
}

// Install plans the installation of a version, "" for the newest, with readers beside
// pg_monitor. Where that version is there already, it only lets new readers in.
func Install(ctx context.Context, s *live.Session, version string, readers []string) (*Change, error) {
	st, err := Status(ctx, s)
	if err != nil {
		return nil, err
	}
	if version == "" {
		version = st.Newest
	}
	c := &Change{Before: st}
	switch {
	case st.Kind == Foreign:
		return nil, refused("database %s has a schema planvet of %s that planvet did not make: rename it", st.Database, st.Owner)
	case st.Replica:
		return nil, refused("the server is a read replica: install on its primary, and it comes here by itself")
	case st.Kind == Absent:
		if err := mayCreate(ctx, s, st); err != nil {
			return nil, err
		}
		steps, err := extension.Path("", version)
		if err != nil {
			return nil, refused("%v", err)
		}
		c.SQL = transaction(sqlOf(steps), manifest, madeBy(version), record, letIn(readers))
		return c, nil
	case !st.MayChange:
		return nil, refused("planvet is there as the %s of %s: connect as that role, not as %s", st.Kind, st.Owner, st.Role)
	case st.Version != version:
		return nil, refused("planvet %s is there as %s: %s", st.Version, st.Kind, st.upgradeHint())
	}
	if slices.ContainsFunc(readers, func(r string) bool { return !slices.Contains(st.Readers, r) }) {
		c.SQL = transaction(letIn(readers))
	}
	return c, nil
}

func (st *State) upgradeHint() string {
	if st.Kind == Extension {
		return "run alter extension planvet update"
	}
	return "run planvet companion upgrade"
}

// Upgrade plans the way from the installed version to the newest.
func Upgrade(ctx context.Context, s *live.Session) (*Change, error) {
	st, err := changeable(ctx, s, "upgrade", "alter extension planvet update")
	if err != nil {
		return nil, err
	}
	switch {
	case st.Kind == Absent:
		return nil, refused("planvet is not in database %s: run planvet companion install", st.Database)
	case st.Version == st.Newest:
		return &Change{Before: st}, nil
	case older(st.Newest, st.Version):
		return nil, refused("planvet %s is there, and this planvet knows %s: take a newer planvet", st.Version, st.Newest)
	}
	steps, err := extension.Path(st.Version, st.Newest)
	if err != nil {
		return nil, refused("%v", err)
	}
	return &Change{Before: st, SQL: transaction(sqlOf(steps), "delete from planvet.companion;\n", madeBy(st.Newest), record)}, nil
}

// Remove plans the removal of all that Install and Upgrade made.
func Remove(ctx context.Context, s *live.Session) (*Change, error) {
	st, err := changeable(ctx, s, "remove", "drop extension planvet")
	if err != nil {
		return nil, err
	}
	if st.Kind == Absent {
		return &Change{Before: st}, nil
	}
	// The names are the server's own, never what the table says.
	rows, err := s.Query(ctx, `select i.type, i.identity from (`+objects+`) i
		join planvet.companion c on c.kind = i.type and c.object = i.identity order by 1, 2`)
	if err != nil {
		return nil, fmt.Errorf("reading what the companion made: %w", err)
	}
	byKind := map[string][]string{}
	for _, r := range rows {
		byKind[*r[0]] = append(byKind[*r[0]], *r[1])
	}
	var sql strings.Builder
	// Functions read tables, and a view calls one. Sequences go with their tables.
	// Without cascade: what others built on these objects stops the removal.
	for _, kind := range []string{"view", "function", "table"} {
		if len(byKind[kind]) > 0 {
			fmt.Fprintf(&sql, "drop %s %s;\n", kind, strings.Join(byKind[kind], ",\n  "))
		}
	}
	sql.WriteString("drop schema planvet;\n")
	return &Change{Before: st, SQL: transaction(sql.String())}, nil
}

// changeable is the state where the companion may be changed.
func changeable(ctx context.Context, s *live.Session, verb, extensionSQL string) (*State, error) {
	st, err := Status(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case st.Kind == Foreign:
		return nil, refused("database %s has a schema planvet of %s that planvet did not make", st.Database, st.Owner)
	case st.Kind == Extension:
		return nil, refused("planvet is there as an extension: %s does it", extensionSQL)
	case st.Kind == Companion && !st.MayChange:
		return nil, refused("the schema planvet is %s's: %s it as %s, not as %s", st.Owner, verb, st.Owner, st.Role)
	case st.Replica && st.Kind == Companion:
		return nil, refused("the server is a read replica: %s on its primary", verb)
	case len(st.Others) > 0:
		return nil, refused("schema planvet has what planvet did not make: %s; set another schema for it first", strings.Join(st.Others, ", "))
	}
	return st, nil
}

func mayCreate(ctx context.Context, s *live.Session, st *State) error {
	rows, err := s.Query(ctx, "select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')::text")
	if err != nil {
		return err
	}
	if *rows[0][0] != "true" {
		return refused("%s may not create a schema in database %s: grant create on database %s to %s",
			st.Role, st.Database, quote(st.Database), quote(st.Role))
	}
	return nil
}

func sqlOf(steps []extension.Script) string {
	var out strings.Builder
	for _, s := range steps {
		out.WriteString(s.SQL)
	}
	return out.String()
}

// objects are the type and identity of all that is in the schema planvet, what goes
// with another object left out.
const objects = `select o.type, o.identity from pg_catalog.pg_depend d
	cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
	where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = 'planvet'::pg_catalog.regnamespace`

const record = "insert into planvet.companion (kind, object) " + objects + ";\n"

// manifest remembers what was made, so that nothing else is ever dropped.
const manifest = `create table planvet.companion (kind text not null, object text not null, primary key (object, kind));
`

// madeBy is where Status reads the version of a companion.
func madeBy(version string) string {
	return "comment on table planvet.companion is 'made by planvet companion " + version + ": the objects that it may drop';\n"
}

func letIn(readers []string) string {
	if len(readers) == 0 {
		return ""
	}
	var names []string
	for _, r := range readers {
		names = append(names, "'"+strings.ReplaceAll(r, "'", "''")+"'")
	}
	return "select planvet.set_readers(planvet.readers() || array[" + strings.Join(names, ", ") + "]::name[]);\n"
}

// transaction runs the scripts as create extension would: names are looked up in
// pg_catalog alone.
func transaction(parts ...string) string {
	return "begin;\nset local search_path = pg_catalog, pg_temp;\nset local standard_conforming_strings = on;\n" +
		"set local client_min_messages = warning;\nset local lock_timeout = '5s';\n" + strings.Join(parts, "") + "commit;\n"
}

// Apply sends the change. On an error nothing has changed.
func (c *Change) Apply(ctx context.Context, s *live.Session) error {
	if c.SQL == "" {
		return nil
	}
	conn := s.Conn().PgConn()
	if _, err := conn.Exec(ctx, c.SQL).ReadAll(); err != nil {
		if !conn.IsClosed() {
			_, e := conn.Exec(ctx, "rollback").ReadAll()
			err = errors.Join(plain(err), e)
		}
		return err
	}
	return nil
}

// plain is a server's error with its detail, which names what stands in the way.
func plain(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Detail == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, pg.Detail)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
