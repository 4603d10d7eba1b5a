package embedsql

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

// otherDialect reports whether a function's file speaks to MySQL, SQLite and the
// like alone: by its name, its folder's, or the drivers that its package imports.
// What names PostgreSQL too speaks to both.
func (x *extraction) otherDialect(f *program.Func) bool {
	if v, ok := x.dialects[f.File]; ok {
		return v
	}
	name := x.path(f.Pkg.Fset.Position(f.File.FileStart).Filename)
	other, ours := false, false
	for _, part := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("/_.-", r) }) {
		switch {
		case slices.ContainsFunc(otherNames, func(n string) bool { return strings.Contains(part, n) }):
			other = true
		case part == "pg" || slices.ContainsFunc(ownNames, func(n string) bool { return strings.Contains(part, n) }):
			ours = true
		}
	}
	for _, file := range f.Pkg.Files {
		for _, i := range file.Imports {
			switch p := strings.Trim(i.Path.Value, `"`); {
			case under(p, otherDrivers):
				other = true
			case under(p, ownDrivers) && !strings.HasSuffix(p, "/pgtype") && !strings.HasSuffix(p, "/pgerrcode"): // those hold values
				ours = true
			}
		}
	}
	v := other && !ours
	x.dialects[f.File] = v
	return v
}

// A folder named oracle holds prices as often as a database.
var (
	otherNames = []string{"mysql", "mariadb", "sqlite", "mssql", "sqlserver", "clickhouse", "cassandra", "duckdb", "snowflake", "bigquery", "redshift"}
	ownNames   = []string{"postgres", "pgx", "pgsql"}

	otherDrivers = []string{
		"github.com/go-sql-driver/mysql", "github.com/mattn/go-sqlite3", "modernc.org/sqlite", "github.com/ncruces/go-sqlite3",
		"github.com/microsoft/go-mssqldb", "github.com/denisenkom/go-mssqldb", "github.com/ClickHouse", "github.com/sijms/go-ora",
		"github.com/godror/godror", "github.com/glebarez", "github.com/tursodatabase", "github.com/snowflakedb",
		"github.com/trinodb", "github.com/databricks", "github.com/ydb-platform", "cloud.google.com/go/bigquery", "cloud.google.com/go/spanner",
	}
	ownDrivers = []string{"github.com/jackc", "github.com/lib/pq"}
)
