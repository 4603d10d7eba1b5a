package shadow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/migrationscan"
)

// applySettings hold for every script. Function bodies are not checked, because
// one that uses an extension that is not here must still exist.
const applySettings = "reset all; reset role; reset session authorization; " +
	"set check_function_bodies = off; set statement_timeout = '60s'; set client_min_messages = error"

// Apply puts a replayed set of migrations into a database: the platform's objects
// where the project needs them, then the statements. See ApplyStatements.
func Apply(ctx context.Context, conn *pgx.Conn, r *migrationscan.Result) ([]migrationscan.Problem, error) {
	if r.Supabase {
		if _, err := conn.PgConn().Exec(ctx, migrationscan.SupabaseSQL()).ReadAll(); err != nil {
			return nil, fmt.Errorf("making Supabase's objects: %w", err)
		}
	}
	return ApplyStatements(ctx, conn, r.Applied)
}

// ApplyKey is what the outcome of Apply follows from, beside the server's version: the
// statements with their places, the platform's objects, and what stands in for what is
// missing.
func ApplyKey(r *migrationscan.Result) string {
	texts := []string{applySettings}
	if r.Supabase {
		texts = append(texts, migrationscan.SupabaseSQL())
	}
	for _, name := range slices.Sorted(maps.Keys(standIns)) {
		texts = append(texts, name, standIns[name])
	}
	for i := range r.Applied {
		s := &r.Applied[i]
		texts = append(texts, fmt.Sprintf("%s:%d:%d %v", s.Path, s.Line, s.Column, i > 0 && s.Script == r.Applied[i-1].Script), s.Text)
	}
	return KeyOf(texts...)
}

// ApplyStatements runs migrations statement by statement, each on its own, so that
// one that fails takes no other with it, and lists those that failed. A script
// starts with the settings of a new session. It fails only when the connection is
// lost.
//
// What is missing around a schema is stood in for: an extension that the server
// lacks becomes a no-op, listed, with stand-ins for its most used types and
// functions; a role that nothing creates is created.
func ApplyStatements(ctx context.Context, conn *pgx.Conn, stmts []migrationscan.Applied) ([]migrationscan.Problem, error) {
	a := applier{ctx: ctx, conn: conn}
	var script *migrationscan.Script
	for i := range stmts {
		s := &stmts[i]
		if i == 0 || s.Script != script {
			script = s.Script
			if err := a.exec(applySettings); err != nil {
				return a.problems, fmt.Errorf("preparing to apply %s: %w", s.Path, err)
			}
		}
		if err := a.apply(s.Text); err != nil {
			if conn.IsClosed() || ctx.Err() != nil {
				return a.problems, fmt.Errorf("applying %s:%d: %w", s.Path, s.Line, err)
			}
			a.problems = append(a.problems, migrationscan.Problem{Path: s.Path, Line: s.Line, Column: s.Column, Error: oneLine(err)})
		}
	}
	return a.problems, a.exec(applySettings + "; reset all")
}

type applier struct {
	ctx      context.Context
	conn     *pgx.Conn
	problems []migrationscan.Problem
}

// exec sends SQL by the simple protocol: each statement commits by itself, so
// that CREATE INDEX CONCURRENTLY works and a new enum value can be used.
func (a *applier) exec(sql string) error {
	_, err := a.conn.PgConn().Exec(a.ctx, sql).ReadAll()
	return err
}

var (
	setLocal     = regexp.MustCompile(`(?is)^\s*set\s+local\s+`)
	copyProgram  = regexp.MustCompile(`(?is)^\s*copy\b.*\b(from|to)\s+program\b`)
	extensionRE  = regexp.MustCompile(`(?is)^\s*create\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?(?:.*?\bschema\s+"?(\w+)"?)?`)
	createRole   = regexp.MustCompile(`(?is)^\s*create\s+(role|user|group)\b`)
	missingRole  = regexp.MustCompile(`^role "(.+)" does not exist$`)
	errNoProgram = errors.New("COPY with PROGRAM runs a command on the server, planvet leaves it out")
)

// SQLSTATEs that have an answer.
const (
	duplicateObject = "42710"
	undefinedObject = "42704"
)

func (a *applier) apply(text string) error {
	if copyProgram.MatchString(text) {
		return errNoProgram
	}
	// Every statement is a transaction of its own, and the script ends with a reset.
	text = setLocal.ReplaceAllString(text, "set ")
	tried := map[string]bool{}
	for {
		err := a.exec(text)
		if err == nil {
			return nil
		}
		var pg *pgconn.PgError
		if !errors.As(err, &pg) {
			return err
		}
		if pg.Code == duplicateObject && createRole.MatchString(text) {
			return nil // roles belong to the server, another database made it
		}
		if m := missingRole.FindStringSubmatch(pg.Message); pg.Code == undefinedObject && m != nil && !tried[m[1]] {
			tried[m[1]] = true
			if a.exec("create role "+quote(m[1])) == nil {
				continue
			}
		}
		if m := extensionRE.FindStringSubmatch(text); m != nil {
			return a.standIn(strings.ToLower(m[1]), m[2], err)
		}
		return err
	}
}

// standIn puts stand-ins where a missing extension was to be and says so.
func (a *applier) standIn(name, schema string, cause error) error {
	if schema == "" {
		schema = "public"
	}
	made := ""
	if sql, ok := standIns[name]; ok {
		prefix := "create schema if not exists " + quote(schema) + "; set search_path = " + quote(schema) + "; "
		if err := a.exec(prefix + sql + "; reset search_path"); err == nil {
			made = ", stand-ins for its types and functions are there"
		} else {
			a.exec("reset search_path")
		}
	}
	var pg *pgconn.PgError
	if errors.As(cause, &pg) {
		return fmt.Errorf("extension %s is not on this server (%s)%s", name, pg.Message, made)
	}
	return cause
}

func oneLine(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.Join(strings.Fields(pg.Message), " ")
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
