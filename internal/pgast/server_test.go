package pgast_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

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
