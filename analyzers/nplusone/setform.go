package nplusone

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// setForm is how a per-item statement becomes one for all items.
type setForm struct {
	// probe returns the rows of all items together; fix returns their keys as well.
	probe, fix string
	// params are the n of the $n that the loop varies, none where that is not clear.
	// columns are set for arrays that are unnested, the column that each is for: the
	// texts lack the arrays' types then, and fix comes with them.
	params  []int
	columns []string
	note    string
}

const batchNote = "or queue the statements into one pgx.Batch"

const generalNote = "gather the elements' keys, send one statement that takes them as arrays (= any($1), or a join with unnest), " + batchNote

// setForm derives the set form where the item stands in one conjunct col = $n of a
// statement whose rows for many items are those for each together, or in several
// places that take the columns of unnested arrays.
func (e *event) setForm() setForm {
	var varying []int
	for i, o := range e.params {
		if o&item != 0 {
			varying = append(varying, i+1)
		}
	}
	if f, ok := e.unnested(varying); ok {
		return f
	}
	if ins, ok := e.stmt.Stmt.(*pgast.Insert); ok {
		return insertForm(ins)
	}
	if len(varying) != 1 || e.rest&item != 0 {
		return setForm{note: generalNote}
	}
	k := varying[0]
	if e.stmt.Dynamic { // a part of the text stands for what is not known
		return setForm{params: []int{k}, note: generalNote}
	}
	src, exists := existence(e.stmt.Text, e.stmt.Stmt)
	where, ok := separable(e.stmt.Stmt)
	if exists {
		where, ok = e.stmt.Stmt.(*pgast.Select).Where, true
	}
	if !ok || occurrences(e.stmt.Stmt, k) != 1 {
		return setForm{params: []int{k}, note: generalNote}
	}
	for _, c := range pgast.Flatten(where, pgast.And) {
		op, ok := c.(*pgast.Op)
		if !ok || op.Kind != pgast.OpPlain || op.Name != "=" || op.Schema != "" {
			continue
		}
		col, ok := op.Left.(*pgast.ColumnRef)
		if !ok || col.Star {
			continue
		}
		if probe, ok := anyOf(src, op.Right, k); ok {
			f := setForm{probe: probe, fix: probe, params: []int{k}}
			key := strings.Join(col.Names, ".")
			s, isSelect := e.stmt.Stmt.(*pgast.Select)
			switch {
			case exists:
				at := start(s)
				f.probe = probe[:at] + "distinct on (" + key + ") " + probe[at:]
				f.fix = probe[:at] + "distinct " + key + ", " + probe[at:]
				f.note = fmt.Sprintf("gather the keys, run this once before the loop with all of them as $%d, and look which of them came back", k)
			case isSelect:
				f.fix = withKey(probe, s, key)
				f.note = fmt.Sprintf("gather the keys, run this once before the loop with all of them as $%d, and look the rows up by %s", k, key)
			default:
				f.note = fmt.Sprintf("gather the keys and run this once with all of them as $%d", k)
			}
			return f
		}
	}
	return setForm{params: []int{k}, note: generalNote}
}

var limitOne = regexp.MustCompile(`(?i)\s+limit\s+1\s*$`)

// existence recognises a statement that asks whether any row has the key, select 1
// from … limit 1, and returns its text without the limit: for many keys each that
// has a row answers once.
func existence(text string, stmt pgast.Stmt) (string, bool) {
	s, ok := stmt.(*pgast.Select)
	if !ok || s.Limit == nil || s.Where == nil || len(s.Targets) == 0 || start(s) < 0 || len(s.OrderBy) > 0 || s.Distinct {
		return text, false
	}
	for _, t := range s.Targets {
		if _, ok := t.Expr.(*pgast.Const); !ok {
			return text, false
		}
	}
	bare := *s
	bare.Limit = nil
	if _, ok := separable(&bare); !ok || !limitOne.MatchString(text) {
		return text, false
	}
	return limitOne.ReplaceAllString(text, ""), true
}

