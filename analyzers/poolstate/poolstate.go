// Package poolstate finds in Go code what a project that pools its connections by
// transaction must not do beside what statements say: it is the part of
// pool-session-state that the calls tell. The texts are sqllint's.
//
//  1. A transaction that waits: between Begin and Commit, with no branch between, a call
//     waits for another service, a command or the clock.
//  2. A named statement of the protocol: Prepare on a pool or a connection.
//  3. A connection of pgx's whose cache prepares each query under a name.
//  4. A listener of lib/pq's.
package poolstate

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers/diag"
	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Options configure the pass.
type Options struct {
	Root string
	// Pooling says how connections are pooled; nil is not by transaction.
	Pooling *sqllint.Pooling
	Enabled func(rule string) bool
	Keep    func(*rules.Finding) bool
}

// NewAnalyzer returns the pass.
func NewAnalyzer(embed *analysis.Analyzer, o Options) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:             "poolstate",
		Doc:              "report transactions that wait, where a pooler shares server connections",
		URL:              "https://github.com/planvet/planvet",
		Requires:         []*analysis.Analyzer{embed},
		RunDespiteErrors: true,
		Run: func(pass *analysis.Pass) (any, error) {
			if o.Enabled == nil || o.Enabled(sqllint.PoolSessionState.Name) {
				rep := diag.Reporter{Pass: pass, Root: o.Root, Keep: o.Keep}
				rep.Report(Check(pass.ResultOf[embed].(*embedsql.Result), o.Pooling))
			}
			return nil, nil
		},
	}
}

// Check looks at the code that r was extracted from; nothing is found without a pool.
// Findings are sorted; their IDs are left to the caller.
func Check(r *embedsql.Result, pool *sqllint.Pooling) []rules.Finding {
	if pool == nil {
		return nil
	}
	c := &checker{r: r, prog: r.Program(), pool: pool, chosen: pool.Prepared == "yes", cached: map[*program.Package]bool{}}
	c.chosen = c.chosen || c.choosesMode()
	for _, f := range c.prog.Funcs {
		if r.OtherDialectIn(f) || forTests(f) {
			continue
		}
		c.transactions(f)
		for _, call := range f.Calls {
			c.prepares(f, call)
			c.connects(f, call)
		}
	}
	rules.Sort(c.out)
	return c.out
}

type checker struct {
	r    *embedsql.Result
	prog *program.Program
	pool *sqllint.Pooling
	// chosen is set where named statements work, or where the code chooses how pgx sends
	// its queries.
	chosen bool
	// cached are the packages whose connections of pgx were reported.
	cached map[*program.Package]bool
	out    []rules.Finding
}

// forTests reports whether a function is handed a test.
func forTests(f *program.Func) bool {
	for f := f; f != nil; f = f.Outer {
		for _, p := range f.Params {
			if p != nil {
				if path, _ := program.TypeName(p.Type()); path == "testing" {
					return true
				}
			}
		}
	}
	return false
}

// report adds a finding at a call.
func (c *checker) report(f *program.Func, call *ast.CallExpr, certain bool, message, note string, related ...rules.Related) {
	found := c.pool.Finding(c.r.CallPlace(program.Site{In: f, Call: call}), certain)
	if found == nil {
		return
	}
	found.Message, found.Fix = message, &rules.Fix{Note: note}
	found.Related = append(related, found.Related...)
	found.Query = nil
	c.out = append(c.out, *found)
}

const preparedNote = "PgBouncer follows named statements from 1.21 on with max_prepared_statements above 0 (pooling: {prepared_statements: true} in planvet.yaml says so)"

