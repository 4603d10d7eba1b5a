package migrationscan

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// output is a column of a query's result.
type output struct {
	name string
	text string
	typ  catalog.Name
}

// source is an item of FROM with its columns.
type source struct {
	alias   string
	columns []output
}

// level is what a query can name.
type level struct {
	outer   *level
	sources []source
	ctes    map[string][]output
}

// outputs are the result columns of a query. A type that is not known is "".
func (r *replayer) outputs(st pgast.Stmt, outer *level) []output {
	s, ok := st.(*pgast.Select)
	if !ok {
		return r.returning(st, outer)
	}
	l := &level{outer: outer, ctes: map[string][]output{}}
	r.withCTEs(s.With, l)
	switch {
	case s.Left != nil:
		left := r.outputs(s.Left, l)
		for i, o := range r.outputs(s.Right, l) {
			if i < len(left) && (left[i].text == "" || left[i].text == "unknown") {
				left[i].text, left[i].typ = o.text, o.typ
			} else if i < len(left) && left[i].text != o.text {
				left[i].text = withoutMods(left[i].text)
			}
		}
		return left
	case len(s.Values) > 0:
		var out []output
		for i, e := range s.Values[0] {
			t := r.exprType(e, l)
			out = append(out, output{"column" + itoa(i+1), orText(t.text), t.name})
		}
		return out
	}
	for _, it := range s.From {
		r.addSource(l, it)
	}
	return r.targets(s.Targets, l)
}

func (r *replayer) withCTEs(w *pgast.With, l *level) {
	if w == nil {
		return
	}
	for _, c := range w.CTEs {
		out := r.outputs(c.Query, l)
		for i := range min(len(out), len(c.Columns)) {
			out[i].name = c.Columns[i]
		}
		l.ctes[c.Name] = out
	}
}

func orText(t string) string {
	if t == "unknown" {
		return "text"
	}
	return t
}

// targets are the columns of a select list, stars expanded.
func (r *replayer) targets(ts []pgast.Target, l *level) []output {
	var out []output
	for _, t := range ts {
		if c, ok := t.Expr.(*pgast.ColumnRef); ok && c.Star {
			for _, s := range l.sources {
				if len(c.Names) == 0 || c.Names[len(c.Names)-1] == s.alias {
					out = append(out, s.columns...)
				}
			}
			if len(c.Names) == 0 {
				out = l.mergeUsing(out)
			}
			continue
		}
		name := t.Name
		if name == "" {
			if name = columnName(t.Expr); name == "" {
				name = "?column?"
			}
		}
		p := r.exprType(t.Expr, l)
		out = append(out, output{name, orText(p.text), p.name})
	}
	return out
}

// mergeUsing is where JOIN … USING would make one column of two; the names that
// repeat are left to the server, which refuses them in a view.
func (l *level) mergeUsing(out []output) []output {
	var kept []output
	for _, o := range out {
		if !slices.ContainsFunc(kept, func(k output) bool { return k.name == o.name }) {
			kept = append(kept, o)
		}
	}
	return kept
}

func (r *replayer) returning(st pgast.Stmt, outer *level) []output {
	var table *pgast.Table
	var ts []pgast.Target
	switch x := st.(type) {
	case *pgast.Insert:
		table, ts = x.Table, x.Returning
	case *pgast.Update:
		table, ts = x.Table, x.Returning
	case *pgast.Delete:
		table, ts = x.Table, x.Returning
	case *pgast.Merge:
		table, ts = x.Table, x.Returning
	default:
		return nil
	}
	l := &level{outer: outer}
	if table != nil {
		r.addSource(l, table)
	}
	return r.targets(ts, l)
}

func (r *replayer) addSource(l *level, it pgast.FromItem) {
	switch x := it.(type) {
	case *pgast.Join:
		r.addSource(l, x.Left)
		r.addSource(l, x.Right)
	case *pgast.Table:
		l.sources = append(l.sources, source{x.RefName(), rename(r.tableOutputs(x, l), x.ColAliases)})
	case *pgast.Subquery:
		l.sources = append(l.sources, source{x.Alias, rename(r.outputs(x.Query, l), x.ColAliases)})
	case *pgast.FuncTable:
		l.sources = append(l.sources, source{x.Alias, r.functionOutputs(x, l)})
	}
}

func rename(out []output, names []string) []output {
	out = slices.Clone(out)
	for i := range min(len(out), len(names)) {
		out[i].name = names[i]
	}
	return out
}

func (r *replayer) tableOutputs(t *pgast.Table, l *level) []output {
	if t.Schema == "" {
		for o := l; o != nil; o = o.outer {
			if c, ok := o.ctes[t.Name]; ok {
				return c
			}
		}
	}
	rel := r.cat.Resolve(t.Schema, t.Name, r.lookupPath())
	if rel == nil {
		return nil
	}
	return relationOutputs(rel)
}

func relationOutputs(rel *catalog.Relation) []output {
	var out []output
	for _, c := range rel.Columns {
		out = append(out, output{c.Name, c.Type, c.TypeName})
	}
	return out
}

// functionOutputs are the columns of a function in FROM.
func (r *replayer) functionOutputs(x *pgast.FuncTable, l *level) []output {
	var out []output
	if len(x.ColTypes) > 0 {
		for i, t := range x.ColTypes {
			p := r.printType(t, true)
			out = append(out, output{x.ColAliases[i], p.text, p.name})
		}
		return out
	}
	for _, e := range x.Calls {
		out = append(out, r.callOutputs(e, x, l)...)
	}
	if x.Ordinality {
		out = append(out, output{name: "ordinality", text: "bigint"})
	}
	return rename(out, x.ColAliases)
}

func (r *replayer) callOutputs(e pgast.Expr, x *pgast.FuncTable, l *level) []output {
	f, ok := e.(*pgast.FuncCall)
	if !ok {
		p := r.exprType(e, l)
		return []output{{columnName(e), p.text, p.name}}
	}
	if fn := r.function(f); fn != nil {
		if cols := r.resultColumns(fn); len(cols) > 0 {
			return cols
		}
	}
	name := x.Alias
	if name == "" {
		name = f.Name[len(f.Name)-1]
	}
	switch f.Name[len(f.Name)-1] {
	case "jsonb_each", "json_each", "jsonb_each_text", "json_each_text":
		t := map[bool]string{true: "text", false: "jsonb"}[f.Name[len(f.Name)-1] != "jsonb_each" && f.Name[len(f.Name)-1] != "json_each"]
		return []output{{name: "key", text: "text"}, {name: "value", text: t}}
	case "jsonb_array_elements", "json_array_elements", "jsonb_array_elements_text", "json_array_elements_text":
		name = "value"
	}
	p := r.exprType(f, l)
	return []output{{name, p.text, p.name}}
}
