package nplusone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// items gathers the values of a statement that become columns of u, the arrays of
// the elements' values, unnested side by side.
type items struct {
	varying []int
	prefix  string
	// params and columns are as in setForm; args are unnest's.
	params  []int
	columns []string
	args    []string
}

// take notes a value, $k or $k::type, for a column, and returns what stands for it.
func (u *items) take(x pgast.Expr, column string) (pgast.Expr, bool) {
	cast := ""
	if c, ok := x.(*pgast.Cast); ok {
		if c.Type.ArrayDims > 0 || len(c.Type.Mods) > 0 {
			return nil, false
		}
		_, cast, _ = strings.Cut(pgast.Format(c), "::")
		if x = c.Arg; cast == "" {
			return nil, false
		}
	}
	p, ok := x.(*pgast.Param)
	if !ok || !slices.Contains(u.varying, p.Number) || slices.Contains(u.columns, column) {
		return nil, false
	}
	arg := fmt.Sprintf("$%d", p.Number)
	if cast != "" {
		arg += "::" + cast + "[]"
	}
	u.params, u.columns, u.args = append(u.params, p.Number), append(u.columns, column), append(u.args, arg)
	return &pgast.ColumnRef{Names: []string{"u", u.prefix + column}}, true
}

// from is the unnested arrays as a FROM item.
func (u *items) from() ([]pgast.FromItem, bool) {
	names := make([]string, len(u.columns))
	for i, c := range u.columns {
		names[i] = `"` + strings.ReplaceAll(u.prefix+c, `"`, `""`) + `"`
	}
	s, err := pgast.Parse("select 1 from unnest(" + strings.Join(u.args, ", ") + ") as u (" + strings.Join(names, ", ") + ")")
	if err != nil {
		return nil, false
	}
	return s.(*pgast.Select).From, true
}

// unnested derives the set form of a statement by arrays that are unnested: of an
// INSERT of one row, of an UPDATE that sets what varies, and of others by several
// keys.
func (e *event) unnested(varying []int) (setForm, bool) {
	if len(varying) == 0 || e.rest&item != 0 || e.stmt.Dynamic || e.takesSet() {
		return setForm{}, false
	}
	var moving []int // what is not the same for all, from the element or not
	for i, o := range e.params {
		if o&(item|moves) != 0 && occurrences(e.stmt.Stmt, i+1) > 0 {
			moving = append(moving, i+1)
		}
	}
	own, err := pgast.Parse(e.stmt.Text) // a copy to change
	if err != nil {
		return setForm{}, false
	}
	u, note, ok := &items{varying: varying}, "", false
	once := func(s pgast.Stmt) bool {
		return !slices.ContainsFunc(u.varying, func(k int) bool { return occurrences(s, k) != 1 })
	}
	single := once(own)
	switch s := own.(type) {
	case *pgast.Insert:
		u.varying = moving
		u.excluded(s)
		single = once(s)
		note, ok = u.insert(s)
	case *pgast.Update:
		if slices.ContainsFunc(s.Set, func(t pgast.Target) bool { return uses(t.Expr, moving) }) {
			u.varying = moving
			if note, ok = u.update(s); !ok { // one value for all is none of them
				return setForm{note: generalNote}, true
			}
			break
		}
		ok = calm(s) && len(s.From) == 0
		if ok {
			s.Where, note, ok = u.keys(s.Where, s)
		}
	case *pgast.Delete:
		if len(s.Using) == 0 {
			s.Where, note, ok = u.keys(s.Where, s)
		}
	case *pgast.Select:
		if len(s.From) == 1 {
			if _, table := s.From[0].(*pgast.Table); table {
				s.Where, note, ok = u.keys(s.Where, s)
			}
		}
	}
	if _, own := own.(*pgast.Update); own && ok && len(u.params) != len(u.varying) {
		return setForm{note: generalNote}, true
	}
	if !ok || len(u.params) != len(u.varying) || !single {
		return setForm{}, false
	}
	return setForm{probe: pgast.Format(own), params: u.params, columns: u.columns, note: note}, true
}

