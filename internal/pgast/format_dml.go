package pgast

import (
	"strings"
)

func (f *formatter) insert(v *Insert) {
	f.with(v.With)
	f.w("INSERT INTO ")
	f.fromItem(v.Table)
	if len(v.Columns) > 0 {
		f.w(" (", quoteList(v.Columns), ")")
	}
	if v.Overriding != "" {
		f.w(" OVERRIDING ", strings.ToUpper(v.Overriding), " VALUE")
	}
	if v.Source == nil {
		f.w(" DEFAULT VALUES")
	} else {
		f.w(" ")
		f.stmt(v.Source)
	}
	if v.OnConflict != nil {
		f.onConflict(v.OnConflict)
	}
	f.returning(v.Returning, v.OldNew)
}

func (f *formatter) onConflict(o *OnConflict) {
	f.w(" ON CONFLICT")
	if o.Constraint != "" {
		f.w(" ON CONSTRAINT ", quoteIdent(o.Constraint))
	}
	for i, k := range o.Targets {
		f.w(choose(i > 0, ", ", " ("))
		f.indexElem(k)
	}
	f.w(choose(len(o.Targets) > 0, ")", ""))
	f.where(" WHERE ", o.Where)
	if !o.Update {
		f.w(" DO NOTHING")
		return
	}
	f.w(" DO UPDATE SET ")
	f.set(o.Set)
	f.where(" WHERE ", o.UpdateWhere)
}

func (f *formatter) indexElem(k IndexElem) {
	if k.Expr != nil {
		f.paren(k.Expr)
	} else {
		f.w(quoteIdent(k.Column))
	}
	if len(k.Collation) > 0 {
		f.w(" COLLATE ", quoteNames(k.Collation))
	}
	if len(k.OpClass) > 0 {
		f.w(" ", quoteNames(k.OpClass))
	}
}

// set writes a SET list; a MultiAssignRef begins a list of columns with one source.
func (f *formatter) set(ts []Target) {
	for i := 0; i < len(ts); i++ {
		f.w(choose(i > 0, ", ", ""))
		o, ok := ts[i].Expr.(*Other)
		if !ok || o.Kind != "MultiAssignRef" || len(o.Args) == 0 {
			f.place(ts[i])
			f.w(" = ")
			f.expr(ts[i].Expr)
			continue
		}
		f.w("(")
		f.place(ts[i])
		for i+1 < len(ts) {
			next, ok := ts[i+1].Expr.(*Other)
			if !ok || next.Kind != "MultiAssignRef" || len(next.Args) > 0 {
				break
			}
			i++
			f.w(", ")
			f.place(ts[i])
		}
		f.w(") = ")
		f.expr(o.Args[0])
	}
}

func (f *formatter) place(t Target) {
	if t.Path == nil {
		f.w(quoteIdent(t.Name))
		return
	}
	f.path(t.Path)
}

// path writes an assigned place, whose fields need no parentheses.
func (f *formatter) path(e Expr) {
	s, ok := e.(*Subscript)
	if !ok {
		f.expr(e)
		return
	}
	f.path(s.Arg)
	if s.Field != "" {
		f.w(".", quoteIdent(s.Field))
		return
	}
	g := &formatter{anon: f.anon}
	g.expr(&Subscript{Arg: &ColumnRef{}, Lower: s.Lower, Upper: s.Upper, Slice: s.Slice})
	f.w(g.b.String())
}

func (f *formatter) update(v *Update) {
	f.with(v.With)
	f.w("UPDATE ")
	f.fromItem(v.Table)
	f.w(" SET ")
	f.set(v.Set)
	f.from(" FROM ", v.From)
	f.where(" WHERE ", v.Where)
	f.returning(v.Returning, v.OldNew)
}

func (f *formatter) delete(v *Delete) {
	f.with(v.With)
	f.w("DELETE FROM ")
	f.fromItem(v.Table)
	f.from(" USING ", v.Using)
	f.where(" WHERE ", v.Where)
	f.returning(v.Returning, v.OldNew)
}

func (f *formatter) merge(v *Merge) {
	f.with(v.With)
	f.w("MERGE INTO ")
	f.fromItem(v.Table)
	f.w(" USING ")
	f.fromItem(v.Source)
	f.where(" ON ", v.On)
	for _, x := range v.Whens {
		f.w(" WHEN ", choose(x.Matched, "", "NOT "), "MATCHED", choose(x.BySource, " BY SOURCE", ""))
		f.where(" AND ", x.Cond)
		f.w(" THEN ")
		switch x.Action {
		case "update":
			f.w("UPDATE SET ")
			f.set(x.Targets)
		case "delete":
			f.w("DELETE")
		case "insert":
			f.mergeInsert(x.Targets)
		default:
			f.w("DO NOTHING")
		}
	}
	f.returning(v.Returning, v.OldNew)
}

func (f *formatter) mergeInsert(ts []Target) {
	f.w("INSERT")
	var cols []string
	var vals []Expr
	for _, t := range ts {
		if t.Name != "" {
			cols = append(cols, t.Name)
		}
		if t.Expr != nil {
			vals = append(vals, t.Expr)
		}
	}
	if len(cols) > 0 {
		f.w(" (", quoteList(cols), ")")
	}
	if len(vals) == 0 {
		f.w(" DEFAULT VALUES")
		return
	}
	f.w(" VALUES (")
	f.list(vals)
	f.w(")")
}
