package shadow

import (
	"cmp"
	"context"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// facts are what CHECK constraints say of one column alone.
type facts struct {
	// list holds the only values that are allowed.
	list      []string
	low, high *float64
	// from and to bound a time; the zero time is no bound.
	from, to time.Time
	// lowOpen and highOpen are set where the bound itself is not allowed.
	lowOpen, highOpen    bool
	minLength, maxLength int
	// jsonType is jsonb_typeof's wanted answer.
	jsonType string
	// members are keys that a JSON object must have, with jsonb_typeof's answer.
	members map[string]string
}

// wholes are the whole numbers that are allowed, within defaults.
func (f facts) wholes(low, high float64) (int64, int64) {
	low, high = f.bounds(low, high)
	if f.lowOpen && f.low != nil {
		low++
	}
	if f.highOpen && f.high != nil {
		high--
	}
	return int64(math.Ceil(low)), int64(math.Floor(high))
}

// bounds are the numbers that are allowed, within defaults.
func (f facts) bounds(low, high float64) (float64, float64) {
	switch {
	case f.low != nil && f.high != nil:
		return *f.low, *f.high
	case f.low != nil:
		return *f.low, *f.low + (high - low)
	case f.high != nil:
		return min(low, *f.high), *f.high
	}
	return low, high
}

// readChecks reads the CHECK constraints of a table.
func readChecks(r *catalog.Relation, cat *catalog.Catalog) map[string]facts {
	out := map[string]facts{}
	for _, k := range r.Constraints {
		if k.Kind != catalog.Check {
			continue
		}
		if e, err := pgast.ParseExpr(k.Expr); err == nil {
			readCheck(e, out)
		}
	}
	return out
}

// domainChecks adds what the constraints of domains say of the columns of them.
func (m *Maker) domainChecks(ctx context.Context, r *catalog.Relation, out map[string]facts) error {
	for _, c := range r.Columns {
		t := m.cat.Type(c.TypeName.Schema, c.TypeName.Name)
		if t == nil || t.Kind != "domain" {
			continue
		}
		var def *string
		err := m.conn.QueryRow(ctx, `select string_agg(pg_get_expr(k.conbin, 0), ' and ') from pg_constraint k
			join pg_type t on t.oid = k.contypid join pg_namespace n on n.oid = t.typnamespace
			where n.nspname = $1 and t.typname = $2`, t.Schema, t.Name.Name).Scan(&def)
		if err != nil {
			return err
		}
		if def == nil {
			continue
		}
		if e, err := pgast.ParseExpr(*def); err == nil {
			own := map[string]facts{}
			readCheck(e, own)
			if f, ok := own["value"]; ok {
				out[c.Name] = f
			}
		}
	}
	return nil
}

// readCheck reads a condition: all arms of an AND, the telling arm of IS NULL OR.
func readCheck(e pgast.Expr, out map[string]facts) {
	switch x := e.(type) {
	case *pgast.Bool:
		switch x.Kind {
		case pgast.And:
			for _, a := range x.Args {
				readCheck(a, out)
			}
		case pgast.Or:
			readOr(x, out)
		}
	case *pgast.Op:
		readOp(x, out)
	}
}

// readOr takes a = 'x' or a = 'y' as a list, and the other arm of a is null or ….
func readOr(x *pgast.Bool, out map[string]facts) {
	column, list := "", []string(nil)
	var rest []pgast.Expr
	for _, a := range x.Args {
		if _, ok := a.(*pgast.NullTest); ok {
			continue
		}
		rest = append(rest, a)
		if op, ok := a.(*pgast.Op); ok && op.Kind == pgast.OpPlain && op.Name == "=" {
			name, fn := subject(op.Left)
			v, isConst := constant(op.Right)
			if fn == "" && isConst && (column == "" || column == name) {
				column, list = name, append(list, v)
			}
		}
	}
	if column != "" && len(list) == len(rest) {
		f := out[column]
		f.list = list
		out[column] = f
		return
	}
	if len(rest) == 1 {
		readCheck(rest[0], out)
	}
}

func readOp(x *pgast.Op, out map[string]facts) {
	if readMember(x, out) {
		return
	}
	name, fn := subject(x.Left)
	right, flip := x.Right, false
	if name == "" {
		name, fn = subject(x.Right)
		right, flip = x.Left, true
	}
	if name == "" {
		return
	}
	f := out[name]
	switch x.Kind {
	case pgast.OpIn, pgast.OpAny:
		if list := texts(right); x.Name == "=" && fn == "" {
			f.list = list
		}
	case pgast.OpBetween:
		if l, ok := right.(*pgast.List); ok && len(l.Items) == 2 {
			f.compare(fn, ">=", l.Items[0])
			f.compare(fn, "<=", l.Items[1])
		}
	case pgast.OpPlain:
		op := x.Name
		if flip {
			op = mirrored[op]
		}
		if other, measure := subject(right); other != "" && fn == "" && measure == "" {
			ordered(name, op, other, out)
			return
		}
		if m := alternatives.FindStringSubmatch(pattern(op, right)); m != nil && fn == "" {
			f.list = strings.Split(m[1], "|")
		}
		f.compare(fn, op, right)
	}
	out[name] = f
}

// readMember reads what keys an object must have: x ? 'key', x ?& array['key', …],
// jsonb_typeof(x -> 'key') = 'array'.
func readMember(x *pgast.Op, out map[string]facts) bool {
	note := func(column, key, kind string) bool {
		f := out[column]
		if f.members == nil {
			f.members = map[string]string{}
		}
		if kind != "" || f.members[key] == "" {
			f.members[key] = cmp.Or(kind, "string")
		}
		out[column] = f
		return true
	}
	column, ok := columnOf(x.Left)
	key, isConst := constant(x.Right)
	switch {
	case ok && x.Name == "?" && isConst:
		return note(column, key, "")
	case ok && x.Name == "?&":
		for _, key := range texts(x.Right) {
			note(column, key, "")
		}
		return true
	}
	call, isCall := x.Left.(*pgast.FuncCall)
	if !isCall || !isConst || x.Name != "=" || len(call.Args) != 1 {
		return false
	}
	at, isOp := call.Args[0].(*pgast.Op)
	if !isOp || at.Name != "->" || !strings.HasSuffix(call.Name[len(call.Name)-1], "_typeof") {
		return false
	}
	column, ok = columnOf(at.Left)
	member, isConst := constant(at.Right)
	return ok && isConst && note(column, member, key)
}

// alternatives is a regular expression that lists words.
var alternatives = regexp.MustCompile(`^\^\(([\w-]+(?:\|[\w-]+)*)\)\$$`)

func pattern(op string, right pgast.Expr) string {
	if op != "~" {
		return ""
	}
	text, _ := constant(right)
	return text
}

// between parts the numbers of two columns of which one is less.
const between = 10000

// ordered keeps a column below another one, where nothing else is said of them.
func ordered(a, op, b string, out map[string]facts) {
	switch op {
	case ">", ">=":
		a, b = b, a
	case "<", "<=":
	default:
		return
	}
	if a == b {
		return
	}
	less, more := out[a], out[b]
	if less.high != nil || more.low != nil {
		return
	}
	n := float64(between)
	less.high, less.highOpen = &n, true
	more.low = &n
	out[a], out[b] = less, more
}

// compare notes fn(column) op constant.
func (f *facts) compare(fn, op string, right pgast.Expr) {
	text, ok := constant(right)
	if !ok {
		return
	}
	if fn == "jsonb_typeof" || fn == "json_typeof" {
		f.jsonType = text
		return
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		if op == "=" && fn == "" {
			f.list = []string{text}
		}
		if t, ok := instant(text); ok && fn == "" {
			if op == ">" || op == ">=" {
				f.from = t
			}
			if op == "<" || op == "<=" {
				f.to = t
			}
		}
		return
	}
	lower, upper := op == ">" || op == ">=" || op == "=", op == "<" || op == "<=" || op == "="
	if fn != "" { // a length
		switch op {
		case ">":
			n++
		case "<":
			n--
		}
		if lower {
			f.minLength = max(f.minLength, int(n))
		}
		if upper {
			f.maxLength = int(n)
		}
		return
	}
	if lower {
		f.low, f.lowOpen = &n, op == ">"
	}
	if upper {
		f.high, f.highOpen = &n, op == "<"
	}
}

// lengths are functions that measure a text or a binary string.
var lengths = map[string]bool{"length": true, "char_length": true, "character_length": true, "octet_length": true, "jsonb_typeof": true, "json_typeof": true}

// transparent are functions that keep what is said of their argument.
var transparent = map[string]bool{"btrim": true, "trim": true, "lower": true, "upper": true, "ltrim": true, "rtrim": true}

// subject is the column that an operand is about and the function that measures
// it, "" for the column itself.
func subject(e pgast.Expr) (column, fn string) {
	switch x := e.(type) {
	case *pgast.ColumnRef:
		if len(x.Names) > 0 && !x.Star {
			return strings.Trim(x.Names[len(x.Names)-1], `"`), ""
		}
	case *pgast.Cast:
		return subject(x.Arg)
	case *pgast.Coalesce:
		if len(x.Args) > 0 {
			return subject(x.Args[0])
		}
	case *pgast.FuncCall:
		name := x.Name[len(x.Name)-1]
		if len(x.Args) == 0 {
			return "", ""
		}
		column, fn = subject(x.Args[0])
		if lengths[name] {
			return column, name
		}
		if transparent[name] {
			return column, fn
		}
	}
	return "", ""
}

func constant(e pgast.Expr) (string, bool) {
	switch x := e.(type) {
	case *pgast.Const:
		return x.Text, x.Kind != pgast.ConstNull
	case *pgast.Cast:
		return constant(x.Arg)
	case *pgast.Op:
		if x.Left == nil && x.Name == "-" {
			t, ok := constant(x.Right)
			return "-" + t, ok
		}
	}
	return "", false
}

// texts are the elements of a list or an array, nil when one is no literal.
func texts(e pgast.Expr) []string {
	var items []pgast.Expr
	switch x := e.(type) {
	case *pgast.List:
		items = x.Items
	case *pgast.Array:
		items = x.Elems
	case *pgast.Cast:
		return texts(x.Arg)
	}
	var out []string
	for _, i := range items {
		t, ok := constant(i)
		if !ok {
			return nil
		}
		out = append(out, t)
	}
	return out
}
