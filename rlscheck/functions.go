package rlscheck

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// callee is what is known of a called function.
type callee struct {
	name  string // as messages show it
	known bool
	user  *catalog.Function // nil for built-in and unknown ones
	// platform is set for auth.uid() and the like, also where no catalog has them.
	platform bool
	// setting is set for current_setting().
	setting    bool
	volatility builtin.Volatility
	// inlined is set for SQL functions that the planner puts in line.
	inlined bool
	result  string // the result type, "" when not known
}

// claims are Supabase's functions that read the request's claims.
var claims = map[string]string{"auth.uid": "uuid", "auth.jwt": "jsonb", "auth.role": "text", "auth.email": "text"}

// maxBodies bounds how deep bodies are followed from call to call.
const maxBodies = 4

// functions answers questions about calls; it remembers bodies.
type functions struct {
	cat    *catalog.Catalog
	facts  *builtin.Facts
	tables map[*catalog.Function]int // 1 reads a table, -1 does not
}

func newFunctions(cat *catalog.Catalog) *functions {
	return &functions{cat: cat, facts: builtin.For(0), tables: map[*catalog.Function]int{}}
}

func (fs *functions) of(call *pgast.FuncCall) callee { return fs.at(call, 0) }

func (fs *functions) at(call *pgast.FuncCall, depth int) callee {
	name := strings.Join(call.Name, ".")
	schema, base := "", call.Name[len(call.Name)-1]
	if len(call.Name) > 1 {
		schema = call.Name[len(call.Name)-2]
	}
	c := callee{name: strings.TrimPrefix(name, "pg_catalog.")}
	if result, ok := claims[schema+"."+base]; ok {
		c.known, c.platform, c.volatility, c.result = true, true, builtin.Stable, result
		return c
	}
	if schema == "" || schema == "pg_catalog" {
		if over := fs.facts.FunctionCalled(base, len(call.Args)); len(over) > 0 {
			c.known, c.setting = true, base == "current_setting"
			c.volatility, c.result = over[0].Volatility, over[0].Result
			for _, o := range over[1:] {
				c.volatility = worse(c.volatility, o.Volatility)
				if o.Result != c.result {
					c.result = ""
				}
			}
			return c
		}
		if len(fs.facts.FunctionAny(base)) > 0 {
			c.known, c.volatility = true, builtin.Immutable
			return c
		}
	}
	if schema == "pg_catalog" {
		schema = ""
	}
	c.volatility = builtin.Volatile
	for _, f := range fs.cat.ResolveFunctions(schema, base, nil) {
		if len(f.Args) < len(call.Args) && !strings.Contains(strings.ToLower(f.Definition), "variadic") {
			continue
		}
		c.known, c.user, c.result = true, f, f.Returns
		c.volatility = declared(f)
		if v, ok := fs.inline(f, depth); ok {
			c.inlined, c.volatility = true, v
		}
		c.platform = f.Platform
		if len(f.Args) == len(call.Args) {
			break
		}
	}
	return c
}

func declared(f *catalog.Function) builtin.Volatility {
	switch f.Volatility {
	case "immutable":
		return builtin.Immutable
	case "stable":
		return builtin.Stable
	}
	return builtin.Volatile
}

func worse(a, b builtin.Volatility) builtin.Volatility {
	rank := map[builtin.Volatility]int{builtin.Immutable: 0, builtin.Stable: 1, builtin.Volatile: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// inline tells whether the planner replaces a call of f by its body, and the
// volatility that the call has then: f is in SQL, runs as its caller, has no
// settings, and its body is SELECT and one expression without a subquery.
func (fs *functions) inline(f *catalog.Function, depth int) (builtin.Volatility, bool) {
	if !strings.EqualFold(f.Language, "sql") || f.SecurityDefiner || f.HasSearchPath || f.ReturnsSet || f.Strict || depth > maxBodies {
		return 0, false
	}
	body := pgast.ParseFile(f.Body)
	if len(body) != 1 || body[0].Err != nil {
		return 0, false
	}
	q, ok := body[0].Stmt.(*pgast.Select)
	if !ok || len(q.Targets) != 1 || q.From != nil || q.Where != nil || q.SetOp != "" || q.With != nil || q.Limit != nil ||
		q.GroupBy != nil || q.Having != nil || q.OrderBy != nil || q.Values != nil {
		return 0, false
	}
	v, plain := builtin.Immutable, true
	pgast.Walk(q.Targets[0].Expr, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink:
			plain = false
		case *pgast.FuncCall:
			v = worse(v, fs.at(n, depth+1).volatility)
		case *pgast.ValueFunc:
			v = worse(v, builtin.Stable)
		}
		return plain
	})
	// A body that is more volatile than its function is not put in line.
	if own := declared(f); worse(own, v) != own {
		return 0, false
	}
	return v, plain
}

// readsTables reports whether a function's body, or that of one it calls, reads a
// table. known is false when the body was not understood.
func (fs *functions) readsTables(f *catalog.Function) (reads, known bool) {
	return fs.bodyReads(f, 0)
}

func (fs *functions) bodyReads(f *catalog.Function, depth int) (reads, known bool) {
	if n := fs.tables[f]; n != 0 || depth > maxBodies {
		return n > 0, n != 0
	}
	fs.tables[f] = -1 // recursion ends here
	known = true
	stmts, ok := statements(f)
	if !ok {
		delete(fs.tables, f)
		return false, false
	}
	for _, s := range stmts {
		pgast.Walk(s, func(n pgast.Node) bool {
			switch n := n.(type) {
			case *pgast.Table:
				reads = true
			case *pgast.FuncCall:
				if c := fs.at(n, maxBodies); c.user != nil && c.user != f {
					if r, k := fs.bodyReads(c.user, depth+1); r {
						reads = true
					} else if !k {
						known = false
					}
				}
			}
			return !reads
		})
	}
	delete(fs.tables, f)
	if reads {
		fs.tables[f] = 1
	} else if known {
		fs.tables[f] = -1
	}
	return reads, known
}

// statements are the SQL statements of a body in SQL or plpgsql.
func statements(f *catalog.Function) ([]pgast.Stmt, bool) {
	var out []pgast.Stmt
	switch strings.ToLower(f.Language) {
	case "sql":
		for _, p := range pgast.ParseFile(f.Body) {
			if p.Err != nil {
				return nil, false
			}
			out = append(out, p.Stmt)
		}
		return out, len(out) > 0
	case "plpgsql":
		stmt, err := pgast.Parse(f.Definition)
		create, ok := stmt.(*pgast.CreateFunction)
		if err != nil || !ok {
			return nil, false
		}
		body, err := pgast.PLpgSQL(create, f.Body)
		if err != nil {
			return nil, false
		}
		complete := true
		for _, s := range body.Stmts {
			if s.Stmt != nil {
				out = append(out, s.Stmt)
			} else {
				complete = false
			}
		}
		return out, complete || len(out) > 0
	}
	return nil, false
}
