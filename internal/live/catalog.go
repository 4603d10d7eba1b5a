package live

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// LoadCatalog reads a server's schema without the system's own and without what
// extensions own, every expression in normal form. It pins an empty search_path
// for the time of its transaction, so that names come out qualified.
func LoadCatalog(ctx context.Context, conn *pgx.Conn) (*catalog.Catalog, error) {
	return loadCatalog(ctx, conn, "")
}

// loadCatalog is LoadCatalog under limits: SET LOCAL statements.
func loadCatalog(ctx context.Context, conn *pgx.Conn, limits string) (*catalog.Catalog, error) {
	begin := marked("begin isolation level repeatable read, read only") + "; " + limits + marked("set local search_path = ''")
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin, CommitQuery: marked("commit")})
	if err != nil {
		return nil, fmt.Errorf("reading the catalog: %w", err)
	}
	defer tx.Rollback(ctx)
	l := &loader{cat: catalog.New(), rels: map[uint32]*catalog.Relation{}, major: majorOf(conn)}
	for _, step := range []struct {
		what string
		load func()
	}{
		{"schemas", l.schemas}, {"extensions", l.extensions}, {"roles", l.roles},
		{"types", l.types}, {"relations", l.relations}, {"columns", l.columns},
		{"composite types", l.composites}, {"partitions", l.partitions}, {"functions", l.functions},
		{"constraints", l.constraints}, {"indexes", l.indexes}, {"policies", l.policies}, {"triggers", l.triggers},
	} {
		l.step = step.what
		step.load()
	}
	if err := tx.SendBatch(ctx, &l.batch).Close(); err != nil {
		return nil, err
	}
	l.normalise()
	return l.cat, nil
}

// loader asks for all at once: a round trip for each part is what a schema costs most.
type loader struct {
	batch pgx.Batch
	// step is what the parts that are asked for now are: relations.
	step  string
	cat   *catalog.Catalog
	major int
	// rels are the relations by oid.
	rels map[uint32]*catalog.Relation
	// texts are the expressions to bring into normal form once every name that
	// they may use is known.
	texts []expression
}

type expression struct {
	text *string
	self catalog.Name
}

// rows has f called for each row of a query, scanned into dest, after all that was asked
// for before.
func (l *loader) rows(sql string, dest []any, f func()) {
	step := l.step
	l.batch.Queue(marked(sql)).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, dest, func() error {
			f()
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the catalog's %s: %w", step, err)
		}
		return nil
	})
}

// later notes an expression for normalise.
func (l *loader) later(text *string, self catalog.Name) {
	if *text != "" {
		l.texts = append(l.texts, expression{text, self})
	}
}

// normalise brings expressions into normal form. One that the grammar does not
// know stays as the server prints it.
func (l *loader) normalise() {
	env := names{l.cat}
	for _, x := range l.texts {
		if e, err := pgast.ParseExpr(*x.text); err == nil {
			*x.text = pgast.Normal(e, env, pgast.Name{Schema: x.self.Schema, Name: x.self.Name})
		}
	}
}

// userSchema is the condition that a row of pg_namespace n is not the system's.
const userSchema = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp_|toast_temp_)'`

// ofUser is the condition that a relation of pg_class is in no schema of the system's,
// which has more columns and indexes than most applications.
func ofUser(relation string) string {
	return relation + `.relnamespace in (select n.oid from pg_catalog.pg_namespace n where ` + userSchema + `)`
}

// notOfExtension is the condition that an object of a catalog is not a member of
// an extension.
func notOfExtension(class, oid string) string {
	return `not exists (select 1 from pg_catalog.pg_depend d where d.classid = 'pg_catalog.` + class +
		`'::pg_catalog.regclass and d.objid = ` + oid + ` and d.deptype = 'e')`
}

func (l *loader) schemas() {
	var name string
	l.rows(`select n.nspname from pg_catalog.pg_namespace n where `+userSchema+` order by 1`,
		[]any{&name}, func() { l.cat.AddSchema(name) })
}

func (l *loader) extensions() {
	var name string
	l.rows(`select extname from pg_catalog.pg_extension where extname <> 'plpgsql' order by 1`,
		[]any{&name}, func() { l.cat.Extensions[name] = catalog.Location{} })
}

func (l *loader) roles() {
	var name string
	var bypass, super bool
	l.rows(`select rolname, rolbypassrls, rolsuper from pg_catalog.pg_roles where rolname !~ '^pg_' order by 1`,
		[]any{&name, &bypass, &super}, func() {
			l.cat.Roles[name] = catalog.Role{BypassRLS: bypass, Superuser: super}
		})
}

func (l *loader) types() {
	var schema, name, kind, base string
	var labels []string
	sql := `select n.nspname, t.typname, t.typtype::text,
		coalesce(pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod), ''),
		array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)
		from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
		where t.typtype in ('e', 'd', 'r') and ` + userSchema + ` and ` + notOfExtension("pg_type", "t.oid") + ` order by 1, 2`
	kinds := map[string]string{"e": "enum", "d": "domain", "r": "range"}
	l.rows(sql, []any{&schema, &name, &kind, &base, &labels}, func() {
		t := &catalog.Type{Name: catalog.Name{Schema: schema, Name: name}, Kind: kinds[kind], Base: printed(base)}
		if len(labels) > 0 {
			t.Labels = slices.Clone(labels)
		}
		l.cat.AddType(t)
	})
}

func (l *loader) triggers() {
	var oid uint32
	var name string
	sql := `select tgrelid, tgname from pg_catalog.pg_trigger where not tgisinternal order by 1, 2`
	l.rows(sql, []any{&oid, &name}, func() {
		if r := l.rels[oid]; r != nil {
			r.Triggers = append(r.Triggers, name)
		}
	})
}

func (l *loader) policies() {
	var oid uint32
	var p catalog.Policy
	var command string
	var using, check *string
	sql := `select polrelid, polname, polcmd::text, polpermissive,
		array(select case when r = 0 then 'public' else pg_catalog.pg_get_userbyid(r)::text end from unnest(polroles) r order by 1),
		pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid)
		from pg_catalog.pg_policy order by 1, 2`
	commands := map[string]string{"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}
	l.rows(sql, []any{&oid, &p.Name, &command, &p.Permissive, &p.Roles, &using, &check}, func() {
		r := l.rels[oid]
		if r == nil {
			return
		}
		q := p
		q.Command, q.Roles = commands[command], slices.Clone(p.Roles)
		slices.Sort(q.Roles)
		q.Using, q.HasUsing = value(using), using != nil
		q.Check, q.HasCheck = value(check), check != nil
		l.later(&q.Using, r.Name)
		l.later(&q.Check, r.Name)
		r.Policies = append(r.Policies, &q)
	})
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
