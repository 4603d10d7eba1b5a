package extension_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// withFiles starts a server of its own from a copy of the test server's installation
// that has the extension's files. Nothing is written into the installation itself: the
// copy is of links, but for the programs, which look for their files from where they
// lie, and the folder of extensions.
func withFiles(t *testing.T, settings ...string) *shadow.Server {
	t.Helper()
	conn := shadowtest.Connect(t)
	var bin, share, lib string
	if err := conn.QueryRow(t.Context(), `select max(setting) filter (where name = 'BINDIR'), max(setting) filter (where name = 'SHAREDIR'),
		max(setting) filter (where name = 'PKGLIBDIR') from pg_config`).Scan(&bin, &share, &lib); err != nil {
		t.Fatal(err)
	}
	// The server runs as another user where the test is root's: t.TempDir is closed to him.
	root, err := os.MkdirTemp("/tmp", "planvet-ext-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	to := func(path string) string { return filepath.Join(root, path) }
	for _, dir := range []string{bin, share, filepath.Join(share, "extension"), filepath.Dir(lib)} {
		if err := os.MkdirAll(to(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Libraries lie beside the folder of modules, or are the system's.
	linkAll(t, filepath.Dir(lib), to(filepath.Dir(lib)))
	linkAll(t, share, to(share))
	linkAll(t, filepath.Join(share, "extension"), to(filepath.Join(share, "extension")))
	for _, name := range []string{"postgres", "initdb"} {
		text, err := os.ReadFile(filepath.Join(bin, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to(bin), name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(to(filepath.Join(share, "extension")), extension.Files()); err != nil {
		t.Fatal(err)
	}
	s, err := shadow.Start(t.Context(), shadow.Options{
		Bin: to(bin), Settings: append([]string{"shared_preload_libraries=pg_stat_statements"}, settings...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	if s.Version() != shadowtest.Server(t).Version() {
		t.Fatalf("the copy is of PostgreSQL %s, the original of %s", s.Version(), shadowtest.Server(t).Version())
	}
	return s
}

// linkAll links what is in a folder into another; what is there already stays.
func linkAll(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// run runs statements, one or several a text.
func run(t *testing.T, conn *pgx.Conn, sql ...string) {
	t.Helper()
	for _, q := range sql {
		if _, err := conn.PgConn().Exec(t.Context(), q).ReadAll(); err != nil {
			t.Fatalf("%v\n%s", err, q)
		}
	}
}

// ask returns the only value of a query as text.
func ask(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	text, err := tryAsk(t, conn, sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return text
}

func tryAsk(t *testing.T, conn *pgx.Conn, sql string) (string, error) {
	t.Helper()
	res, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		return "", err
	}
	last := res[len(res)-1]
	var lines []string
	for _, row := range last.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, string(c))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n"), nil
}

// everything is a fingerprint of a database's objects: what an extension leaves behind
// shows in it.
const everything = `select (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_namespace),
	(select count(*) from pg_type), (select count(*) from pg_policy), (select count(*) from pg_depend), (select count(*) from pg_roles),
	(select count(*) from pg_description), (select count(*) from pg_shdepend), (select count(*) from pg_default_acl), (select count(*) from pg_init_privs)`

// created are the objects of a schema with what makes them up, in an order of their own.
const created = `select string_agg(x, e'\n' order by x) from (
	select p.oid::regprocedure || ' ' || pg_get_functiondef(p.oid) || coalesce(array_to_string(array(select unnest(p.proacl)::text order by 1), ','), '')
	from pg_proc p where p.pronamespace = 'planvet'::regnamespace
	union all select c.relname || ' ' || coalesce((select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' order by a.attnum)
		from pg_attribute a where a.attrelid = c.oid and a.attnum > 0), '') || coalesce(array_to_string(array(select unnest(c.relacl)::text order by 1), ','), '')
	from pg_class c where c.relnamespace = 'planvet'::regnamespace and c.relname not like 'companion%') as u (x)`

func TestExtension(t *testing.T) {
	s := withFiles(t)
	url, err := s.NewDatabase(t.Context(), "ext")
	if err != nil {
		t.Fatal(err)
	}
	conn := open(t, url)
	run(t, conn, "create extension pg_stat_statements")
	before := ask(t, conn, everything)

	run(t, conn, "create extension planvet")
	newest := ask(t, conn, created)
	if got := ask(t, conn, "select planvet.version() || ' ' || extversion from pg_extension where extname = 'planvet'"); got != extension.Version()+" "+extension.Version() {
		t.Errorf("version and extversion are %q", got)
	}
	// Everything in the schema is the extension's, so that it goes with it.
	if loose := ask(t, conn, `select count(*) from pg_depend d where d.refclassid = 'pg_namespace'::regclass and d.refobjid = 'planvet'::regnamespace
		and not exists (select from pg_depend e where e.classid = d.classid and e.objid = d.objid and e.deptype in ('e', 'i'))`); loose != "0" {
		t.Errorf("%s objects are not members of the extension", loose)
	}
	run(t, conn, "select planvet.snapshot()", "drop extension planvet")
	if after := ask(t, conn, everything); after != before {
		t.Errorf("drop extension leaves something: before %s, after %s", before, after)
	}

	run(t, conn, "create extension planvet version '1.0'", "select planvet.set_readers('{pg_monitor,pg_signal_backend}')",
		"select planvet.snapshot()", "select pg_sleep(1.1)", "select planvet.snapshot()")
	if got := ask(t, conn, "select planvet.version(), count(*) > 0 from planvet.statement_deltas() group by 1"); got != "1.0|t" {
		t.Errorf("before the update: %q", got)
	}
	run(t, conn, "alter extension planvet update")
	if got := ask(t, conn, `select planvet.version(), (select count(*) from planvet.snapshots),
		(select bool_and(temp_read is null and plans is null and calls > 0) from planvet.statement_deltas()),
		has_function_privilege('pg_signal_backend', 'planvet.lock_tree()', 'execute'), has_function_privilege('pg_signal_backend', 'planvet.statement_deltas(timestamptz, timestamptz)', 'execute')`); got != extension.Version()+"|2|t|t|t" {
		t.Errorf("after the update: version|snapshots|unknown is null|reader kept: %q", got)
	}
	run(t, conn, "select planvet.set_readers('{pg_monitor}')")
	if got := ask(t, conn, created); got != newest {
		t.Errorf("updated, the objects differ from those of a fresh installation:\n%s\n\nand\n\n%s", got, newest)
	}
	run(t, conn, "drop extension planvet")
	if after := ask(t, conn, everything); after != before {
		t.Errorf("drop extension leaves something: before %s, after %s", before, after)
	}

	// Whoever may create in the database may install it, and what is not planvet's stays.
	run(t, conn, "create role ext_owner login", "grant create on database ext to ext_owner")
	own := open(t, strings.Replace(url, "postgres@", "ext_owner@", 1))
	run(t, own, "create extension planvet")
	if got := ask(t, own, "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'planvet'"); got != "ext_owner" {
		t.Errorf("the schema is %s's", got)
	}
	run(t, own, "drop extension planvet", "create schema planvet", "create table planvet.mine ()")
	if _, err := tryAsk(t, own, "create extension planvet"); err == nil || !strings.Contains(err.Error(), `schema "planvet" already exists`) {
		t.Errorf("over a schema of this name: %v", err)
	}
	if got := ask(t, own, "select count(*) from pg_class where relnamespace = 'planvet'::regnamespace"); got != "1" {
		t.Errorf("the schema has %s tables", got)
	}
}

// TestControlPath installs from a folder that the server is told of, where it can be
// (from 18 on): no file of the server's is touched.
func TestControlPath(t *testing.T) {
	s := shadowtest.Server(t)
	if s.Major() < 18 {
		t.Skip("extension_control_path is there from PostgreSQL 18 on")
	}
	dir, err := os.MkdirTemp("/tmp", "planvet-ext-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "extension"), extension.Files()); err != nil {
		t.Fatal(err)
	}
	conn := shadowtest.Connect(t)
	run(t, conn, "set extension_control_path = '"+dir+":$system'", "create extension planvet")
	if got := ask(t, conn, "select planvet.version()"); got != extension.Version() {
		t.Errorf("version %s", got)
	}
	run(t, conn, "drop extension planvet")
}

// TestMakefile has every script in what make install copies.
func TestMakefile(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(extension.Files(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if !strings.Contains(string(text), n) {
			t.Errorf("the Makefile does not install %s", n)
		}
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"", "1.0", "1.0"}, {"", "1.2", "1.0 1.1 1.2"}, {"1.0", "1.1", "1.1"}, {"1.2", "1.2", ""},
		{"1.1", "1.0", "there is no way from planvet 1.1 to 1.0"}, {"", "9.9", "there is no script for planvet 9.9"},
	} {
		steps, err := extension.Path(c.from, c.to)
		var got []string
		for _, s := range steps {
			got = append(got, s.To)
			if strings.Contains(s.SQL, `\echo`) {
				t.Errorf("the script to %s has a line of psql's", s.To)
			}
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("from %q to %s: %q, want %q", c.from, c.to, text, c.want)
		}
	}
}