// excluded names, in what ON CONFLICT sets, a value that is also inserted by the row that
// was to be inserted: on conflict do update set b = $2 is set b = excluded.b.
func (u *items) excluded(s *pgast.Insert) {
	c := s.OnConflict
	if c == nil || !c.Update || s.Source == nil || len(s.Source.Values) != 1 || len(s.Source.Values[0]) != len(s.Columns) {
		return
	}
	columns := map[int]string{}
	for i, v := range s.Source.Values[0] {
		if p, ok := v.(*pgast.Param); ok && slices.Contains(u.varying, p.Number) && columns[p.Number] == "" {
			columns[p.Number] = s.Columns[i]
		}
	}
	name := func(x pgast.Expr) (pgast.Expr, bool) {
		p, ok := x.(*pgast.Param)
		if !ok || columns[p.Number] == "" {
			return nil, false
		}
		return &pgast.ColumnRef{Names: []string{"excluded", columns[p.Number]}}, true
	}
	for i := range c.Set {
		c.Set[i].Expr = pgast.ReplaceExpr(c.Set[i].Expr, name)
	}
	if c.UpdateWhere != nil {
		c.UpdateWhere = pgast.ReplaceExpr(c.UpdateWhere, name)
	}
}

// insert rewrites the one row of VALUES.
func (u *items) insert(s *pgast.Insert) (note string, ok bool) {
	src := s.Source
	if s.With != nil || src == nil || len(src.Values) != 1 || len(src.Values[0]) != len(s.Columns) || src.With != nil || src.Limit != nil || len(src.OrderBy) > 0 {
		return "", false
	}
	note = "gather the values by column and insert them at once, an array for each parameter, or copy them with CopyFrom, " + batchNote
	if c := s.OnConflict; c != nil && c.Update {
		note = "gather the values by column and insert them at once, an array for each parameter; one statement cannot update a row twice, so merge elements with equal keys first; " + batchNote
		if c.Constraint != "" || !u.still(c.UpdateWhere) {
			return "", false
		}
		for _, t := range c.Set {
			key := slices.ContainsFunc(c.Targets, func(k pgast.IndexElem) bool { return k.Expr != nil || k.Column == t.Name })
			if key || t.Path != nil || !u.still(t.Expr) {
				return "", false
			}
		}
	}
	for _, t := range s.Returning {
		if _, column := t.Expr.(*pgast.ColumnRef); !column {
			return "", false
		}
	}
	if len(s.Returning) > 0 {
		note += "; the rows come back in no promised order, so match them by their values"
	}
	out := &pgast.Select{}
	for i, v := range src.Values[0] {
		if uses(v, u.varying) {
			if v, ok = u.take(v, s.Columns[i]); !ok {
				return "", false
			}
		} else if !u.still(v) {
			return "", false
		}
		out.Targets = append(out.Targets, pgast.Target{Expr: v})
	}
	out.From, ok = u.from()
	s.Source = out
	return note, ok
}

// update joins the table with the arrays, where each key sets values of its own.
func (u *items) update(s *pgast.Update) (note string, ok bool) {
	if s.With != nil || len(s.From) > 0 || s.Where == nil || s.Table.RefName() == "u" || !calm(s) {
		return "", false
	}
	for _, t := range s.Returning {
		if r, column := t.Expr.(*pgast.ColumnRef); !column || r.Star {
			return "", false
		}
	}
	u.prefix = "item_"
	for _, c := range pgast.Flatten(s.Where, pgast.And) {
		op, _, is := equality(c)
		if !is || !uses(c, u.varying) {
			continue
		}
		x, ok := u.take(op.Right, lastName(op.Left))
		if !ok {
			return "", false
		}
		op.Right = x
	}
	if len(u.params) == 0 {
		return "", false
	}
	for i, t := range s.Set {
		if !uses(t.Expr, u.varying) {
			continue
		}
		if s.Set[i].Expr, ok = u.take(t.Expr, t.Name); !ok {
			return "", false
		}
	}
	s.From, ok = u.from()
	return "gather keys and values, an array for each parameter, and run this once; a key that comes twice gets one of its values, so keep the last element for each; " + batchNote, ok
}

