package predicate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// plainType is a printed type without modifiers: numeric(10,2) is numeric.
func plainType(t string) string {
	if strings.HasSuffix(t, ".citext") {
		return "citext"
	}
	if i := strings.IndexByte(t, '('); i >= 0 {
		rest := ""
		if j := strings.IndexByte(t[i:], ')'); j >= 0 {
			rest = t[i+j+1:]
		}
		t = strings.TrimSpace(t[:i]) + rest
	}
	if n, ok := typeAliases[t]; ok {
		return n
	}
	return t
}

var typeAliases = map[string]string{
	"int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean",
	"varchar": "character varying", "char": "character", "bpchar": "character", "float8": "double precision",
	"float4": "real", "decimal": "numeric", "timestamptz": "timestamp with time zone",
	"timestamp": "timestamp without time zone", "time": "time without time zone", "timetz": "time with time zone",
	"serial": "integer", "bigserial": "bigint", "smallserial": "smallint", "varbit": "bit varying",
	"serial4": "integer", "serial8": "bigint",
}

// family groups the types whose operators one btree operator family holds; "" is a
// type that we know nothing of.
func family(t string) string {
	switch t {
	case "smallint", "integer", "bigint":
		return "integer"
	case "real", "double precision":
		return "float"
	case "date", "timestamp without time zone", "timestamp with time zone":
		return "datetime"
	case "text", "character varying", "name":
		return "text"
	case "character", "numeric", "uuid", "boolean", "bytea", "interval", "inet", "cidr", "oid", "citext",
		"time without time zone", "time with time zone", "bit", "bit varying", "money", "macaddr":
		return t
	}
	return ""
}

// noOrder are types without a default btree operator class.
var noOrder = set("json", "xml", "point", "box", "circle", "line", "lseg", "path", "polygon", "geometry", "geography", "vector")

// typeName prints a type as written, as format_type would.
func typeName(t pgast.TypeName) string {
	if len(t.Names) == 0 {
		return ""
	}
	n := plainType(t.Names[len(t.Names)-1])
	if len(t.Names) > 1 && t.Names[0] != "pg_catalog" {
		n = t.Names[0] + "." + n
	}
	if t.ArrayDims > 0 {
		n += "[]"
	}
	return n
}

// columnType is a column's type without modifiers, that of its base for a domain.
func (r *resolver) columnType(rel *Rel, column string) string {
	if rel == nil || rel.Relation == nil {
		return ""
	}
	c := rel.Relation.Column(column)
	if c == nil {
		return ""
	}
	if t := r.cat.Type(c.TypeName.Schema, c.TypeName.Name); t != nil && t.Kind == "domain" && t.Base != "" {
		return plainType(t.Base)
	}
	return plainType(c.Type)
}

func (r *resolver) enum(rel *Rel, column string) bool {
	if rel == nil || rel.Relation == nil {
		return false
	}
	c := rel.Relation.Column(column)
	if c == nil {
		return false
	}
	t := r.cat.Type(c.TypeName.Schema, c.TypeName.Name)
	if t == nil && c.TypeName == (catalog.Name{}) {
		t = r.cat.ResolveType("", c.Type, nil)
	}
	return t != nil && t.Kind == "enum"
}

// typeOf is an expression's type as printed, "" when unknown.
func (r *resolver) typeOf(e pgast.Expr) string {
	switch e := e.(type) {
	case *Var:
		return r.columnType(e.Rel, e.Column)
	case *pgast.Cast:
		return typeName(e.Type)
	case *subquery:
		if e.Kind == pgast.SubScalar && len(e.out) == 1 && !isNil(e.out[0].expr) {
			return r.typeOf(e.out[0].expr)
		}
	case *pgast.Const:
		switch e.Kind {
		case pgast.ConstInt:
			return "integer"
		case pgast.ConstFloat:
			return "numeric"
		case pgast.ConstBool:
			return "boolean"
		}
	case *pgast.ValueFunc:
		switch {
		case strings.HasPrefix(e.Name, "CURRENT_TIMESTAMP"):
			return "timestamp with time zone"
		case strings.HasPrefix(e.Name, "CURRENT_DATE"):
			return "date"
		}
	case *pgast.FuncCall:
		switch n := e.Name[len(e.Name)-1]; n {
		case "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp":
			return "timestamp with time zone"
		case "lower", "upper", "md5", "concat", "btrim", "replace", "current_setting":
			return "text"
		case "to_tsvector":
			return "tsvector"
		default:
			schema := ""
			if len(e.Name) > 1 {
				schema = e.Name[len(e.Name)-2]
			}
			if fs := r.cat.ResolveFunctions(schema, n, r.o.SearchPath); len(fs) == 1 {
				return plainType(fs[0].Returns)
			}
		}
	case *pgast.Op:
		if e.Kind != pgast.OpPlain || isNil(e.Left) {
			return ""
		}
		switch e.Name {
		case "->>", "#>>", "||":
			if e.Name != "||" {
				return "text"
			}
		case "->", "#>":
			return r.typeOf(e.Left)
		case "+", "-", "*", "/":
			l, rt := r.typeOf(e.Left), r.typeOf(e.Right)
			if l == rt || rt == "interval" && family(l) == "datetime" {
				return l
			}
		}
	}
	return ""
}

