package embedsql

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

// sink is a call that sends SQL to a server, or prepares it.
type sink struct {
	// arg is the number of the argument with the text, -1 when there is none.
	arg int
	// call is the method as users know it: (*pgxpool.Pool).Query.
	call string
	// sure is set for a known driver; otherwise the shape alone was matched.
	sure bool
	// named is set where :name placeholders are the method's.
	named bool
	// trips is set when the call goes to the server: not for a batch that queues.
	trips bool
	// builder names the library that builds the text.
	builder string
	// noTypes is set where the name alone was matched.
	noTypes bool
}

// methods that take SQL, without their Context suffix.
var methods = map[string]bool{
	"Query": true, "QueryRow": true, "Exec": true, "Prepare": true, "Queryx": true, "QueryRowx": true,
	"MustExec": true, "Get": true, "Select": true, "NamedExec": true, "NamedQuery": true, "Preparex": true,
	"PrepareNamed": true, "QueryFunc": true, "Queue": true, "Raw": true, "RawQuery": true, "ExecParams": true,
	"QueryOne": true, "ExecOne": true, "SelectOne": true, "NewRaw": true, "SelectInt": true, "SelectStr": true,
	"ExecuteSql": true, "NamedQueryRow": true, "NamedGet": true, "NamedSelect": true,
}

// drivers are packages whose methods of these names take PostgreSQL's SQL.
var drivers = []string{
	"database/sql", "github.com/jackc/pgx", "github.com/jackc/pgconn", "github.com/jmoiron/sqlx",
	"github.com/georgysavva/scany", "gorm.io/gorm", "github.com/jinzhu/gorm", "github.com/gobuffalo/pop",
	"github.com/go-pg/pg", "github.com/uptrace/bun", "github.com/go-gorp/gorp", "github.com/doug-martin/goqu",
	"github.com/randallmlough/pgxscan", "github.com/vgarvardt/pgx-google-uuid",
}

// foreign are packages that speak to something else by methods of the same names.
var foreign = []string{
	"github.com/ClickHouse", "go.mongodb.org", "github.com/redis", "github.com/go-redis",
	"cloud.google.com", "github.com/marcboeker/go-duckdb", "github.com/go-sql-driver", "github.com/mattn/go-sqlite3",
	"github.com/snowflakedb", "modernc.org/sqlite", "github.com/ncruces/go-sqlite3", "zombiezen.com/go/sqlite", "crawshaw.io/sqlite",
	"github.com/neo4j", "github.com/scylladb", "go.etcd.io", "k8s.io", "os", "os/exec", "net/http", "net/url", "reflect",
}

// builders are types that send the text that they build.
var builders = map[string][]string{
	"github.com/Masterminds/squirrel": {"Query", "QueryRow", "Exec", "Scan"},
	"gorm.io/gorm":                    {"Find", "First", "Last", "Take", "Create", "Save", "Update", "Updates", "Delete", "Count", "Pluck", "CreateInBatches"},
	"github.com/jinzhu/gorm":          {"Find", "First", "Last", "Take", "Create", "Save", "Update", "Updates", "Delete", "Count", "Pluck"},
	"github.com/doug-martin/goqu":     {"ScanStructs", "ScanStruct", "ScanVals", "ScanVal", "Exec", "Count"},
	"github.com/uptrace/bun":          {"Scan", "Exec", "Count", "Exists"},
}

func under(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool {
		rest, ok := strings.CutPrefix(path, r)
		return ok && (rest == "" || rest[0] == '/' || rest[0] == '.')
	})
}

// sinkOf recognises a call that takes SQL; nil when it is none.
func (x *extraction) sinkOf(pkg *Package, call *ast.CallExpr) *sink {
	name := calledName(call)
	base := strings.TrimSuffix(name, "Context")
	o := program.Target(pkg.Info, call)
	if o == nil {
		return untypedSink(pkg, call, base)
	}
	path := ""
	if o.Pkg() != nil {
		path = o.Pkg().Path()
	}
	sig, _ := o.Type().(*types.Signature)
	if sig == nil || under(path, foreign) || strings.Contains(path, "/gocql") { // with its forks
		return nil
	}
	if b := builderSink(path, base, sig); b != nil {
		return b
	}
	if !methods[base] {
		return nil
	}
	known := under(path, drivers)
	if sig.Recv() == nil && !known {
		return nil
	}
	if known && isStatement(sig) {
		return &sink{arg: -1, call: callText(o, sig), sure: true, trips: true}
	}
	if strings.Contains(path, "gorm") && base != "Raw" && base != "Exec" {
		return nil // their other methods take fragments
	}
	arg := textParam(sig)
	if arg < 0 {
		return nil
	}
	if !known {
		if x.prog.Own(path) && !isInterfaceMethod(sig) {
			return nil // its body tells
		}
		if !driverShape(sig, arg) {
			return nil
		}
	}
	return &sink{
		arg: arg, call: callText(o, sig), sure: known, named: strings.HasPrefix(base, "Named") || base == "PrepareNamed",
		trips: base != "Queue" && !strings.HasPrefix(base, "Prepare"),
	}
}

