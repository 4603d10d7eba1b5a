package source

import (
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// edit is a name in a statement's text that is a parameter.
type edit struct {
	start, end int
	// name tells equal parameters.
	name string
	// typ is the parameter's type where the server would guess another.
	typ string
}

// written is the edit's text as parameter n.
func (e edit) written(n int) string {
	out := "$" + strconv.Itoa(n)
	if strings.EqualFold(e.typ, "interval") {
		out += "::interval" // now() - $1 is that of two times otherwise
	}
	return out
}

// parametrise writes $n for the names that are parameters, equal names getting one
// number, and parses the result, so that a planner can be asked about it. It
// returns ok false, and the text is better left as it is, when that does not parse.
func parametrise(text string, edits []edit) (out string, st pgast.Stmt, ok bool) {
	numbers := map[string]int{}
	var b strings.Builder
	last := 0
	for _, e := range edits {
		n := numbers[e.name]
		if n == 0 {
			n = len(numbers) + 1
			numbers[e.name] = n
		}
		b.WriteString(text[last:e.start])
		b.WriteString(e.written(n))
		last = e.end
	}
	b.WriteString(text[last:])
	st, err := pgast.Parse(b.String())
	return b.String(), st, err == nil
}

// cover maps a text to places: from gives the offset in the file's text of each
// byte, and whether its line can be counted on there.
type cover struct {
	// body is the text that the statement stands in, and offset where it begins
	// there; -1 where it stands nowhere.
	body   string
	offset int
	// at is a place of the body.
	at func(off int) rules.Location
}

// segments map the parametrised text. The runs between edits stand in the body
// byte for byte as far as lines go; a $n maps to its name.
func (c cover) segments(text string, edits []edit) []sqllint.Segment {
	if c.offset < 0 {
		return nil
	}
	var out []sqllint.Segment
	grown := 0 // how much longer the output is than the text so far
	last := 0
	numbers := map[string]int{}
	for _, e := range edits {
		out = c.run(out, text, last, e.start, grown)
		out = append(out, sqllint.Segment{Start: e.start + grown, At: c.at(c.offset + e.start)})
		if numbers[e.name] == 0 {
			numbers[e.name] = len(numbers) + 1
		}
		grown += len(e.written(numbers[e.name])) - (e.end - e.start)
		last = e.end
	}
	return c.run(out, text, last, len(text), grown)
}

// run adds segments for text[from:to]. Where a new line of the text is none of the
// body, or the other way round, the run is broken: places are counted in lines.
func (c cover) run(out []sqllint.Segment, text string, from, to, grown int) []sqllint.Segment {
	start := from
	for i := from; i < to; i++ {
		if o := c.offset + i; o < len(c.body) && (text[i] == '\n') == (c.body[o] == '\n') {
			continue
		}
		if i > start {
			out = append(out, sqllint.Segment{Start: start + grown, At: c.at(c.offset + start), Exact: true})
		}
		out = append(out, sqllint.Segment{Start: i + grown, At: c.at(min(c.offset+i, len(c.body)))})
		start = i + 1
	}
	if to > start {
		out = append(out, sqllint.Segment{Start: start + grown, At: c.at(c.offset + start), Exact: true})
	}
	return out
}

// variableEdits are the names that plpgsql's reader made parameters of.
func variableEdits(text string, st pgast.Stmt, vars []pgast.PLVar) []edit {
	var out []edit
	pgast.Walk(st, func(n pgast.Node) bool {
		p, ok := n.(*pgast.Param)
		if !ok || p.Pos() < 0 || p.Pos() >= len(text) || p.Number < 1 || p.Number > len(vars) {
			return true
		}
		if end := nameEnd(text, p.Pos()); end > p.Pos() {
			out = append(out, edit{p.Pos(), end, vars[p.Number-1].Name, vars[p.Number-1].Type})
		}
		return true
	})
	return sortEdits(out)
}

// argumentEdits are the references to a SQL function's arguments. A column of that
// name in the statement wins, as it does on the server.
func argumentEdits(text string, st pgast.Stmt, f *catalog.Function, cat *catalog.Catalog, path []string) []edit {
	args := map[string]int{}
	typ := func(i int) string {
		if i < 1 || i > len(f.Args) {
			return ""
		}
		return f.Args[i-1]
	}
	for i, a := range f.ArgNames {
		if a != "" {
			args[a] = i + 1
		}
	}
	taken := outputNames(st, cat, path)
	var out []edit
	pgast.Walk(st, func(n pgast.Node) bool {
		switch x := n.(type) {
		case *pgast.Param: // $n stands for the argument itself
			if x.Pos() >= 0 {
				out = append(out, edit{x.Pos(), x.Pos() + 1 + len(strconv.Itoa(x.Number)), "$" + strconv.Itoa(x.Number), typ(x.Number)})
			}
		case *pgast.ColumnRef:
			name := ""
			switch {
			case x.Star:
			case len(x.Names) == 1 && !taken[x.Names[0]]:
				name = x.Names[0]
			case len(x.Names) == 2 && x.Names[0] == f.Name.Name:
				name = x.Names[1]
			}
			if i := args[name]; i > 0 && x.Pos() >= 0 {
				if end := nameEnd(text, x.Pos()); end > x.Pos() {
					out = append(out, edit{x.Pos(), end, "$" + strconv.Itoa(i), typ(i)})
				}
			}
		}
		return true
	})
	return sortEdits(out)
}

func sortEdits(es []edit) []edit {
	slices.SortFunc(es, func(a, b edit) int { return a.start - b.start })
	return slices.CompactFunc(es, func(a, b edit) bool { return a.start == b.start })
}

// outputNames are the column names that a statement's relations and subqueries may
// have.
func outputNames(st pgast.Stmt, cat *catalog.Catalog, path []string) map[string]bool {
	out := map[string]bool{}
	pgast.Walk(st, func(n pgast.Node) bool {
		switch x := n.(type) {
		case *pgast.Table:
			if r := cat.Resolve(x.Schema, x.Name, path); r != nil {
				for _, c := range r.Columns {
					out[c.Name] = true
				}
			}
			add(out, x.ColAliases)
		case *pgast.Subquery:
			add(out, x.ColAliases)
		case *pgast.FuncTable:
			add(out, x.ColAliases)
		case *pgast.Select:
			for _, t := range x.Targets {
				out[t.Name] = true
			}
			if x.With != nil {
				for _, c := range x.With.CTEs {
					add(out, c.Columns)
				}
			}
		}
		return true
	})
	return out
}

func add(to map[string]bool, names []string) {
	for _, n := range names {
		to[n] = true
	}
}

// nameEnd is the end of a dotted name that begins at an offset; the offset itself
// where none does, or where it ends in a star.
func nameEnd(text string, at int) int {
	i := at
	for {
		j := i
		if j < len(text) && text[j] == '"' {
			for j++; j < len(text); j++ {
				if text[j] == '"' {
					if j+1 < len(text) && text[j+1] == '"' {
						j++
						continue
					}
					j++
					break
				}
			}
		} else {
			for j < len(text) && (text[j] >= 0x80 || text[j] == '_' || text[j] == '$' ||
				text[j] >= '0' && text[j] <= '9' || text[j]|0x20 >= 'a' && text[j]|0x20 <= 'z') {
				j++
			}
		}
		if j == i {
			return at
		}
		if j >= len(text) || text[j] != '.' {
			return j
		}
		i = j + 1
	}
}