// relabel takes off casts that change no byte: PostgreSQL's RelabelType, which an
// index on the column serves all the same.
func (r *resolver) relabel(e pgast.Expr) pgast.Expr {
	c, ok := e.(*pgast.Cast)
	if !ok || len(c.Type.Mods) > 0 {
		return e
	}
	inner := r.relabel(c.Arg)
	v, ok := inner.(*Var)
	if !ok || v.Rel == nil {
		return e
	}
	from, to := r.columnType(v.Rel, v.Column), typeName(c.Type)
	if from == "" {
		return e
	}
	if from == to || family(from) == "text" && family(to) == "text" && from != "name" && to != "name" {
		return v
	}
	return e
}

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

// maxDomain is the number of values up to which a CHECK list says that a column
// cannot select much.
const maxDomain = 30

// lowDomain reports whether a column can hold a few values only: boolean, an enum,
// a CHECK (c IN (…)).
func (r *resolver) lowDomain(rel *Rel, column string) bool {
	if rel == nil || rel.Relation == nil {
		return false
	}
	if r.columnType(rel, column) == "boolean" || r.enum(rel, column) {
		return true
	}
	if classNames.MatchString(column) && !keyed(rel.Relation, column) {
		return true
	}
	for _, c := range rel.Relation.Constraints {
		if c.Kind == catalog.Check && strings.Contains(c.Expr, column) && listed(r.text(c.Expr), column) {
			return true
		}
	}
	return false
}

// classNames are names of columns that sort rows into a few classes. An index on
// one of them alone serves nobody, so that we would rather miss the one that does.
var classNames = regexp.MustCompile(`(?i)(^|_)(type|kind|status|state|category|role|frequency|level|mode|method|provider|platform|locale|lang|language|currency|gender|priority|visibility|severity|environment)$|^(is|has)_`)

// keyed reports whether a column is a foreign key or a unique key by itself.
func keyed(t *catalog.Relation, column string) bool {
	for _, c := range t.Constraints {
		if len(c.Columns) == 1 && c.Columns[0] == column && (c.Kind == catalog.ForeignKey || c.Kind == catalog.Unique || c.Kind == catalog.PrimaryKey) {
			return true
		}
	}
	return false
}

// listed reports whether a CHECK compares the column with a short list.
func listed(e pgast.Expr, column string) bool {
	for _, c := range conjunction(e) {
		ok, n := true, 0
		for _, a := range flatten(c, pgast.Or) {
			op, isOp := a.(*pgast.Op)
			if nt, isNull := a.(*pgast.NullTest); isNull && !nt.Not && columnName(nt.Arg) == column {
				continue
			}
			if !isOp || op.Name != "=" || columnName(op.Left) != column {
				ok = false
				break
			}
			n += values(op.Right)
		}
		if ok && n > 0 && n <= maxDomain {
			return true
		}
	}
	return false
}

// columnName is the name of a plain column, through casts; "" for anything else.
func columnName(e pgast.Expr) string {
	if c, ok := uncast(e).(*pgast.ColumnRef); ok && !c.Star && len(c.Names) > 0 {
		return c.Names[len(c.Names)-1]
	}
	if v, ok := uncast(e).(*Var); ok {
		return v.Column
	}
	return ""
}

// values counts the constants of a list; a constant is one.
func values(e pgast.Expr) int {
	switch e := uncast(e).(type) {
	case *pgast.List:
		return len(e.Items)
	case *pgast.Array:
		return len(e.Elems)
	case *pgast.Const:
		if strings.HasPrefix(e.Text, "{") {
			return 1 + strings.Count(e.Text, ",")
		}
		return 1
	}
	return 0
}

// text parses an expression of the catalog, once; nil when it does not parse.
func (r *resolver) text(s string) pgast.Expr {
	if e, ok := r.exprs[s]; ok {
		return e
	}
	e, err := pgast.ParseExpr(s)
	if err != nil {
		e = nil
	}
	r.exprs[s] = e
	return e
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