func calledName(call *ast.CallExpr) string {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// untypedSink matches a method by its name where there are no types.
func untypedSink(pkg *Package, call *ast.CallExpr, base string) *sink {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !methods[base] || len(call.Args) == 0 || base == "Get" || base == "Select" || base == "Raw" {
		return nil
	}
	if t := pkg.Info.TypeOf(sel.X); t != nil && t != types.Typ[types.Invalid] {
		return nil
	}
	if id, ok := sel.X.(*ast.Ident); ok {
		if _, isPkg := pkg.Info.Uses[id].(*types.PkgName); isPkg {
			return nil
		}
	}
	arg := 0
	if strings.HasSuffix(calledName(call), "Context") || looksContext(call.Args[0]) {
		arg = 1
	}
	if arg >= len(call.Args) {
		return nil
	}
	return &sink{arg: arg, call: base, noTypes: true, trips: base != "Queue" && !strings.HasPrefix(base, "Prepare")}
}

func looksContext(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return strings.Contains(strings.ToLower(e.Name), "ctx") || e.Name == "c"
	case *ast.CallExpr:
		n := calledName(e)
		return n == "Background" || n == "TODO" || n == "Context"
	case *ast.SelectorExpr:
		return strings.Contains(strings.ToLower(e.Sel.Name), "ctx")
	}
	return false
}

func builderSink(path, base string, sig *types.Signature) *sink {
	if sig.Recv() == nil {
		return nil
	}
	for lib, names := range builders {
		if under(path, []string{lib}) && slices.Contains(names, base) {
			_, t := program.TypeName(sig.Recv().Type())
			if strings.Contains(lib, "gorm") && t != "DB" || strings.Contains(lib, "squirrel") && !strings.HasSuffix(t, "Builder") {
				return nil
			}
			if textParam(sig) >= 0 && (base == "Exec" || base == "Query") {
				return nil
			}
			short := lib[strings.LastIndexByte(lib, '/')+1:]
			return &sink{arg: -1, call: "(" + short + "." + t + ")." + base, sure: true, trips: true, builder: short}
		}
	}
	return nil
}

// isStatement reports whether a method belongs to a prepared statement.
func isStatement(sig *types.Signature) bool {
	if sig.Recv() == nil {
		return false
	}
	_, t := program.TypeName(sig.Recv().Type())
	return t == "Stmt" || t == "NamedStmt"
}

// textParam is the number of the parameter with the SQL.
func textParam(sig *types.Signature) int {
	first := -1
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if !isString(v.Type()) {
			continue
		}
		switch strings.ToLower(v.Name()) {
		case "query", "sql", "stmt", "statement", "q", "rawsql", "sqlstr":
			return i
		}
		if first < 0 {
			first = i
		}
	}
	// bun and go-pg take the text as any.
	if first < 0 {
		for i := range sig.Params().Len() {
			if v := sig.Params().At(i); v.Name() == "query" && types.IsInterface(v.Type()) {
				return i
			}
		}
	}
	return first
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// driverShape matches (ctx?, dest?, text, args ...any) and (ctx?, text).
func driverShape(sig *types.Signature, arg int) bool {
	n := sig.Params().Len()
	if arg > 2 || n > arg+2 {
		return false
	}
	if sig.Variadic() {
		s, ok := sig.Params().At(n - 1).Type().(*types.Slice)
		return ok && n == arg+2 && types.IsInterface(s.Elem())
	}
	// Exec(ctx, sql) of a small interface; its parameter must say so.
	switch strings.ToLower(sig.Params().At(arg).Name()) {
	case "query", "sql", "stmt", "statement":
		return n == arg+1
	}
	return false
}

func isInterfaceMethod(sig *types.Signature) bool {
	return sig.Recv() != nil && types.IsInterface(sig.Recv().Type())
}

// callText is the method as users know it.
func callText(o *types.Func, sig *types.Signature) string {
	pkg := ""
	if o.Pkg() != nil {
		pkg = o.Pkg().Name() + "."
	}
	if sig.Recv() == nil {
		return pkg + o.Name()
	}
	_, t := program.TypeName(sig.Recv().Type())
	if t == "" {
		return o.Name()
	}
	if _, ptr := sig.Recv().Type().(*types.Pointer); ptr {
		return "(*" + pkg + t + ")." + o.Name()
	}
	return pkg + t + "." + o.Name()
}