// keys puts (a, b) in (select * from unnest($1, $2)) for a = $1 and b = $2.
func (u *items) keys(where pgast.Expr, s pgast.Stmt) (pgast.Expr, string, bool) {
	if _, ok := separable(s); !ok || len(u.varying) < 2 {
		return where, "", false
	}
	var rest []pgast.Expr
	var columns []string
	at := -1
	for _, c := range pgast.Flatten(where, pgast.And) {
		if op, column, is := equality(c); is && uses(c, u.varying) {
			if _, ok := u.take(op.Right, lastName(op.Left)); !ok {
				return where, "", false
			}
			if columns = append(columns, pgast.Format(column)); at < 0 {
				at = len(rest)
			}
			continue
		}
		rest = append(rest, c)
	}
	if len(columns) < 2 {
		return where, "", false
	}
	in, err := pgast.ParseExpr("(" + strings.Join(columns, ", ") + ") in (select * from unnest(" + strings.Join(u.args, ", ") + "))")
	if err != nil {
		return where, "", false
	}
	note := "gather the keys, an array for each parameter, and run this once"
	if _, ok := s.(*pgast.Select); ok {
		note = "gather the keys, an array for each parameter, run this once before the loop, and look the rows up by " + strings.Join(columns, " and ")
	}
	if rest = slices.Insert(rest, at, in); len(rest) == 1 {
		return in, note, true
	}
	return &pgast.Bool{Kind: pgast.And, Args: rest}, note, true
}

// equality recognises column = value.
func equality(e pgast.Expr) (*pgast.Op, *pgast.ColumnRef, bool) {
	op, ok := e.(*pgast.Op)
	if !ok || op.Kind != pgast.OpPlain || op.Name != "=" || op.Schema != "" {
		return nil, nil, false
	}
	c, ok := op.Left.(*pgast.ColumnRef)
	return op, c, ok && !c.Star && len(c.Names) > 0
}

func lastName(e pgast.Expr) string {
	names := e.(*pgast.ColumnRef).Names
	return names[len(names)-1]
}

func uses(e pgast.Expr, params []int) bool {
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		p, ok := n.(*pgast.Param)
		found = found || ok && slices.Contains(params, p.Number)
		return !found
	})
	return found
}

// calm reports whether an UPDATE for one key neither reads nor moves the rows of
// another.
func calm(s *pgast.Update) bool {
	u := &items{}
	read := map[string]bool{}
	pgast.Walk(s.Where, func(n pgast.Node) bool {
		if r, ok := n.(*pgast.ColumnRef); ok && !r.Star {
			read[lastName(r)] = true
		}
		return true
	})
	for _, t := range s.Set {
		if t.Path != nil || read[t.Name] || !u.still(t.Expr) {
			return false
		}
	}
	return u.still(s.Where)
}

// fresh are functions that give another value at each call, and that do not depend
// on what the statements before wrote.
var fresh = map[string]bool{"gen_random_uuid": true, "uuid_generate_v4": true, "uuidv7": true, "nextval": true, "random": true, "clock_timestamp": true}

// still reports whether an expression reads no rows but its own, and nothing that
// varies beside what take found.
func (u *items) still(e pgast.Expr) bool {
	ok := !uses(e, u.varying)
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink, *pgast.Other, *pgast.Default:
			ok = false
		case *pgast.FuncCall:
			name := n.Name[len(n.Name)-1]
			known := builtin.For(builtin.Newest).FunctionAny(name)
			ok = ok && (len(n.Name) == 1 || n.Name[0] == "pg_catalog") && (fresh[name] || len(known) > 0 && !slices.ContainsFunc(known, func(f builtin.Func) bool {
				return f.Kind != 'f' || f.ReturnsSet || f.Volatility == builtin.Volatile
			}))
		}
		return ok
	})
	return ok
}
