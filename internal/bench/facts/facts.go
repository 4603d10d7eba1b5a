// Package facts is what must be alike on two servers, or on one at two times, for
// measurements of them to be comparable: the version, the settings and the data.
package facts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Facts are of one database.
type Facts struct {
	Version string
	// Settings are the server's that somebody set, without those that name places, logs
	// or connections. Own are those of the database and of the role, which a migration
	// may have set.
	Settings, Own map[string]string
	// Tables are rows by schema.table, of those that are small enough to be counted.
	Tables map[string]int64
	// Large are the others.
	Large []string
}

// settings leaves out what is the server's own, what differs between two servers that do
// the same work in the same way, and what a client asks for.
const settings = `select name, setting, source in ('database', 'user', 'database user') from pg_catalog.pg_settings
where source not in ('default', 'override', 'client', 'session', 'interactive', 'environment variable') and context <> 'internal'
and category !~ '^(File Locations|Reporting and Logging|Connections and Authentication|Process Title|Replication|Client Connection Defaults / Locale)'
and name !~ '^(data_|log_|archive|lc_|ssl)|_directory|_file$|^(cluster_name|DateStyle|TimeZone|application_name|dynamic_shared_memory_type|fsync|unix_socket|port$)'`

// countable is the size up to which the rows of a table are counted: a fraction of a
// second even from a disk.
const countable = 64 << 20

const tables = `select quote_ident(n.nspname) || '.' || quote_ident(c.relname), n.nspname || '.' || c.relname, pg_catalog.pg_relation_size(c.oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relpersistence <> 't'
and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') order by 2`

// Read asks a server. It reads tables in a READ ONLY transaction.
func Read(ctx context.Context, conn *pgx.Conn) (_ *Facts, err error) {
	f := &Facts{Settings: map[string]string{}, Own: map[string]string{}, Tables: map[string]int64{}}
	f.Version, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
	rows, err := tx.Query(ctx, settings)
	if err != nil {
		return nil, err
	}
	var name, value string
	var own bool
	if _, err = pgx.ForEachRow(rows, []any{&name, &value, &own}, func() error {
		if own {
			f.Own[name] = value
		} else {
			f.Settings[name] = value
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	type table struct {
		quoted, name string
		size         int64
	}
	var all []table
	rows, err = tx.Query(ctx, tables)
	if err == nil {
		var t table
		_, err = pgx.ForEachRow(rows, []any{&t.quoted, &t.name, &t.size}, func() error { all = append(all, t); return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("reading tables: %w", err)
	}
	for _, t := range all {
		if t.size > countable {
			f.Large = append(f.Large, t.name)
			continue
		}
		var n int64
		if err := tx.QueryRow(ctx, "select count(*) from "+t.quoted).Scan(&n); err != nil {
			return nil, fmt.Errorf("counting %s: %w", t.name, err)
		}
		f.Tables[t.name] = n
	}
	return f, nil
}

// Dataset is a hash of the numbers of rows: 16 hexadecimal digits.
func (f *Facts) Dataset() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f.Tables)) {
		fmt.Fprintln(h, name, f.Tables[name])
	}
	for _, name := range f.Large {
		fmt.Fprintln(h, name)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// Settings says which settings differ, in the order of their names.
func Settings(a, b map[string]string) []string {
	var out []string
	names := map[string]bool{}
	for _, m := range []map[string]string{a, b} {
		for name := range m {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if x, y := a[name], b[name]; x != y {
			out = append(out, fmt.Sprintf("setting %s is %s and was %s", name, orDefault(y), orDefault(x)))
		}
	}
	return out
}

func orDefault(s string) string {
	if s == "" {
		return "the default"
	}
	return s
}

// Tables says which tables that both count differ by more than a share of their rows. A
// table that one of them lacks is the schema's business.
func Tables(a, b map[string]int64, share float64) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		n, both := b[name]
		if m := a[name]; both && float64(max(m, n)-min(m, n)) > share*float64(max(m, n)) {
			out = append(out, fmt.Sprintf("table %s has %d rows and had %d", name, n, m))
		}
	}
	return out
}