// start is where the select list begins, -1 where that is unknown.
func start(s *pgast.Select) int {
	if len(s.Targets) == 0 {
		return -1
	}
	if at := s.Targets[0].Pos(); at >= 0 || s.Targets[0].Expr == nil {
		return at
	}
	return s.Targets[0].Expr.Pos()
}

func insertForm(s *pgast.Insert) setForm {
	if s.Source != nil && len(s.Source.Values) > 0 {
		return setForm{note: "gather the values by column and insert them at once: insert into " + s.Table.Name +
			" … select … from unnest($1, $2, …), or copy them with CopyFrom, " + batchNote}
	}
	return setForm{note: "gather the keys and insert at once from a join with unnest($1), " + batchNote}
}

// separable reports whether a statement's rows for a set of keys are those for each
// key together, and returns its condition.
func separable(s pgast.Stmt) (pgast.Expr, bool) {
	switch s := s.(type) {
	case *pgast.Select:
		if s.SetOp != "" || s.With != nil || s.Limit != nil || s.Offset != nil || s.Distinct || len(s.DistinctOn) > 0 ||
			len(s.GroupBy) > 0 || s.Having != nil || len(s.From) == 0 || s.Into != nil {
			return nil, false
		}
		for _, t := range s.Targets {
			if aggregates(t.Expr) {
				return nil, false
			}
		}
		return s.Where, s.Where != nil
	case *pgast.Update:
		return s.Where, s.Where != nil && s.With == nil
	case *pgast.Delete:
		return s.Where, s.Where != nil && s.With == nil
	}
	return nil, false
}

var aggregateNames = map[string]bool{
	"count": true, "sum": true, "avg": true, "min": true, "max": true, "array_agg": true, "string_agg": true,
	"bool_or": true, "bool_and": true, "every": true, "json_agg": true, "jsonb_agg": true, "json_object_agg": true,
	"jsonb_object_agg": true, "stddev": true, "variance": true, "percentile_cont": true, "percentile_disc": true, "mode": true,
	"bit_and": true, "bit_or": true, "xmlagg": true, "range_agg": true,
}

func aggregates(e pgast.Expr) bool {
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink:
			return false
		case *pgast.FuncCall:
			found = found || n.Over != nil || n.Star || aggregateNames[n.Name[len(n.Name)-1]]
		}
		return !found
	})
	return found
}

func occurrences(s pgast.Stmt, k int) int {
	n := 0
	pgast.Walk(s, func(x pgast.Node) bool {
		if p, ok := x.(*pgast.Param); ok && p.Number == k {
			n++
		}
		return true
	})
	return n
}

var castAfter = regexp.MustCompile(`^\s*::\s*("?\w+"?\.)?"?\w+"?(\(\d+(,\d+)?\))?`)

// anyOf rewrites $k, or $k::type, to any($k) in a text.
func anyOf(text string, right pgast.Expr, k int) (string, bool) {
	cast := false
	if c, ok := right.(*pgast.Cast); ok {
		if c.Type.ArrayDims > 0 {
			return "", false
		}
		right, cast = c.Arg, true
	}
	p, ok := right.(*pgast.Param)
	if !ok || p.Number != k {
		return "", false
	}
	dollar := "$" + strconv.Itoa(k)
	at := p.Pos()
	if at < 0 || !strings.HasPrefix(text[at:], dollar) {
		return "", false
	}
	end := at + len(dollar)
	if !cast {
		return text[:at] + "any(" + dollar + ")" + text[end:], true
	}
	ty := castAfter.FindString(text[end:])
	if ty == "" {
		return "", false
	}
	return text[:at] + "any(" + dollar + ty + "[])" + text[end+len(ty):], true
}

// withKey puts the key before the select list where it is not in there.
func withKey(text string, s *pgast.Select, key string) string {
	bare := key[strings.LastIndexByte(key, '.')+1:]
	for _, t := range s.Targets {
		if r, ok := t.Expr.(*pgast.ColumnRef); ok {
			if r.Star || len(r.Names) > 0 && r.Names[len(r.Names)-1] == bare {
				return text
			}
		}
	}
	at := start(s)
	if at < 0 || at > len(text) {
		return text
	}
	return text[:at] + key + ", " + text[at:]
}
