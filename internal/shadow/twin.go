package shadow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/stats"
	"github.com/planvet/planvet/migrationscan"
)

// Likeness is what is known of a part of a live server, for twins to be made of. Its
// statistics hold values of columns: it is not to be written anywhere.
type Likeness struct {
	Schema *live.Schema
	Stats  *stats.File
}

// Read takes a likeness of a live server: schema, statistics, settings. It only
// reads, and needs no right beyond those of the session's role.
func Read(ctx context.Context, s *live.Session, part live.Part) (*Likeness, error) {
	schema, err := s.DumpSchema(ctx, part)
	if err != nil {
		return nil, err
	}
	f, err := s.DumpStatistics(ctx, true)
	if err != nil {
		return nil, err
	}
	there := func(schemaName, name string) bool { return schema.Has(catalog.Name{Schema: schemaName, Name: name}) }
	f.Tables = slices.DeleteFunc(f.Tables, func(t stats.Table) bool { return !there(t.Schema, t.Name) })
	f.Hidden = slices.DeleteFunc(f.Hidden, func(n string) bool {
		schemaName, name, _ := strings.Cut(n, ".")
		return !there(schemaName, name)
	})
	return &Likeness{Schema: schema, Stats: f}, nil
}

// Twin is an empty database that plans like the part of the live server that it was
// made of. It is for planning only.
type Twin struct {
	// Session is the superuser's; nothing that it does matters to anybody.
	Session *live.Session
	// Role is the live session's own, to plan as where no other is asked for.
	Role string
	// Candidates are in the order in which they were asked for, hidden until shown.
	Candidates []Candidate
	// Lacking says what the live server has and the twin does not: objects that
	// could not be made, statistics that could not be seen or carried over.
	Lacking []string
}

// Candidate is an index that the live server does not have.
type Candidate struct {
	SQL string
	// Names are those of the indexes that it made, of partitions included; Pages is
	// their estimated size in blocks. Problem says why it could not be made.
	Names   []string
	Pages   int64
	Problem string

	oids []string
}

// Twin makes a database on the server, which should be of the likeness's major
// version. The candidates are CREATE INDEX statements; CONCURRENTLY is left out of
// them. They are made now, since an index that is built later would undo the table's
// size. The twin must be closed.
func (s *Server) Twin(ctx context.Context, name string, l *Likeness, candidates []string) (_ *Twin, err error) {
	t := &Twin{Role: l.Schema.User, Lacking: slices.Clone(l.Schema.LeftOut)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("making a twin of the live database: %w", err), t.Close(ctx))
		}
	}()
	if s.user != superuser {
		return t, errors.New("the server was not started for twins")
	}
	url, err := s.twinDatabase(ctx, name, l.Schema, t)
	if err != nil {
		return t, err
	}
	if t.Session, err = live.Connect(ctx, url, live.Options{Writable: true}); err != nil {
		return t, err
	}
	if err := t.apply(ctx, l.Schema); err != nil {
		return t, err
	}
	if err := t.build(ctx, candidates); err != nil {
		return t, err
	}
	loaded, err := LoadStatistics(ctx, t.Session.Conn(), l.Stats, time.Now())
	if err != nil {
		return t, err
	}
	t.Lacking = append(t.Lacking, loaded.Missing...)
	for _, n := range l.Stats.Hidden {
		t.Lacking = append(t.Lacking, "the statistics of "+n+" could not be seen by role "+t.Role+": its columns are estimated by default")
	}
	if err := s.Extend(ctx, name); err != nil {
		return t, err
	}
	// The settings are the database's now, for sessions from here on.
	if err := t.Session.Close(ctx); err != nil {
		return t, err
	}
	if t.Session, err = live.Connect(ctx, url, live.Options{Writable: true}); err != nil {
		return t, err
	}
	// The tables have their length now, and the planner can tell what a predicate leaves.
	if err := SizeIndexes(ctx, t.Session.Conn(), func(schema, table, where string) (float64, error) {
		p, err := t.Session.Explain(ctx, plan.Request{SQL: "select from only " + quote(schema) + "." + quote(table) + " where " + where})
		if err != nil {
			return 0, err
		}
		return p.Root.PlanRows, nil
	}); err != nil {
		return t, err
	}
	if err := s.Extend(ctx, name); err != nil {
		return t, err
	}
	return t, t.sizes(ctx)
}

