package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
)

// The custom plans for drawn values.
const (
	frequent = iota
	rare
	absent
	ndraws
)

var drawLabels = [ndraws]string{"frequent", "rare", "absent"}

// Sources of a parameter's value.
const (
	sourceGiven      = "given"
	sourceStatistics = "statistics"
	sourceGuessed    = "guessed"
)

// drawn is what a parameter may be: a value for each custom plan.
type drawn struct {
	value  [ndraws]*string
	source string
	column string
	// data is set where the value came from the server: also a guess may, as the value
	// of a column for lower(column).
	data bool
}

// drawer draws values for parameters from pg_stats:
//
//  1. =: the most common value; the least common of the listed ones, or one from the
//     middle of the histogram; one beyond the bounds.
//  2. <, > and BETWEEN: bounds that keep a fifth of the histogram, a hundredth, none.
//  3. = ANY: ten common values, one rare, one absent.
//  4. LIKE: a piece of those of =.
//  5. LIMIT is 20, OFFSET 0 and 1000.
//  6. INSERT: a common value of the column, and where the column is unique one that no
//     row has.
//  7. Other parameters, and columns without statistics, get a value of their type, and
//     the report says that it is guessed.
type drawer struct {
	ctx   context.Context
	s     *live.Session
	cat   *catalog.Catalog
	scope *params.Scope
	found map[int]params.Compared
	known map[string]*columnStats
	// units are parameters that name a unit of time.
	units map[int]bool
}

// columnStats are a column's row of pg_stats.
type columnStats struct {
	common, bounds, elems []string
}

func newDrawer(ctx context.Context, s *live.Session, cat *catalog.Catalog, st *Statement) *drawer {
	d := &drawer{ctx: ctx, s: s, cat: cat, scope: params.NewScope(cat, st.Tree, params.Focus{}), known: map[string]*columnStats{}, units: map[int]bool{}}
	d.found = params.Comparisons(st.Tree, d.scope)
	d.inserted(st.Tree)
	pgast.Walk(st.Tree, func(n pgast.Node) bool {
		if f, ok := n.(*pgast.FuncCall); ok && len(f.Args) > 1 {
			name := f.Name[len(f.Name)-1]
			if p, ok := f.Args[0].(*pgast.Param); ok && (name == "date_part" || name == "date_trunc" || name == "extract") {
				d.units[p.Number] = true
			}
		}
		return true
	})
	return d
}

// inserted finds the columns that parameters are inserted into.
func (d *drawer) inserted(tree pgast.Stmt) {
	ins, ok := tree.(*pgast.Insert)
	if !ok || ins.Source == nil || ins.Table == nil {
		return
	}
	for _, row := range ins.Source.Values {
		for i := 0; i < len(row) && i < len(ins.Columns); i++ {
			if p, ok := row[i].(*pgast.Param); ok {
				c := ins.Columns[i]
				d.found[p.Number] = params.Compared{Alias: ins.Table.RefName(), Expr: c, Columns: []string{c}, Op: "insert", Param: p.Number}
			}
		}
	}
}

// draw draws for $n of a type. The session's transaction is open.
func (d *drawer) draw(n int, typ string) (out drawn, err error) {
	c := d.found[n]
	out.source = sourceGuessed
	switch c.Op {
	case "limit":
		out.value = same("20")
		return out, nil
	case "offset":
		out.value = [ndraws]*string{ptrTo("0"), ptrTo("1000"), ptrTo("0")}
		return out, nil
	}
	out.value = same(params.Guess(d.cat, typ))
	switch {
	case typ == "interval":
		out.value = same("30 days")
	case d.units[n]:
		out.value = same("day")
	case typ == "text" && c.Cast != "":
		out.value = same(params.Guess(d.cat, c.Cast))
	}
	rel := d.scope.ByAlias[c.Alias]
	if rel == nil || len(c.Columns) != 1 {
		return out, nil
	}
	out.column = rel.Name.Short() + "." + c.Columns[0]
	if c.Derived || !fits(c, rel, typ) {
		return out, nil
	}
	stats, err := d.stats(rel.Name, c.Columns[0])
	if err != nil || stats == nil {
		return out, err
	}
	picked := d.pick(n, c, stats)
	if picked[frequent] == nil {
		return out, nil
	}
	picked[absent] = beyond(c, rel, stats)
	if c.Op == "insert" {
		if picked[absent] = nil; unique(rel, c.Columns[0]) {
			c.Op = "="
			none := beyond(c, rel, stats)
			picked = [ndraws]*string{none, none, none}
		}
	}
	out.data = true
	if bare(c) {
		out.source = sourceStatistics
	}
	for k, v := range picked {
		if v == nil {
			out.value[k] = out.value[rare]
			continue
		}
		shaped := c.Shape(*v, typ)
		if c.Op == "any" && k == frequent {
			shaped = params.ArrayOf(stats.several()...)
		}
		out.value[k] = &shaped
	}
	return out, nil
}

