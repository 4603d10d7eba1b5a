package pgast

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// binDir finds PostgreSQL's programs; "" when there are none.
func binDir() string {
	if d := os.Getenv("PLANVET_PG_BIN"); d != "" {
		return d
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(p)
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	sort.Strings(dirs)
	if len(dirs) == 0 {
		return ""
	}
	return dirs[len(dirs)-1]
}

// startServer starts a PostgreSQL that ends with the test; without one the test is
// skipped, or fails where CI is set.
func startServer(t *testing.T) *pgx.Conn {
	t.Helper()
	bin := binDir()
	if bin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no PostgreSQL found: set PLANVET_PG_BIN")
		}
		t.Skip("no PostgreSQL found: set PLANVET_PG_BIN")
	}
	dir, err := os.MkdirTemp("", "pgast")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cred := serverUser(t, dir)
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: cred}
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N", "--locale=C", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	srv := run("postgres", "-D", data, "-k", dir, "-h", "", "-F")
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = srv.Process.Signal(syscall.SIGINT)
		_ = srv.Wait()
	})
	var conn *pgx.Conn
	for i := 0; i < 200; i++ {
		if conn, err = pgx.Connect(context.Background(), fmt.Sprintf("host=%s user=postgres dbname=postgres", dir)); err == nil {
			t.Cleanup(func() { _ = conn.Close(context.Background()) })
			return conn
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("connecting: %v", err)
	return nil
}

// serverUser is an ordinary user for the server, which refuses to run as root; nil
// for the current one.
func serverUser(t *testing.T, dir string) *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Skip("running as root without a user postgres or nobody")
	return nil
}

// serverEnv is an Env read from a server, with search_path public.
type serverEnv struct{ rels, funcs, types, cols, bases, lists map[string]string }

func loadEnv(t *testing.T, c *pgx.Conn) serverEnv {
	t.Helper()
	e := serverEnv{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	load := func(m map[string]string, sql string) {
		rows, err := c.Query(context.Background(), sql)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var k, v string
			if err := rows.Scan(&k, &v); err != nil {
				t.Fatal(err)
			}
			m[k] = v
		}
	}
	load(e.rels, `select nspname || '.' || relname, nspname from pg_class c join pg_namespace n on n.oid = relnamespace`)
	load(e.funcs, `select distinct nspname || '.' || proname, nspname from pg_proc c join pg_namespace n on n.oid = pronamespace`)
	load(e.types, `select nspname || '.' || typname, nspname from pg_type c join pg_namespace n on n.oid = typnamespace`)
	load(e.cols, `select nspname || '.' || relname || '.' || attname, format_type(atttypid, atttypmod)
		from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace where attnum > 0`)
	load(e.bases, `select nspname || '.' || typname, format_type(typbasetype, typtypmod)
		from pg_type c join pg_namespace n on n.oid = typnamespace where typtype = 'd'`)
	load(e.lists, `select nspname || '.' || relname, string_agg(attname, ',' order by attnum) from pg_attribute a
		join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace where attnum > 0 and not attisdropped group by 1`)
	return e
}

func (e serverEnv) DomainBase(schema, name string) string { return e.bases[schema+"."+name] }
func (e serverEnv) Columns(schema, rel string) []string {
	return strings.Split(e.lists[schema+"."+rel], ",")
}

func resolve(m map[string]string, schema, name string) (string, bool) {
	if schema != "" {
		s, ok := m[schema+"."+name]
		return s, ok
	}
	for _, s := range []string{"pg_catalog", "public"} {
		if _, ok := m[s+"."+name]; ok {
			return s, true
		}
	}
	return "", false
}

func (e serverEnv) Relation(schema, name string) (string, bool) { return resolve(e.rels, schema, name) }
func (e serverEnv) Function(schema, name string) (string, bool) {
	return resolve(e.funcs, schema, name)
}
func (e serverEnv) Type(schema, name string) (string, bool) { return resolve(e.types, schema, name) }
func (e serverEnv) ColumnType(schema, rel, col string) string {
	return e.cols[schema+"."+rel+"."+col]
}

func exec1(t *testing.T, c *pgx.Conn, sql string) bool {
	t.Helper()
	if _, err := c.Exec(context.Background(), sql); err != nil {
		t.Errorf("%s: %v", strings.TrimSpace(sql), err)
		return false
	}
	return true
}
