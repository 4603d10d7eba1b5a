package explain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
)

// OverheadOptions say as whom a statement is measured, and with what.
type OverheadOptions struct {
	Identity
	// Args are the values of $1, $2 …
	Args []*string
	// Timeout bounds each run; 0 leaves the session's.
	Timeout time.Duration
	// Vet decides what may run on a server that is not planvet's own; nil runs all.
	Vet *live.VetOptions
	// Remedies applies what would make the policies cheaper, measures it, and rolls it
	// back: only on a server of planvet's own.
	Remedies bool
	// Estimate, where not nil, plans with them on a twin of a named server.
	Estimate *Estimator
}

// MeasureOverhead tells what row security costs one SELECT:
//
//  1. enforced is the statement as the role with its settings; ideal is the same
//     rows by the session's own role, which must bypass row security, with the
//     policies' conditions written into the statement and their session's part as
//     literals; naked is the statement without conditions, for scale;
//  2. the rows of the first two are compared by a hash over them as a set;
//  3. each arm runs rounds times, in turn and every other time backwards; the median
//     counts.
//
// What keeps the overhead from being given is its
// Problem; an error means that the server was lost.
func MeasureOverhead(ctx context.Context, s *live.Session, cat *catalog.Catalog, sql string, o OverheadOptions) (*Overhead, error) {
	a := &asker{ctx: ctx, s: s, args: o.Args, timeout: o.Timeout, vet: o.Vet}
	if err := s.Begin(ctx); err != nil {
		return nil, err
	}
	out := &Overhead{Role: o.Role, Policies: []PolicyCost{}}
	err := a.overhead(cat, strings.TrimRight(strings.TrimSpace(sql), "; \n\t"), o, out)
	if ctx.Err() != nil || s.Conn().IsClosed() {
		return nil, errors.Join(err, ctx.Err())
	}
	if err != nil {
		out.Problem = message(err)
	}
	if err := s.Rollback(ctx); err != nil || a.proposed == nil {
		return out, err
	}
	request := a.request(sql, o.Identity)
	request.Analyze = false
	out.Remedies = o.Estimate.estimate(ctx, s, a.proposed, request)
	return out, ctx.Err()
}

// overhead fills out; its error is the Problem.
func (a *asker) overhead(cat *catalog.Catalog, sql string, o OverheadOptions, out *Overhead) error {
	ideal, policies, err := a.ideal(cat, sql, o.Identity)
	if err != nil {
		return err
	}
	if o.Estimate != nil {
		a.proposed = policyRemedies(cat, policies)
		if r := namedRole(cat, policies, o.Identity); r != nil {
			if sees, err := a.sees(*r.as, policies); err == nil && !sees {
				a.proposed = append(a.proposed, *r)
			}
		}
	}
	arms := []*arm{
		{sql: sql, id: o.Identity},
		{sql: ideal, id: Identity{Settings: o.Settings}},
		{sql: sql, id: Identity{Settings: o.Settings}},
	}
	var tables []string
	for _, t := range tablesOf(cat, sql, policies) {
		tables = append(tables, quoted(t.Schema)+"."+quoted(t.Name))
	}
	problem, err := a.bypasses(tables)
	if err != nil {
		return err
	}
	if problem != "" {
		arms = arms[:1]
	}
	var failed *arm
	if out.Rounds, failed, err = a.interleave(arms); err != nil {
		who := "without row security"
		if failed == arms[0] {
			who = "as " + o.Role
		}
		return fmt.Errorf("running the statement %s: %s", who, message(err))
	}
	enforced := arms[0].last
	for _, ap := range policies {
		out.Policies = append(out.Policies, policyCost(cat, ap, enforced))
	}
	out.Demoted = Demotions(cat, sql, o.Role, enforced)
	if problem != "" {
		out.Enforced = arms[0].result(int64(enforced.Root.Rows))
		return errors.New(problem)
	}
	if err := a.compare(arms, out); err != nil {
		return err
	}
	if o.Remedies {
		out.Remedies, err = a.remedies(cat, policies, arms[0], out.Enforced)
	}
	return err
}

// ideal writes the policies of a role into a statement.
func (a *asker) ideal(cat *catalog.Catalog, sql string, id Identity) (string, []applied, error) {
	stmt, err := pgast.Parse(sql)
	if err != nil {
		return "", nil, fmt.Errorf("reading the statement: %w", err)
	}
	if reason := notRead(stmt); reason != "" {
		return "", nil, errors.New(reason)
	}
	// What the policies call is evaluated below, and is a part of this statement.
	if err := a.permit(sql, id); err != nil {
		return "", nil, err
	}
	in := &inliner{cat: cat, role: id.Role, literal: func(e pgast.Expr) (pgast.Expr, error) { return a.literal(id, e) }}
	if err := in.statement(stmt); err != nil {
		return "", nil, err
	}
	if !in.bound {
		return "", nil, fmt.Errorf("row security binds %s on no table of the statement", id.Role)
	}
	return pgast.Format(stmt), in.policies, nil
}

// notRead tells why a statement's rows cannot be compared; "" where they can.
func notRead(stmt pgast.Stmt) string {
	q, ok := stmt.(*pgast.Select)
	if !ok || q.Into != nil {
		return "the overhead of row security is measured for SELECT: a write changes the rows that are compared"
	}
	reason := ""
	pgast.Walk(stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
			reason = "the statement writes in WITH: a write changes the rows that are compared"
		case *pgast.Select:
			if len(n.Locking) > 0 {
				reason = "the statement locks rows, which other policies decide: ask without FOR UPDATE"
			}
		}
		return reason == ""
	})
	return reason
}

// compare fills in the arms' figures, and the overhead where the rows are the same.
func (a *asker) compare(arms []*arm, out *Overhead) error {
	var sets [3]rowSet
	for i, m := range arms {
		var err error
		if sets[i], err = a.rowsOf(m.sql, m.id); err != nil {
			return fmt.Errorf("comparing the rows: %s", message(err))
		}
	}
	out.Enforced, out.Ideal = arms[0].result(sets[0].rows), arms[1].result(sets[1].rows)
	naked := arms[2].result(sets[2].rows)
	naked.SQL = "" // it is the statement itself
	out.Enforced.SQL, out.Naked = "", &naked
	if a.vet != nil {
		out.Ideal.SQL = "" // literals in it may be the server's data
	}
	if sets[0] != sets[1] {
		return fmt.Errorf("the statement returns %d rows as %s and %d with the conditions written into it, so that the two cannot be compared: "+
			"LIMIT without an order, a function that reads tables with policies, or rights by membership in a role make that", sets[0].rows, out.Role, sets[1].rows)
	}
	out.SameRows = true
	out.MS = out.Enforced.MS - out.Ideal.MS
	out.Ratio = out.Enforced.MS / max(out.Ideal.MS, 0.001)
	return nil
}

// tablesOf are the tables that a statement and the policies on it read, and whose
// row security must be bypassed.
func tablesOf(cat *catalog.Catalog, sql string, policies []applied) []catalog.Name {
	var out []catalog.Name
	add := func(r *catalog.Relation) {
		if r != nil && r.RLSEnabled && !slices.Contains(out, r.Name) {
			out = append(out, r.Name)
		}
	}
	if stmt, err := pgast.Parse(sql); err == nil {
		pgast.Walk(stmt, func(n pgast.Node) bool {
			if t, ok := n.(*pgast.Table); ok {
				add(cat.Resolve(t.Schema, t.Name, nil))
			}
			return true
		})
	}
	for _, p := range policies {
		add(p.rel)
	}
	return out
}