// bare reports whether a parameter is compared with the column itself: with lower(c),
// a value of c is a guess.
func bare(c params.Compared) bool {
	return strings.HasSuffix(c.Expr, c.Columns[0]) || strings.HasSuffix(c.Expr, quoted(c.Columns[0]))
}

// pick are a frequent and a rare value for a comparison.
func (d *drawer) pick(n int, c params.Compared, s *columnStats) (out [ndraws]*string) {
	at := func(values []string, part float64) *string {
		if len(values) == 0 {
			return nil
		}
		return &values[int(part*float64(len(values)-1)+0.5)]
	}
	lower, upper := c.Op == ">" || c.Op == ">=", c.Op == "<" || c.Op == "<="
	switch {
	case (lower || upper) && len(s.bounds) > 1:
		between := false
		for m, o := range d.found {
			between = between || m != n && o.Expr == c.Expr && o.Alias == c.Alias &&
				(lower && strings.HasPrefix(o.Op, "<") || upper && strings.HasPrefix(o.Op, ">"))
		}
		switch {
		case between && lower:
			out[frequent], out[rare] = at(s.bounds, 0.5), at(s.bounds, 0.5)
		case between:
			out[frequent], out[rare] = at(s.bounds, 0.7), at(s.bounds, 0.51)
		case lower:
			out[frequent], out[rare] = at(s.bounds, 0.8), at(s.bounds, 0.99)
		default:
			out[frequent], out[rare] = at(s.bounds, 0.2), at(s.bounds, 0.01)
		}
		return out
	case (c.Op == "member" || c.Op == "@@") && len(s.elems) > 0:
		out[frequent], out[rare] = &s.elems[0], &s.elems[len(s.elems)-1]
		return out
	}
	out[frequent], out[rare] = at(s.common, 0), at(s.bounds, 0.5)
	if out[rare] == nil {
		out[rare] = at(s.common, 1)
	}
	if out[frequent] == nil {
		out[frequent] = out[rare]
	}
	return out
}

// several are ten of the values that a list may hold.
func (s *columnStats) several() []string {
	out := slices.Clone(s.common[:min(len(s.common), 10)])
	for i := 0; len(out) < 10 && i < len(s.bounds); i += max(len(s.bounds)/10, 1) {
		out = append(out, s.bounds[i])
	}
	return out
}

// stats reads a column's statistics; nil where there are none, or none that the role
// may see.
func (d *drawer) stats(rel catalog.Name, column string) (*columnStats, error) {
	key := rel.String() + "\x00" + column
	if s, ok := d.known[key]; ok {
		return s, nil
	}
	rows, err := d.s.Query(d.ctx, `select to_json(most_common_vals::text::text[])::text, to_json(histogram_bounds::text::text[])::text,
		to_json(most_common_elems::text::text[])::text from pg_catalog.pg_stats
		where schemaname = $1 and tablename = $2 and attname = $3 order by inherited desc limit 1`, &rel.Schema, &rel.Name, &column)
	if err != nil {
		return nil, fmt.Errorf("reading statistics of %s: %w", rel, err)
	}
	var s *columnStats
	if len(rows) > 0 {
		s = &columnStats{}
		for i, into := range []*[]string{&s.common, &s.bounds, &s.elems} {
			if rows[0][i] == nil {
				continue
			}
			if err := json.Unmarshal([]byte(*rows[0][i]), into); err != nil {
				return nil, fmt.Errorf("reading statistics of %s: %w", rel, err)
			}
		}
		if len(s.common)+len(s.bounds)+len(s.elems) == 0 {
			s = nil
		}
	}
	d.known[key] = s
	return s, nil
}

func same(v string) (out [ndraws]*string) {
	for k := range out {
		out[k] = &v
	}
	return out
}

func ptrTo(s string) *string { return &s }
