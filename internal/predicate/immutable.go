package predicate

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

var volatileFunctions = set("random", "clock_timestamp", "timeofday", "nextval", "setval", "currval", "lastval",
	"gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "gen_random_bytes", "pg_sleep", "random_normal")

// volatile reports whether e must be evaluated anew for each row.
func (r *resolver) volatile(e pgast.Expr) bool {
	found := false
	each(e, func(x pgast.Expr) bool {
		f, ok := x.(*pgast.FuncCall)
		if !ok || found {
			return !found
		}
		n := f.Name[len(f.Name)-1]
		if volatileFunctions[n] {
			found = true
			return false
		}
		schema := ""
		if len(f.Name) > 1 {
			schema = f.Name[len(f.Name)-2]
		}
		for _, fn := range r.cat.ResolveFunctions(schema, n, r.o.SearchPath) {
			if fn.Volatility == "volatile" {
				found = true
			}
		}
		return !found
	})
	return found
}

// mutable names what keeps an expression out of an index: a function or a cast
// that is not immutable. known is false when a function is not found anywhere.
func (r *resolver) mutable(e pgast.Expr) (what string, known bool) {
	known = true
	each(e, func(x pgast.Expr) bool {
		switch x := x.(type) {
		case *pgast.FuncCall:
			n := x.Name[len(x.Name)-1]
			vol, ok := r.volatility(x)
			known = known && ok
			if vol != "immutable" && ok && what == "" {
				what = n
			}
		case *pgast.Param, *subquery:
			known = false // not a key that an index could hold
		case *pgast.ValueFunc:
			what = "a value of the session"
		case *pgast.Cast:
			if from, to := r.typeOf(x.Arg), typeName(x.Type); !immutableCast(from, to) && what == "" {
				what = "a cast to " + to
			}
		}
		return true
	})
	return what, known
}

// volatility is a called function's, the least of the overloads that a call of so
// many arguments can mean.
func (r *resolver) volatility(f *pgast.FuncCall) (string, bool) {
	n := f.Name[len(f.Name)-1]
	schema := ""
	if len(f.Name) > 1 {
		schema = f.Name[len(f.Name)-2]
	}
	if fs := r.cat.ResolveFunctions(schema, n, r.o.SearchPath); len(fs) > 0 {
		return fs[0].Volatility, true
	}
	fs := r.facts.FunctionCalled(n, len(f.Args))
	if len(f.Args) > 0 {
		last := r.typeOf(f.Args[len(f.Args)-1])
		if exact := slices.DeleteFunc(slices.Clone(fs), func(b builtin.Func) bool {
			return len(b.Args) != len(f.Args) || b.Args[len(b.Args)-1] != last
		}); len(exact) > 0 {
			fs = exact
		}
	}
	if len(fs) == 0 {
		return "", false
	}
	for _, b := range fs {
		if b.Volatility != builtin.Immutable {
			return "stable", true
		}
	}
	return "immutable", true
}

func immutableCast(from, to string) bool {
	if from == to {
		return true
	}
	local := func(t string) bool {
		return family(t) == "datetime" || t == "interval" || strings.HasPrefix(t, "time ")
	}
	switch {
	case from == "":
		return !local(to)
	case from == "timestamp without time zone" && to == "date", from == "date" && to == "timestamp without time zone",
		from == "timestamp without time zone" && strings.HasPrefix(to, "time "):
		return true
	case local(from) || local(to):
		return false
	}
	return true
}
