package shadow

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/catalog"
)

// generator writes the INSERT that fills one table.
type generator struct {
	rel     *catalog.Relation
	columns []*genColumn
	// joins are the parents that foreign keys pick from.
	joins []string
	sieve sieve
	// sifted is set where rows that break a CHECK are left out.
	sifted bool
}

// genColumn is a column and the expressions that it can be filled with, in terms
// of {i}, the row's number. The first is the best guess, adapt moves on.
type genColumn struct {
	col   *catalog.Column
	exprs []string
	at    int
}

func (g *generator) column(name string) *genColumn {
	for _, c := range g.columns {
		if c.col.Name == name {
			return c
		}
	}
	return nil
}

// insert makes rows number from to to, in that order on disk: a join may hand them
// over in another. A sieve leaves most of them. fresh says that the table is empty.
func (g *generator) insert(from, to, most int64, fresh bool) string {
	var names, values []string
	for _, c := range g.columns {
		names = append(names, quote(c.col.Name))
		values = append(values, "("+strings.ReplaceAll(c.exprs[c.at], "{i}", "i.i")+")::"+c.col.Type)
	}
	if len(names) == 0 {
		return "insert into " + ident(g.rel.Name) + " default values"
	}
	source := fmt.Sprintf("from generate_series(%d::bigint, %d::bigint) i(i) %s", from, to, strings.Join(g.joins, " "))
	rows, conflict := fmt.Sprintf("select %s %s order by i.i", strings.Join(values, ", "), source), " on conflict do nothing"
	if g.sifted || len(g.sieve.keys) > 0 {
		for i := range values {
			values[i] += " as " + names[i]
		}
		rows = fmt.Sprintf("select i.i as %s, %s%s %s", number, strings.Join(values, ", "), g.empty(), source)
		rows = fmt.Sprintf("select %s from (%s) q order by %s limit %d", strings.Join(names, ", "), g.through(rows, fresh), number, most)
	}
	if len(g.sieve.keys) > 0 {
		conflict = "" // the server refuses it beside a deferrable key
	}
	return fmt.Sprintf("insert into %s (%s) overriding system value %s%s", ident(g.rel.Name), strings.Join(names, ", "), rows, conflict)
}

// keys are the expressions that other tables may compute keys with.
func (g *generator) keys() map[string]string {
	out := map[string]string{}
	for _, c := range g.columns {
		out[c.col.Name] = c.exprs[c.at]
	}
	return out
}

// generator works out how each column of a table is filled.
// Of a parent that nobody asks about only the keys matter: its other columns stay
// empty where they may.
func (m *Maker) generator(ctx context.Context, r *catalog.Relation, n int64, parent bool) (*generator, error) {
	g := &generator{rel: r}
	checks := readChecks(r, m.cat)
	if err := m.domainChecks(ctx, r, checks); err != nil {
		return nil, err
	}
	for i, c := range r.Columns {
		if c.Generated || parent && !m.needs(r, c) {
			continue
		}
		v := valuer{cat: m.cat, rel: r, col: c, n: n, ordinal: i, seed: seed(r, c), distinct: keyed(r, c.Name), facts: checks[c.Name]}
		col := &genColumn{col: c, exprs: v.expressions()}
		if part := m.partitionValues(r, c); part != "" {
			col.exprs = append([]string{part}, col.exprs...)
		}
		g.columns = append(g.columns, col)
	}
	for i, k := range r.Constraints {
		if k.Kind == catalog.ForeignKey && !slices.ContainsFunc(k.Columns, func(c string) bool { return g.column(c) == nil }) {
			m.foreignKey(g, k, i)
		}
	}
	g.follow(r)
	g.empties()
	var err error
	g.sieve, err = m.sieve(ctx, g)
	return g, err
}

// needs reports whether a column of a table that is only a parent has to be filled:
// it must not be empty, is of the primary key, a foreign key refers to it, or the
// table takes no row in which it and others are empty.
func (m *Maker) needs(r *catalog.Relation, c *catalog.Column) bool {
	if c == nil || c.NotNull && !c.HasDefault {
		return true
	}
	if m.referred == nil {
		m.referred = map[string]bool{}
		for _, s := range m.cat.Relations() {
			for _, k := range s.Constraints {
				for _, c := range k.RefColumns {
					m.referred[k.References.String()+"."+c] = true
				}
			}
		}
	}
	return m.referred[r.Name.String()+"."+c.Name] || mustFill(nullRules(r))[c.Name] || slices.ContainsFunc(r.Constraints, func(k *catalog.Constraint) bool {
		return k.Kind == catalog.PrimaryKey && slices.Contains(k.Columns, c.Name)
	})
}

// keyed reports whether a column is part of a unique key.
func keyed(r *catalog.Relation, column string) bool {
	for _, x := range r.Indexes {
		if x.Unique && slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool {
			return k.Column == column || k.Expr != "" && strings.Contains(k.Expr, column)
		}) {
			return true
		}
	}
	return false
}

