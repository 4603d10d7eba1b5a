package shadow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// follow makes a column's value out of another's where a CHECK compares the two and
// values made for each alone would not do: ends_at > starts_at + interval '1 hour'.
func (g *generator) follow(r *catalog.Relation) {
	for _, k := range r.Constraints {
		if k.Kind != catalog.Check {
			continue
		}
		if e, err := pgast.ParseExpr(k.Expr); err == nil {
			g.followIn(e)
		}
	}
}

// followIn reads a condition as readCheck does.
func (g *generator) followIn(e pgast.Expr) {
	switch x := e.(type) {
	case *pgast.Bool:
		var arms []pgast.Expr
		for _, a := range x.Args {
			if _, ok := a.(*pgast.NullTest); !ok {
				arms = append(arms, a)
			}
		}
		if x.Kind == pgast.And || x.Kind == pgast.Or && len(arms) == 1 {
			for _, a := range arms {
				g.followIn(a)
			}
		}
	case *pgast.Op:
		if x.Kind != pgast.OpPlain || x.Left == nil {
			return
		}
		// The column that stands alone follows; of two, the greater one.
		_, alone := columnOf(x.Left)
		_, other := columnOf(x.Right)
		if alone && (!other || x.Name == ">" || x.Name == ">=") {
			g.followOne(x.Left, x.Name, x.Right)
		} else if other {
			g.followOne(x.Right, mirrored[x.Name], x.Left)
		}
	}
}

// mirrored are the comparisons with their operands exchanged.
var mirrored = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}

// followOne gives a column the value that another one has, moved by what the
// condition adds and a little more.
func (g *generator) followOne(column pgast.Expr, op string, of pgast.Expr) {
	name, _ := columnOf(column)
	b := g.column(name)
	moved, isMoved := of.(*pgast.Op)
	by := ""
	if isMoved {
		if moved.Left == nil || moved.Name != "+" && moved.Name != "-" || hasColumns(moved.Right) {
			return
		}
		of, by = moved.Left, " "+moved.Name+" ("+pgast.Format(moved.Right)+")"
		if c, ok := moved.Right.(*pgast.Const); ok && c.Kind == pgast.ConstString && b != nil && isTime(b.col.Type) {
			by += "::interval" // the normal form leaves it out
		}
	}
	name, ok := columnOf(of)
	a := g.column(name)
	if !ok || a == nil || b == nil || a == b {
		return
	}
	step := stepOf(b.col.Type)
	switch {
	case step == "" || stepOf(a.col.Type) == "":
		return
	case by == "" && !isTime(b.col.Type):
		return // ordered parts numbers
	case by == "" && slices.Index(g.columns, a) < slices.Index(g.columns, b) && strings.HasPrefix(op, ">"):
		return // a later time column is later in each row
	}
	sign := map[byte]string{'>': " + ", '<': " - "}[op[0]]
	value := "(" + a.exprs[0] + ")::" + a.col.Type + by
	if sign != "" {
		value = "(" + value + ")" + sign + step
	} else if op != "=" {
		return
	}
	at := 0
	if strings.HasPrefix(b.exprs[0], "case when") {
		at = 1 // it is empty mostly, and that should stay
	}
	b.exprs = slices.Insert(b.exprs, at, value)
}

func hasColumns(e pgast.Expr) bool {
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		_, ok := n.(*pgast.ColumnRef)
		found = found || ok
		return true
	})
	return found
}

func isTime(typ string) bool { return typ == "date" || strings.HasPrefix(typ, "timestamp") }

// stepOf is a small positive amount that can be added to a type, "" for other types.
func stepOf(typ string) string {
	switch {
	case typ == "date":
		return "interval '1 day' * (1 + {i} % 20)"
	case isTime(typ):
		return "interval '1 minute' * (1 + {i} % 20)"
	case typ == "smallint" || typ == "integer" || typ == "bigint" || strings.HasPrefix(typ, "numeric") || typ == "double precision" || typ == "real":
		return "(1 + {i} % 5)"
	}
	return ""
}

// instant reads a literal of a time type.
func instant(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", time.DateTime, time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// moment is a time as time gives it, moved where the column's bounds leave no place
// for that: spread over the span between them in the order of the rows.
func (v *valuer) moment() string {
	const day = 24 * time.Hour
	const span = 730 * day
	from, to, now := v.facts.from, v.facts.to, time.Now()
	inside := from.Before(now.Add(-span-day)) && (to.IsZero() || to.After(now.Add(day+time.Duration(v.ordinal)*time.Hour)))
	switch {
	case inside:
		return v.time()
	case to.IsZero():
		to = from.Add(span)
	case from.IsZero():
		from = to.Add(-span)
	}
	typ := "timestamp"
	if v.col.Type == "timestamp with time zone" {
		typ = "timestamptz"
	}
	n := max(v.n, 1)
	// The ends themselves may not be allowed.
	return fmt.Sprintf("%s '%s' + interval '1 second' * floor(%d * (0.01 + 0.98 * (({i} %% %d) / %d.0::float8)))",
		typ, from.UTC().Format("2006-01-02 15:04:05Z07:00"), int64(to.Sub(from).Seconds()), n, n)
}