// prepares reports a statement that is prepared beside a transaction.
func (c *checker) prepares(f *program.Func, call *ast.CallExpr) {
	o := program.Target(f.Pkg.Info, call)
	if o == nil || o.Pkg() == nil || c.pool.Prepared == "yes" || !strings.HasPrefix(o.Name(), "Prepare") {
		return
	}
	sig, _ := o.Type().(*types.Signature)
	if sig == nil || sig.Recv() == nil || isTx(sig.Recv().Type()) {
		return
	}
	path, recv := program.TypeName(sig.Recv().Type())
	switch {
	case path == "database/sql", path == "github.com/jmoiron/sqlx":
		if recv != "DB" && recv != "Conn" {
			return
		}
	case strings.HasPrefix(path, "github.com/jackc/pgx/"):
		if len(call.Args) > 1 && isEmpty(f.Pkg.Info, call.Args[1]) {
			return // unnamed
		}
	default:
		return
	}
	// A *pgx.Conn of the code's own may lead around the pooler.
	certain := c.pool.Prepared == "no" && !strings.HasSuffix(path, "/pgx/v5") && !strings.HasSuffix(path, "/pgx/v4")
	c.report(f, call, certain,
		"prepare names a statement on one server connection; under transaction pooling it may run on another, which lacks it",
		"send the query itself with parameters; "+preparedNote)
}

// connects reports connections whose driver prepares by itself, and listeners.
func (c *checker) connects(f *program.Func, call *ast.CallExpr) {
	o := program.Target(f.Pkg.Info, call)
	if o == nil || o.Pkg() == nil || around.MatchString(arguments(call)) {
		return
	}
	path, name := o.Pkg().Path(), o.Name()
	if sig, _ := o.Type().(*types.Signature); sig == nil || sig.Recv() != nil {
		return
	}
	pgx := strings.HasPrefix(path, "github.com/jackc/pgx/")
	switch {
	case path == "github.com/lib/pq" && name == "NewListener":
		c.report(f, call, false,
			"a listener subscribes one server connection; under transaction pooling that goes to other clients, and notifications are lost",
			"give the listener the URL of the server itself, or of the pooler's session mode")
	case c.chosen:
	case pgx && strings.HasSuffix(path, "/pgxpool") && (name == "New" || name == "NewWithConfig" || name == "Connect" || name == "ConnectConfig"),
		pgx && strings.Count(path, "/") == 3 && (name == "Connect" || name == "ConnectConfig"),
		pgx && strings.HasSuffix(path, "/stdlib") && name == "OpenDB",
		path == "database/sql" && name == "Open" && len(call.Args) > 0 && isText(f.Pkg.Info, call.Args[0], "pgx"):
		if c.cached[f.Pkg] { // one place of a package says it for all
			return
		}
		c.cached[f.Pkg] = true
		c.report(f, call, false,
			"pgx prepares each query under a name and keeps it; under transaction pooling the next transaction may run on a server connection that lacks it",
			"set default_query_exec_mode=exec in the URL, or DefaultQueryExecMode in the config, unless the pooler follows named statements: "+preparedNote)
	}
}

// around are names of what leads around a pooler.
var around = regexp.MustCompile(`(?i)direct|session|unpooled|nonpool|no_?pool|migrat`)

func arguments(call *ast.CallExpr) string {
	var b strings.Builder
	for _, a := range call.Args {
		b.WriteString(types.ExprString(a) + " ")
	}
	return b.String()
}

// choosesMode reports whether the code says anywhere how pgx is to send its queries.
func (c *checker) choosesMode() bool {
	found := false
	for _, pkg := range c.prog.Packages {
		for _, file := range pkg.Files {
			if c.prog.Skipped(pkg, file) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					found = found || n.Sel.Name == "DefaultQueryExecMode" || n.Sel.Name == "PreferSimpleProtocol"
				case *ast.BasicLit:
					found = found || n.Kind == token.STRING && mode.MatchString(n.Value)
				}
				return !found
			})
		}
	}
	return found
}

var mode = regexp.MustCompile(`default_query_exec_mode|statement_cache_mode|statement_cache_capacity`)

func isEmpty(info *types.Info, e ast.Expr) bool { return isText(info, e, "") }

func isText(info *types.Info, e ast.Expr, text string) bool {
	v := info.Types[e].Value
	return v != nil && v.ExactString() == `"`+text+`"`
}
