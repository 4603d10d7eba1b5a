package live

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// Part names what of a server's schema is wanted.
type Part struct {
	Relations []catalog.Name
	// Texts are statements; every relation, type and function that they name is
	// wanted too.
	Texts []string
	// Roles are those that statements will run as, beside the session's own. Their
	// rights are read, and those of the roles that they are members of.
	Roles []string
}

// Schema is a part of a server's schema as statements that make it anew, for an
// empty database to plan on. It holds no rows, no values of statistics and no
// secrets.
type Schema struct {
	Version string
	Major   int
	// User is the role that the session runs as, SearchPath the schemas in which it
	// looks for names.
	User       string
	SearchPath []string
	// Collate and CType are the database's locale; PlainC is set where texts are
	// ordered by their bytes, so that a plain btree serves LIKE 'x%'.
	Collate, CType string
	PlainC         bool
	// Statements are in an order in which they can be run; function bodies must not
	// be checked.
	Statements []SchemaStatement
	// Relations are those that are made, of every kind.
	Relations []catalog.Name
	// LeftOut names what was not read, each with the reason, and what that does.
	LeftOut []string
}

// SchemaStatement makes one object, or a part of one.
type SchemaStatement struct {
	// Object says what it is about: table public.orders.
	Object string
	SQL    string
}

// Has reports whether a relation is among those that the schema makes.
func (s *Schema) Has(name catalog.Name) bool {
	for _, r := range s.Relations {
		if r == name {
			return true
		}
	}
	return false
}

// DumpSchema reads a part of the schema from the system catalogs, in one read-only
// transaction. It needs no right beyond a connection. What the wanted relations need
// comes along:
//
//  1. what pg_depend knows of: types, functions, sequences, views' relations,
//     extensions; of partitions the whole tree;
//  2. what function bodies name, read as text, so that it may be too much;
//  3. foreign keys among the relations, not those to others.
//
// Triggers and rules are left out: no plan of a table depends on them.
func (s *Session) DumpSchema(ctx context.Context, p Part) (out *Schema, err error) {
	if err := s.Begin(ctx); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	defer func() { err = errors.Join(err, s.Rollback(ctx)) }()
	d := &schemaDump{
		dump: dump{s: s, ctx: ctx}, out: &Schema{Version: s.Version(), Major: s.Major()},
		objects: map[ref]*object{}, said: map[string]bool{}, roles: map[string]bool{},
	}
	for _, step := range []func(){
		d.session, func() { d.roots(p) }, d.close,
		func() { d.writeRoles(p.Roles) }, d.writeSchemas, d.writeExtensions, d.writeObjects, d.writeDefaults, d.writeAttached,
		d.writeConstraints, d.writeIndexes, d.writeForeignKeys, d.writeStatistics, d.writePolicies, d.writeOwners, d.writeGrants,
	} {
		step()
	}
	if d.err != nil {
		return nil, fmt.Errorf("reading the schema: %w", d.err)
	}
	return d.out, nil
}

// schemaDump is one reading of a schema.
type schemaDump struct {
	dump
	out *Schema
	// objects are what is wanted; order is in which they were found.
	objects map[ref]*object
	order   []*object
	// extensions are the names of those that are wanted.
	extensions []string
	roles      map[string]bool
	said       map[string]bool
}

// ref is an object's address: a system catalog and an oid, as text.
type ref struct{ class, oid string }

// object is something that the schema makes.
type object struct {
	ref
	// kind is pg_class.relkind, pg_type.typtype or pg_proc.prokind.
	kind                string
	schema, name, owner string
	// needs must be there before it.
	needs []ref
	done  bool
}

func (o *object) ident() string { return quote(o.schema) + "." + quote(o.name) }

func (o *object) relationName() catalog.Name { return catalog.Name{Schema: o.schema, Name: o.name} }

// session reads what statements run under, and makes the server print names with
// their schemas.
func (d *schemaDump) session() {
	locale := "d.datcollate, d.datctype, (d.datcollate in ('C', 'POSIX'))::text"
	if d.s.Major() >= 15 {
		locale = "d.datcollate, d.datctype, (d.datlocprovider = 'c' and d.datcollate in ('C', 'POSIX') or d.datlocprovider = 'b')::text"
	}
	d.each("select current_user, "+locale+" from pg_catalog.pg_database d where d.datname = current_database()", func(v []string) {
		d.out.User, d.out.Collate, d.out.CType, d.out.PlainC = v[0], v[1], v[2], v[3] == "true"
	})
	d.each("select unnest(pg_catalog.current_schemas(false))::text", func(v []string) { d.out.SearchPath = append(d.out.SearchPath, v[0]) })
	if d.err == nil {
		d.err = d.s.Exec(d.ctx, "set local search_path = ''")
	}
}

func (d *schemaDump) add(object, sql string) {
	d.out.Statements = append(d.out.Statements, SchemaStatement{Object: object, SQL: sql})
}

func (d *schemaDump) leftOut(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !d.said[text] {
		d.said[text] = true
		d.out.LeftOut = append(d.out.LeftOut, text)
	}
}

// with reads rows of a query about some oids, which it has as $1::oid[].
func (d *schemaDump) with(oids []string, sql string, row func(v []string)) {
	if len(oids) > 0 {
		d.eachWith([]string{"{" + strings.Join(oids, ",") + "}"}, sql, row)
	}
}

// oids are those of the objects of a class and of some kinds.
func (d *schemaDump) oids(class, kinds string) []string {
	var out []string
	for _, o := range d.order {
		if o.class == class && strings.Contains(kinds, o.kind) {
			out = append(out, o.oid)
		}
	}
	return out
}

func (d *schemaDump) relation(oid string) *object { return d.objects[ref{"pg_class", oid}] }

// array writes texts as PostgreSQL reads an array of them.
func array(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
