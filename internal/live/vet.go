package live

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/plan"
)

// VetOptions say what a statement may do when it runs.
type VetOptions struct {
	// Allow names functions that the user vouches for: f or schema.f.
	Allow []string
	// Writes lets the statement itself write; it is rolled back.
	Writes bool
	// Foreign lets it read foreign tables, whose work another server does.
	Foreign bool
	// Own is set on a server of planvet's own: functions of the project may do what
	// they like there.
	Own bool
}

// Refusal says why a statement is not run.
type Refusal struct {
	// Reason is one line; Flag is what lifts it, "" where nothing does.
	Reason, Flag string
	// Planning is set where a planner may run what is refused: it is called inside of a
	// function that is not volatile.
	Planning bool
}

func (r *Refusal) Error() string {
	if r.Flag == "" {
		return r.Reason
	}
	return r.Reason + "; " + r.Flag + " lets it run"
}

// Vet decides whether a statement may be run by EXPLAIN ANALYZE, and lets Explain and
// Run of this session do so where it may. READ ONLY is not enough: it stops neither
// pg_terminate_backend nor advisory locks, files, other servers or C code.
//
//  1. The server is asked to parse and rewrite the statement and to show the tree:
//     views, policies, defaults and generated columns are in it, each call by its OID.
//     Nothing runs and no value is in it.
//  2. It must read only: no locks on rows, no writing WITH query, no rule that writes.
//  3. Every function, operator and aggregate must be built in and not volatile, or on a
//     list of harmless ones, or of an extension on a list, or named in Allow. A
//     function in SQL or PL/pgSQL that is not volatile is looked into, by the names
//     that its body uses. So are triggers and constraints of the tables that it
//     writes, domains and casts.
//  4. Doubt refuses.
//
// A *Refusal is the error where it may not; other errors are the server's. Warnings
// are what stays after a rollback.
func (s *Session) Vet(ctx context.Context, r plan.Request, o VetOptions) (warnings []string, err error) {
	if !s.open {
		if err := s.Begin(ctx); err != nil {
			return nil, err
		}
		defer s.Rollback(ctx)
	}
	tree, err := s.rewritten(ctx, r)
	if err != nil {
		return nil, err
	}
	v := newVetter(ctx, s, o)
	if err := v.statement(tree); err != nil {
		return nil, err
	}
	if s.vetted == nil {
		s.vetted = map[string]bool{}
	}
	s.vetted[vetKey(r)] = true
	return v.warnings, nil
}

// VetPlanning decides whether a statement may be planned: a planner runs functions
// that are not volatile, to fold and to estimate, and READ ONLY and timeouts do not
// keep those from ending other sessions. It looks only where some function of the
// database has a dangerous name in its body; a *Refusal says which one the statement
// calls.
func (s *Session) VetPlanning(ctx context.Context, r plan.Request, o VetOptions) error {
	if !s.open {
		if err := s.Begin(ctx); err != nil {
			return err
		}
		defer s.Rollback(ctx)
	}
	pattern, parsed := dangerous, ""
	if s.Major() >= 14 {
		parsed = "or p.prosqlbody is not null"
	}
	some, err := s.Query(ctx, `select 1 from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
		where p.oid >= 16384 and l.lanname in ('sql', 'plpgsql') and (p.prosrc ~* $1 `+parsed+`) limit 1`, &pattern)
	if err != nil || len(some) == 0 || o.Own {
		return err
	}
	o.Writes, o.Foreign = true, true
	v := newVetter(ctx, s, o)
	v.planning = true
	tree, err := s.rewritten(ctx, r)
	if err == nil {
		err = v.tree(tree)
	}
	var refused *Refusal
	if errors.As(err, &refused) && !refused.Planning {
		return nil
	}
	return err
}

// vetKey tells statements apart: the same text calls other functions as another role,
// with other types, or with another search_path among the settings.
func vetKey(r plan.Request) string {
	return fmt.Sprintf("%s\x00%q\x00%q\x00%s", r.Role, r.Settings["search_path"], r.Types, r.SQL)
}

// runs reports whether a statement may be run in this session.
func (s *Session) runs(r plan.Request) bool { return s.own || s.vetted[vetKey(r)] }

// rewritten is the tree of a statement after rewriting, as the server prints it; a
// transaction is open.
func (s *Session) rewritten(ctx context.Context, r plan.Request) (tree string, err error) {
	if s.conn.PgConn().ParameterStatus("is_superuser") == "on" {
		// The tree is for us; who may, keeps it out of the server's log.
		if err := s.simple(ctx, "savepoint planvet_log; set local log_min_messages = panic"); err != nil {
			return "", err
		}
		defer func() {
			err = errors.Join(err, s.simple(ctx, "rollback to savepoint planvet_log; release savepoint planvet_log"))
		}()
	}
	err = s.scoped(ctx, r, func() error {
		if err := s.simple(ctx, "set local debug_pretty_print = off; set local client_min_messages = log; set local debug_print_rewritten = on"); err != nil {
			return err
		}
		var b strings.Builder
		s.notice = func(n *pgconn.Notice) {
			if strings.HasPrefix(n.Message, "rewritten parse tree") {
				b.WriteString(n.Detail + "\n")
			}
		}
		defer func() { s.notice = nil }()
		// It is shown when the server parses it: a description that is remembered shows
		// nothing.
		delete(s.described, described(r))
		_, err := s.parse(ctx, r) // also what was described before: views and policies may be others
		tree = b.String()
		return err
	})
	if err == nil && !strings.Contains(tree, "{QUERY") {
		err = &Refusal{Reason: "the server does not show which functions the statement calls"}
	}
	return tree, err
}