// foreignKey makes the columns of a foreign key take a parent's values. Each
// parent once where they are unique; by Zipf's law where nothing else of a unique
// key makes rows differ; evenly for a second foreign key of a unique key.
func (m *Maker) foreignKey(g *generator, k *catalog.Constraint, number int) {
	r := g.rel
	nullable := true
	for i, name := range k.Columns {
		c := g.column(name)
		if c == nil || i >= len(k.RefColumns) {
			return
		}
		nullable = nullable && !c.col.NotNull
	}
	s := hashText(r.Name.String() + "." + k.Name)
	parents := m.done[k.References].Rows
	if k.References == r.Name || m.busy[k.References] || parents == 0 {
		m.computedKey(g, k, s, nullable)
		return
	}
	rank := zipf("{i}", s, parents)
	switch {
	case unique(r, k.Columns):
		rank = fmt.Sprintf("1 + ({i} - 1) %% %d", parents)
	case secondInKey(r, k):
		rank = fmt.Sprintf("1 + (hashint8extended({i}, %d) & 9223372036854775807) %% %d", s, parents)
	}
	alias := "p" + strconv.Itoa(number)
	var selected []string
	for i, ref := range k.RefColumns {
		selected = append(selected, fmt.Sprintf("%s as k%d", quote(ref), i))
		expr := fmt.Sprintf("%s.k%d", alias, i)
		if nullable && !unique(r, k.Columns) {
			expr = fmt.Sprintf("case when %s >= 0.1 then %s end", uniform("{i}", s+1), expr)
		}
		c := g.column(k.Columns[i])
		c.exprs, c.at = []string{expr}, 0
		if nullable {
			c.exprs = append(c.exprs, "null")
		}
	}
	order := make([]string, len(k.RefColumns))
	for i := range order {
		order[i] = quote(k.RefColumns[i])
	}
	g.joins = append(g.joins, fmt.Sprintf("left join (select row_number() over (order by %s) as rn, %s from %s) %s on %s.rn = %s",
		strings.Join(order, ", "), strings.Join(selected, ", "), ident(k.References), alias, alias, strings.ReplaceAll(rank, "{i}", "i.i")))
}

// computedKey fills a foreign key whose parent has no rows yet, the table itself
// for one: with the value that the row of a lower number has or will have.
func (m *Maker) computedKey(g *generator, k *catalog.Constraint, s int64, nullable bool) {
	parent := m.cat.Relation(k.References.Schema, k.References.Name)
	for i, name := range k.Columns {
		c := g.column(name)
		var expr string
		switch {
		case parent == nil:
		case k.References == g.rel.Name:
			if ref := g.column(k.RefColumns[i]); ref != nil && ref != c {
				expr = ref.exprs[ref.at]
			}
		default:
			if col := parent.Column(k.RefColumns[i]); col != nil && m.busy[k.References] {
				v := valuer{cat: m.cat, rel: parent, col: col, n: fewParents, seed: seed(parent, col), distinct: true}
				expr = v.expressions()[0]
			}
		}
		lower := fmt.Sprintf("(1 + (hashint8extended({i}, %d) & 9223372036854775807) %% {i})", s)
		if expr != "" {
			expr = strings.ReplaceAll(expr, "{i}", lower)
			c.exprs, c.at = []string{expr}, 0
		} else if nullable {
			c.exprs, c.at = []string{"null"}, 0
		}
		if expr != "" && nullable {
			c.exprs = append(c.exprs, "null")
		}
	}
}

// secondInKey reports whether another foreign key shares a unique key with k and
// comes before it.
func secondInKey(r *catalog.Relation, k *catalog.Constraint) bool {
	for _, x := range r.Indexes {
		if !x.Unique || !slices.ContainsFunc(x.Keys, func(key catalog.IndexKey) bool { return slices.Contains(k.Columns, key.Column) }) {
			continue
		}
		for _, other := range r.Constraints {
			if other == k {
				break
			}
			if other.Kind == catalog.ForeignKey && slices.ContainsFunc(x.Keys, func(key catalog.IndexKey) bool { return slices.Contains(other.Columns, key.Column) }) {
				return true
			}
		}
	}
	return false
}

// SQLSTATEs of rows that a table does not take.
const (
	checkViolation   = "23514"
	notNullViolation = "23502"
)

// adapt reads a violation and moves the columns that it names to their next
// expressions, all combinations in turn. It reports whether there is one left.
func (g *generator) adapt(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	var names []string
	switch pg.Code {
	case notNullViolation:
		names = []string{pg.ColumnName}
	case checkViolation:
		if k := g.rel.Constraint(pg.ConstraintName); k != nil {
			names = k.Columns
		}
		for _, c := range g.columns {
			if pg.DataTypeName != "" && c.col.TypeName.Name == pg.DataTypeName {
				names = append(names, c.col.Name)
			}
		}
	}
	for _, name := range names {
		c := g.column(name)
		if c == nil {
			continue
		}
		if c.at+1 < len(c.exprs) {
			c.at++
			return true
		}
		c.at = 0
	}
	return false
}

func seed(r *catalog.Relation, c *catalog.Column) int64 {
	return hashText(r.Name.String() + "." + c.Name)
}

func hashText(s string) int64 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return int64(h.Sum32())
}

// uniform is a number in [0, 1) that depends on the row and the seed alone.
func uniform(i string, seed int64) string {
	return fmt.Sprintf("((hashint8extended(%s, %d) & 2147483647) / 2147483648.0::float8)", i, seed)
}

// zipf is a rank in 1 … n whose probability falls as 1/rank.
func zipf(i string, seed, n int64) string {
	return fmt.Sprintf("least(%d, floor(exp(%s * ln(%d::float8)))::bigint)", n, uniform(i, seed), n+1)
}
