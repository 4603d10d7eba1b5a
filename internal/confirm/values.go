package confirm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
)

// The sets of values that a statement is asked with: the median value by
// frequency, the most frequent, the rarest.
const (
	typical = iota
	frequent
	rare
	nsets
)

// fillValues chooses values for a statement's parameters, a set for each of the
// three. Parameters that are compared with one table take their values from one
// row of it, so that the sets match something. It returns a reason where a
// parameter's value would be a guess that decides the answer.
func (a *asker) fillValues(s *params.Scope, found map[int]params.Compared, types []string) (sets [nsets][]*string, err error) {
	for k := range sets {
		sets[k] = make([]*string, len(types))
	}
	for _, alias := range s.Order {
		if err := a.fillFrom(s, alias, found, types, &sets); err != nil {
			return sets, err
		}
	}
	for i, t := range types {
		c := found[i+1]
		for k := range sets {
			switch {
			case c.Op == "limit":
				sets[k][i] = ptr("20")
			case c.Op == "offset":
				sets[k][i] = ptr("0")
			case t == "interval" && (c.Op == "<" || c.Op == "<="):
				// Older than that: made rows reach back two years, and what is kept longer
				// than its time is little.
				sets[k][i] = ptr("720 days")
			case sets[k][i] == nil && t == "text" && c.Cast != "":
				sets[k][i] = ptr(params.Guess(a.cat, c.Cast))
			case sets[k][i] == nil:
				sets[k][i] = ptr(params.Guess(a.cat, t))
			}
		}
	}
	return sets, nil
}

// fillFrom takes the values of the parameters that one table's expressions are
// compared with.
func (a *asker) fillFrom(s *params.Scope, alias string, found map[int]params.Compared, types []string, sets *[nsets][]*string) error {
	var mine []params.Compared
	for i := range types {
		if c, ok := found[i+1]; ok && c.Alias == alias && c.Expr != "" && !c.Derived {
			mine = append(mine, c)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	key := mine[0]
	for _, c := range mine {
		// An equality makes the better key, and one on a flagged column comes first.
		if c.Op == "=" && key.Op != "=" || c.Op == "any" && key.Op != "=" {
			key = c
		}
	}
	exprs := make([]string, len(mine))
	for i, c := range mine {
		exprs[i] = c.Expr
	}
	rel := s.ByAlias[alias].Name
	rows, err := a.sample(rel, alias, key.Expr, exprs)
	if err != nil {
		return fmt.Errorf("drawing values from %s: %w", s.ByAlias[alias].Name, err)
	}
	if len(rows) == 0 {
		return nil
	}
	for i, c := range mine {
		for k := range sets {
			v := rows[k][i]
			if v == nil {
				continue
			}
			sets[k][c.Param-1] = ptr(c.Shape(*v, types[c.Param-1]))
		}
	}
	return a.fillRanges(rel, alias, mine, sets)
}

// sample draws three rows of values: those of the key's median, most frequent and
// rarest value.
func (a *asker) sample(rel catalog.Name, alias, key string, exprs []string) ([][]*string, error) {
	if a.tier != nil {
		return a.invented(rel, alias, exprs)
	}
	from := ident(rel) + " as " + quote(alias)
	var picked, names []string
	for i, e := range exprs {
		picked = append(picked, fmt.Sprintf("(array_agg((%s)::text))[1] as v%d", e, i))
		names = append(names, fmt.Sprintf("v%d", i))
	}
	list := strings.Join(names, ", ")
	sql := fmt.Sprintf(`with g as (select (%[1]s)::text as k, count(*) as n, %[2]s from %[3]s where (%[1]s) is not null group by 1),
		r as (select *, row_number() over (order by n desc, k collate "C") as rn, count(*) over () as total from g)
		select %[4]s from r, (values (1), (2), (3)) w(o)
		where rn = case o when 1 then (total + 1) / 2 when 2 then 1 else total end order by o`, key, strings.Join(picked, ", "), from, list)
	if rows, ok := a.samples[sql]; ok {
		return rows, nil
	}
	rows, err := a.o.Server.Query(a.ctx, sql)
	if err != nil {
		return nil, err
	}
	if len(rows) != nsets {
		rows = nil
	}
	a.samples[sql] = rows
	return rows, nil
}

// fillRanges gives bounds values that leave about a hundredth of the rows, and a
// fifth for the frequent set: between two bounds from the middle on, with one
// bound at the end of the column's values.
func (a *asker) fillRanges(rel catalog.Name, alias string, all []params.Compared, sets *[nsets][]*string) error {
	from := ident(rel) + " as " + quote(alias)
	lower := func(op string) bool { return op == ">" || op == ">=" }
	upper := func(op string) bool { return op == "<" || op == "<=" }
	for _, c := range all {
		if !lower(c.Op) && !upper(c.Op) {
			continue
		}
		both := slices.ContainsFunc(all, func(d params.Compared) bool {
			return d.Expr == c.Expr && (lower(c.Op) && upper(d.Op) || upper(c.Op) && lower(d.Op))
		})
		at := map[bool][2]string{true: {"0.99", "0.8"}, false: {"0.01", "0.2"}}[lower(c.Op)]
		if both {
			at = map[bool][2]string{true: {"0.5", "0.5"}, false: {"0.51", "0.7"}}[lower(c.Op)]
		}
		if a.tier != nil {
			if few, many := a.shareOf(rel, c, at[0]), a.shareOf(rel, c, at[1]); few != nil {
				sets[typical][c.Param-1], sets[rare][c.Param-1], sets[frequent][c.Param-1] = few, few, many
			}
			continue
		}
		sql := fmt.Sprintf("select percentile_disc(%s) within group (order by %[3]s)::text, percentile_disc(%[2]s) within group (order by %[3]s)::text from %[4]s",
			at[0], at[1], c.Expr, from)
		rows, ok := a.samples[sql]
		if !ok {
			var err error
			if rows, err = a.o.Server.Query(a.ctx, sql); err != nil {
				continue // a type without percentiles keeps the row's own value
			}
			a.samples[sql] = rows
		}
		if len(rows) == 1 && rows[0][0] != nil {
			sets[typical][c.Param-1], sets[rare][c.Param-1], sets[frequent][c.Param-1] = rows[0][0], rows[0][0], rows[0][1]
		}
	}
	return nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

func uuids(rows [][]*string) bool {
	return !slices.ContainsFunc(rows, func(r []*string) bool { return r[0] == nil || !uuidForm.MatchString(*r[0]) })
}
