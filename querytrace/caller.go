package querytrace

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Frame is a place in Go code.
type Frame struct {
	// File is relative to the folder of its go.mod, with slashes; absolute where there is
	// none. Under -trimpath that of another module is as the compiler has it.
	File string
	Line int
	// Func has its package's import path: example.com/shop/store.Orders.
	Func string
}

// String is file:line and the function without its package's folder.
func (f Frame) String() string {
	if f.File == "" {
		return "unknown caller"
	}
	return f.File + ":" + strconv.Itoa(f.Line) + " " + f.Func[strings.LastIndexByte(f.Func, '/')+1:]
}

// drivers are packages between a caller and PostgreSQL, trees included: drivers and
// what stands between a statement and whoever asked for it. Of the standard library
// only those are listed that call back.
var drivers = []string{
	"runtime", "testing", "database/sql", "sync", "slices", "maps", "iter", "sort", "context", "reflect", "net/http", "internal",
	"github.com/jackc/pgx", "github.com/jackc/pgx/v4", "github.com/jackc/pgx/v5", "github.com/jackc/puddle/v2", "github.com/jackc/tern/v2",
	"github.com/lib/pq", "github.com/jmoiron/sqlx", "gorm.io/gorm", "gorm.io/driver/postgres", "github.com/uptrace/bun",
	"entgo.io/ent", "github.com/Masterminds/squirrel", "github.com/georgysavva/scany/v2", "github.com/go-jet/jet/v2",
	"github.com/doug-martin/goqu/v9", "github.com/stephenafamo/bob", "github.com/stephenafamo/scan", "github.com/volatiletech/sqlboiler/v4",
	"github.com/aarondl/sqlboiler/v4", "github.com/go-pg/pg/v10", "github.com/gocraft/dbr/v2", "github.com/upper/db/v4",
	"github.com/XSAM/otelsql", "github.com/exaring/otelpgx", "github.com/ngrok/sqlmw", "golang.org/x/sync",
}

// depth is how far up a stack is kept.
const depth = 64

// stack is that of whoever called the driver.
func stack() []uintptr {
	var pcs [depth]uintptr
	return slices.Clone(pcs[:runtime.Callers(2, pcs[:])])
}

// callers resolves a stack to the frames outside drivers, this package and skip, the
// nearest first.
func callers(pcs []uintptr, skip []string) []Frame {
	var out []Frame
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" && !passes(f, skip) {
			out = append(out, Frame{inModule(f.File), f.Line, f.Function})
		}
		if !more {
			return out
		}
	}
}

// passes says that a frame only passes statements on.
func passes(f runtime.Frame, skip []string) bool {
	pkg := packageOf(f.Function)
	if pkg == self && !strings.HasSuffix(f.File, "_test.go") {
		return true
	}
	in := func(tree string) bool { return pkg == tree || strings.HasPrefix(pkg, tree+"/") }
	return slices.ContainsFunc(drivers, in) || slices.ContainsFunc(skip, in)
}

const self = "github.com/planvet/planvet/querytrace"

// packageOf cuts the import path off a function's name. A dot in a path's last part is
// written %2e there.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return function
	}
	return strings.ReplaceAll(function[:slash+dot], "%2e", ".")
}

// mainModule is the path of the module that the test is of.
var mainModule = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
})

// roots keeps for a folder that of the go.mod above it, empty where there is none.
var roots sync.Map

func inModule(file string) string {
	if !filepath.IsAbs(file) { // built with -trimpath: the module's path comes first
		return strings.TrimPrefix(file, mainModule()+"/")
	}
	dir := filepath.Dir(file)
	root, ok := roots.Load(dir)
	if !ok {
		root = moduleRoot(dir)
		roots.Store(dir, root)
	}
	if root != "" {
		if rel, err := filepath.Rel(root.(string), file); err == nil {
			file = rel
		}
	}
	return filepath.ToSlash(file)
}

func moduleRoot(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
