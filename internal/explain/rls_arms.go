package explain

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// Identity is who asks: a role, and the settings that policies read.
type Identity struct {
	Role string
	// Settings are request.jwt.claims, app.tenant …
	Settings map[string]string
}

// rounds is how often each arm runs; it is odd, so that the median is a run.
const rounds = 7

// longest is the time of all runs of a statement after which no further round begins.
const longest = 20 * time.Second

// asker runs statements in one transaction of a session.
type asker struct {
	ctx  context.Context
	s    *live.Session
	args []*string
	// timeout bounds a statement; 0 leaves the session's.
	timeout time.Duration
	// vet decides what may run on a server that is not planvet's own; nil there.
	vet *live.VetOptions
	// proposed are remedies that were not measured.
	proposed []remedy
	// values are literals by the text of what they stand for.
	values map[string]pgast.Expr
}

// as runs f as an identity and goes back to the session's own; with Role "" only
// the settings are there. Marks do not nest.
func (a *asker) as(id Identity, f func() error) error {
	if err := a.s.Mark(a.ctx); err != nil {
		return err
	}
	err := a.enter(id)
	if err == nil {
		err = f()
	}
	return errors.Join(err, a.s.Undo(a.ctx))
}

func (a *asker) enter(id Identity) error {
	for name, v := range id.Settings {
		if _, err := a.s.Query(a.ctx, "select pg_catalog.set_config($1, $2, true)", &name, &v); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	if a.timeout > 0 {
		if err := a.s.Exec(a.ctx, fmt.Sprintf("set local statement_timeout = %d", a.timeout.Milliseconds())); err != nil {
			return err
		}
	}
	if id.Role == "" {
		return nil
	}
	return a.s.Exec(a.ctx, "set local role "+quoted(id.Role))
}

// request asks for an analysed plan.
func (a *asker) request(sql string, id Identity) plan.Request {
	return plan.Request{SQL: sql, Role: id.Role, Settings: id.Settings, Args: a.args, Analyze: true, Timeout: a.timeout}
}

// literal evaluates an expression as an identity.
func (a *asker) literal(id Identity, e pgast.Expr) (pgast.Expr, error) {
	text := pgast.Format(e)
	if v := a.values[text]; v != nil {
		return v, nil
	}
	var rows [][]*string
	err := a.as(id, func() (err error) {
		rows, err = a.s.Query(a.ctx, "select pg_catalog.format_type(pg_catalog.pg_typeof(q.v)::oid, null), q.v::text from (select "+text+" as v) q")
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("evaluating %s as %s: %s", text, id.Role, message(err))
	case len(rows) != 1 || rows[0][0] == nil:
		return nil, fmt.Errorf("%s has %d values as %s", text, len(rows), id.Role)
	}
	value := "null"
	if rows[0][1] != nil {
		value = literal(*rows[0][1])
	}
	v, err := pgast.ParseExpr(value + "::" + *rows[0][0])
	if err != nil {
		return nil, fmt.Errorf("the value of %s as %s cannot be written as a literal: %w", text, id.Role, err)
	}
	if a.values == nil {
		a.values = map[string]pgast.Expr{}
	}
	a.values[text] = v
	return v, nil
}

// rowSet is a set of rows, order apart.
type rowSet struct {
	rows int64
	hash string
}

// rowsOf counts and hashes the rows of a statement on the server, so that they do
// not travel.
func (a *asker) rowsOf(sql string, id Identity) (out rowSet, err error) {
	err = a.as(id, func() error {
		rows, err := a.s.Query(a.ctx, "select count(*)::text, coalesce(sum(pg_catalog.hashtextextended(q::text, 0)), 0)::text from (\n"+sql+"\n) q", a.args...)
		if err != nil {
			return err
		}
		_, err = fmt.Sscan(*rows[0][0], &out.rows)
		out.hash = *rows[0][1]
		return err
	})
	return out, err
}

// permit asks whether a statement may run, before anything of it does.
func (a *asker) permit(sql string, id Identity) error {
	if a.vet == nil {
		return nil
	}
	_, err := a.s.Vet(a.ctx, a.request(sql, id), *a.vet)
	return err
}

// arm is one way to run a statement, with its runs.
type arm struct {
	sql   string
	id    Identity
	times []float64
	last  *plan.Plan
}

// run adds a run.
func (a *asker) run(m *arm) error {
	p, err := a.s.Explain(a.ctx, a.request(m.sql, m.id))
	if err != nil {
		return err
	}
	m.times, m.last = append(m.times, p.ExecutionMS), p
	return nil
}

// interleave runs each arm once to warm it, and then all in turn, every other round
// backwards; it returns the number of rounds, fewer where they take long.
func (a *asker) interleave(arms []*arm) (n int, failed *arm, err error) {
	spent := time.Duration(0)
	each := func(m *arm) error {
		if err := a.run(m); err != nil {
			return err
		}
		spent += time.Duration(m.last.ExecutionMS * float64(time.Millisecond))
		return nil
	}
	for _, m := range arms {
		if err := a.permit(m.sql, m.id); err != nil {
			return 0, m, err
		}
		if err := each(m); err != nil {
			return 0, m, err
		}
	}
	if spent > longest {
		return 1, nil, nil
	}
	for _, m := range arms {
		m.times = nil
	}
	for n < rounds && (n == 0 || spent < longest) {
		for i := range arms {
			m := arms[i]
			if n%2 == 1 {
				m = arms[len(arms)-1-i]
			}
			if err := each(m); err != nil {
				return n, m, err
			}
		}
		n++
	}
	return n, nil, nil
}

// result is what an arm came to; the cost and blocks are those of its last run.
func (m *arm) result(rows int64) Arm {
	return Arm{MS: medianOf(m.times), Blocks: m.last.Blocks(), Rows: rows, Cost: m.last.Root.TotalCost, SQL: m.sql}
}

func medianOf(ms []float64) float64 {
	s := slices.Sorted(slices.Values(ms))
	if len(s) == 0 {
		return 0
	}
	return math.Round(s[len(s)/2]*1000) / 1000
}

// bypasses tells why the session's own role does not see the rows without policies
// of some tables; "" where it does.
func (a *asker) bypasses(tables []string) (problem string, err error) {
	for _, t := range tables {
		rows, err := a.s.Query(a.ctx, `select (r.rolsuper or r.rolbypassrls or not c.relrowsecurity
				or pg_catalog.pg_has_role(c.relowner, 'usage') and not c.relforcerowsecurity)::text, current_user::text
			from pg_catalog.pg_class c, pg_catalog.pg_roles r where c.oid = $1::regclass and r.rolname = current_user`, &t)
		if err != nil {
			return "", err
		}
		if len(rows) == 1 && *rows[0][0] != "true" {
			return fmt.Sprintf("%s does not bypass row security on %s: connect as a role with BYPASSRLS, or as the table's owner", *rows[0][1], t), nil
		}
	}
	return "", nil
}

// message is a server's error on one line, without its SQLSTATE.
func message(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, " (SQLSTATE "); i >= 0 {
		text = text[:i]
	}
	return strings.Join(strings.Fields(strings.TrimPrefix(text, "ERROR: ")), " ")
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
