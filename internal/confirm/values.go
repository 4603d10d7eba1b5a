package confirm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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
func (a *asker) fillValues(s *scope, found map[int]compared, types []string) (sets [nsets][]*string, err error) {
	for k := range sets {
		sets[k] = make([]*string, len(types))
	}
	for _, alias := range s.order {
		if err := a.fillFrom(s, alias, found, types, &sets); err != nil {
			return sets, err
		}
	}
	for i, t := range types {
		c := found[i+1]
		for k := range sets {
			switch {
			case c.op == "limit":
				sets[k][i] = ptr("20")
			case c.op == "offset":
				sets[k][i] = ptr("0")
			case t == "interval" && (c.op == "<" || c.op == "<="):
				// Older than that: made rows reach back two years, and what is kept longer
				// than its time is little.
				sets[k][i] = ptr("720 days")
			case sets[k][i] == nil && t == "text" && c.cast != "":
				sets[k][i] = ptr(a.plain(c.cast))
			case sets[k][i] == nil:
				sets[k][i] = ptr(a.plain(t))
			}
		}
	}
	return sets, nil
}

// fillFrom takes the values of the parameters that one table's expressions are
// compared with.
func (a *asker) fillFrom(s *scope, alias string, found map[int]compared, types []string, sets *[nsets][]*string) error {
	var mine []compared
	for i := range types {
		if c, ok := found[i+1]; ok && c.alias == alias && c.expr != "" && !c.derived {
			mine = append(mine, c)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	key := mine[0]
	for _, c := range mine {
		// An equality makes the better key, and one on a flagged column comes first.
		if c.op == "=" && key.op != "=" || c.op == "any" && key.op != "=" {
			key = c
		}
	}
	exprs := make([]string, len(mine))
	for i, c := range mine {
		exprs[i] = c.expr
	}
	from := ident(s.byAlias[alias].Name) + " as " + quote(alias)
	rows, err := a.sample(from, key.expr, exprs)
	if err != nil {
		return fmt.Errorf("drawing values from %s: %w", s.byAlias[alias].Name, err)
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
			sets[k][c.param-1] = ptr(a.shape(c, *v, types[c.param-1]))
		}
	}
	return a.fillRanges(from, mine, sets)
}

// sample draws three rows of values: those of the key's median, most frequent and
// rarest value.
func (a *asker) sample(from, key string, exprs []string) ([][]*string, error) {
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

// shape makes a parameter's value out of a column's.
func (a *asker) shape(c compared, v, typ string) string {
	switch {
	case c.op == "like" && c.infix:
		return middle(v)
	case c.op == "like":
		return "%" + middle(v) + "%"
	case c.op == "any":
		return arrayOf(v)
	case c.op == "member":
		if v = strings.Trim(v, "{}"); v != "" {
			v, _, _ = strings.Cut(v, ",")
			return strings.Trim(v, `"`)
		}
	case typ == "tsquery" || c.op == "@@":
		word, _, _ := strings.Cut(v, ":")
		return word
	}
	return v
}

// middle is a piece of a text as somebody would search for it.
func middle(v string) string {
	r := []rune(v)
	if len(r) > 9 {
		r = r[2:8]
	}
	return strings.NewReplacer("%", "", "_", "", `\`, "").Replace(string(r))
}

func arrayOf(values ...string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// fillRanges gives bounds values that leave about a hundredth of the rows, and a
// fifth for the frequent set: between two bounds from the middle on, with one
// bound at the end of the column's values.
func (a *asker) fillRanges(from string, all []compared, sets *[nsets][]*string) error {
	lower := func(op string) bool { return op == ">" || op == ">=" }
	upper := func(op string) bool { return op == "<" || op == "<=" }
	for _, c := range all {
		if !lower(c.op) && !upper(c.op) {
			continue
		}
		both := slices.ContainsFunc(all, func(d compared) bool {
			return d.expr == c.expr && (lower(c.op) && upper(d.op) || upper(c.op) && lower(d.op))
		})
		at := map[bool][2]string{true: {"0.99", "0.8"}, false: {"0.01", "0.2"}}[lower(c.op)]
		if both {
			at = map[bool][2]string{true: {"0.5", "0.5"}, false: {"0.51", "0.7"}}[lower(c.op)]
		}
		sql := fmt.Sprintf("select percentile_disc(%s) within group (order by %[3]s)::text, percentile_disc(%[2]s) within group (order by %[3]s)::text from %[4]s",
			at[0], at[1], c.expr, from)
		rows, ok := a.samples[sql]
		if !ok {
			var err error
			if rows, err = a.o.Server.Query(a.ctx, sql); err != nil {
				continue // a type without percentiles keeps the row's own value
			}
			a.samples[sql] = rows
		}
		if len(rows) == 1 && rows[0][0] != nil {
			sets[typical][c.param-1], sets[rare][c.param-1], sets[frequent][c.param-1] = rows[0][0], rows[0][0], rows[0][1]
		}
	}
	return nil
}

// plain is a value of a type, an enum's or a domain's too.
func (a *asker) plain(typ string) string {
	for _, t := range a.cat.Types() {
		if t.Name.Name != typ && t.Name.String() != typ {
			continue
		}
		switch {
		case t.Kind == "enum" && len(t.Labels) > 0:
			return t.Labels[0]
		case t.Kind == "domain":
			return plain(t.Base)
		}
	}
	return plain(typ)
}

// plain is a value of a type where nothing better is known.
func plain(typ string) string {
	switch {
	case strings.HasSuffix(typ, "[]"):
		return "{}"
	case strings.HasPrefix(typ, "timestamp"), typ == "date":
		return "2025-01-01"
	}
	switch typ {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "oid":
		return "1"
	case "boolean":
		return "true"
	case "uuid":
		return "00000000-0000-4000-8000-000000000001"
	case "json", "jsonb":
		return "{}"
	case "interval":
		return "1 day"
	case "time without time zone", "time with time zone":
		return "12:00"
	case "inet", "cidr":
		return "10.0.0.1"
	case "bytea":
		return `\x00`
	case "tsquery":
		return "common"
	}
	return "x"
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

func uuids(rows [][]*string) bool {
	return !slices.ContainsFunc(rows, func(r []*string) bool { return r[0] == nil || !uuidForm.MatchString(*r[0]) })
}

// typeName is format_type's name for the grammar's.
func typeName(t string) string {
	switch t {
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	case "int2":
		return "smallint"
	case "bool":
		return "boolean"
	case "float8":
		return "double precision"
	case "float4":
		return "real"
	}
	return t
}
