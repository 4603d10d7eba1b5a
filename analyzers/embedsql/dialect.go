package embedsql

import (
	"go/ast"
	"go/types"
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
	files := f.Pkg.Files
	if other && !ours {
		files = []*ast.File{f.File} // the name counts for more than what stands beside it
	}
	for _, file := range files {
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

// forPostgres is the value that a map of texts by dialect has for PostgreSQL, or for
// all: map[Engine]string{Pgsql: "…", Sqlite: "…"}; nil for another map.
func forPostgres(info *types.Info, e ast.Expr) ast.Expr {
	l, ok := ast.Unparen(e).(*ast.CompositeLit)
	if !ok {
		return nil
	}
	if t := info.TypeOf(l); t == nil || !isMap(t) {
		return nil
	}
	var own, every ast.Expr
	dialects := false
	for _, el := range l.Elts {
		kv, ok := el.(*ast.KeyValueExpr)
		if !ok {
			return nil
		}
		key := strings.ToLower(types.ExprString(kv.Key))
		key = strings.Trim(key[strings.LastIndexByte(key, '.')+1:], "\"`")
		named := func(n string) bool { return strings.Contains(key, n) }
		switch {
		case key == "pg" || slices.ContainsFunc(ownNames, named):
			own, dialects = kv.Value, true
		case slices.ContainsFunc(otherNames, named):
			dialects = true
		case strings.HasSuffix(key, "any") || strings.HasSuffix(key, "default"):
			every = kv.Value
		}
	}
	switch {
	case own != nil:
		return own
	case dialects || len(l.Elts) == 1:
		return every
	}
	return nil
}

func isMap(t types.Type) bool {
	_, ok := t.Underlying().(*types.Map)
	return ok
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