// build makes the candidates on the empty tables, hidden.
func (t *Twin) build(ctx context.Context, candidates []string) error {
	ddl := make([]string, len(candidates))
	for i, sql := range candidates {
		ddl[i] = plan.InPlace(sql)
	}
	built, err := BuildHidden(ctx, t.Session.Conn(), ddl)
	if err != nil {
		return err
	}
	for _, sql := range ddl {
		c := Candidate{SQL: sql, Problem: built.Refused[sql]}
		for _, b := range built.Built[sql] {
			c.Names, c.oids = append(c.Names, b.Name), append(c.oids, b.OID)
		}
		t.Candidates = append(t.Candidates, c)
	}
	return nil
}

// sizes notes what the candidates' indexes were taken to be.
func (t *Twin) sizes(ctx context.Context) error {
	for i := range t.Candidates {
		c := &t.Candidates[i]
		if len(c.oids) == 0 {
			continue
		}
		err := t.Session.Conn().QueryRow(ctx, "select sum(relpages)::bigint from pg_class where relkind = 'i' and oid = any($1::text[]::oid[])", c.oids).Scan(&c.Pages)
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the session; the database goes with its server.
func (t *Twin) Close(ctx context.Context) error {
	if t.Session == nil {
		return nil
	}
	return t.Session.Close(ctx)
}

// Show lets the planner see the candidates of these numbers, and no others.
func (t *Twin) Show(ctx context.Context, numbers ...int) error {
	var on, off []string
	for i, c := range t.Candidates {
		if slices.Contains(numbers, i) {
			on = append(on, c.oids...)
		} else {
			off = append(off, c.oids...)
		}
	}
	_, err := t.Session.Conn().PgConn().Exec(ctx, plan.ValidSQL(on, true)+"; "+plan.ValidSQL(off, false)).ReadAll()
	return err
}

// Explain plans a statement as the live session would: as its role where the request
// names none.
func (t *Twin) Explain(ctx context.Context, r plan.Request) (*plan.Plan, error) {
	if r.Role == "" {
		r.Role = t.Role
	}
	return t.Session.Explain(ctx, r)
}

// apply makes the schema; what fails is lacking.
func (t *Twin) apply(ctx context.Context, schema *live.Schema) error {
	script := &migrationscan.Script{Path: "the live schema"}
	var all []migrationscan.Applied
	for i, st := range schema.Statements {
		all = append(all, migrationscan.Applied{Script: script, Text: st.SQL, Path: st.Object, Line: i + 1})
	}
	problems, err := ApplyStatements(ctx, t.Session.Conn(), all)
	if err != nil {
		return err
	}
	for _, p := range problems {
		t.Lacking = append(t.Lacking, p.Path+": "+p.Error)
	}
	return nil
}

// superuser is what the superuser of a server for twins is called: a live server's
// postgres may be a role like any other.
const superuser = "planvet_superuser"

// rename gives the server's superuser that name. Nobody can rename himself, and so
// there is another one from here on.
func (s *Server) rename(ctx context.Context) error {
	if err := s.administer(ctx, "create role "+superuser+" superuser login"); err != nil {
		return err
	}
	first := s.user
	s.user = superuser
	return s.administer(ctx, "alter role "+quote(first)+" rename to planvet_bootstrap")
}

// twinDatabase creates a database of the live one's locale, as far as the machine
// has it, in which names are found as there.
func (s *Server) twinDatabase(ctx context.Context, name string, schema *live.Schema, t *Twin) (string, error) {
	create := "create database " + quote(name) + " template template0"
	collate, ctype := schema.Collate, schema.CType
	if schema.PlainC {
		collate, ctype = "C", "C"
	}
	err := s.administer(ctx, create+" lc_collate "+literal(collate)+" lc_ctype "+literal(ctype))
	if err != nil && !lost(err) {
		t.Lacking = append(t.Lacking, "the locale "+collate+" is not on this machine: texts are ordered by another")
		err = s.administer(ctx, create)
	}
	if err != nil {
		return "", err
	}
	path := make([]string, len(schema.SearchPath))
	for i, p := range schema.SearchPath {
		path[i] = quote(p)
	}
	if len(path) == 0 {
		path = []string{"''"}
	}
	return s.URL(name), s.administer(ctx, "alter database "+quote(name)+" set search_path = "+strings.Join(path, ", "))
}
