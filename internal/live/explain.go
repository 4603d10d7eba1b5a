package live

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/plan"
)

// genericPlan is the first version with EXPLAIN (GENERIC_PLAN).
const genericPlan = 16

// Explain plans one statement, see plan.Request. It does so in the open
// transaction, or in one of its own; what it sets and writes is undone either
// way. EXPLAIN ANALYZE is refused on a server that is not planvet's own, unless Vet let
// the statement pass: a function of it may write where READ ONLY does not look.
func (s *Session) Explain(ctx context.Context, r plan.Request) (p *plan.Plan, err error) {
	if r.Analyze && !s.runs(r) {
		return nil, errors.New("explaining: ANALYZE runs the statement, which is not done on a named server")
	}
	err = s.scoped(ctx, r, func() error {
		p, err = s.explain(ctx, r)
		return err
	})
	return p, err
}

func (s *Session) explain(ctx context.Context, r plan.Request) (*plan.Plan, error) {
	// The extended protocol takes one statement only, so describing it first keeps
	// a second one from reaching the simple protocol below.
	params, err := s.describe(ctx, r)
	if err != nil {
		return nil, err
	}
	options := "verbose, settings, summary, format json"
	if r.Analyze {
		options += ", analyze, buffers, wal"
		if !r.Timing {
			options += ", timing off"
		}
	}
	switch {
	case !r.Generic:
		if len(r.Args) != len(params) {
			return nil, fmt.Errorf("explaining: %d values for %d parameters", len(r.Args), len(params))
		}
		res := s.conn.PgConn().ExecParams(ctx, marked("explain ("+options+") "+r.SQL), textArgs(r.Args), params, nil, nil).Read()
		return readPlan(res)
	case len(params) == 0:
		return readPlan(s.conn.PgConn().ExecParams(ctx, marked("explain ("+options+") "+r.SQL), nil, nil, nil, nil).Read())
	case s.Major() >= genericPlan && !r.Analyze && len(r.Types) == 0:
		return s.simplePlan(ctx, "explain (generic_plan, "+options+") "+r.SQL)
	}
	return s.explainPrepared(ctx, r, options, len(params))
}

// explainPrepared makes the generic plan by a prepared statement, for servers
// before 16.
func (s *Session) explainPrepared(ctx context.Context, r plan.Request, options string, n int) (*plan.Plan, error) {
	s.names++
	name := fmt.Sprintf("planvet_%d", s.names)
	types := ""
	if len(r.Types) > 0 {
		list := slices.Clone(r.Types)
		for i, t := range list {
			if t == "" {
				list[i] = "unknown"
			}
		}
		types = "(" + strings.Join(list, ", ") + ")"
	}
	if err := s.simple(ctx, "prepare "+name+types+" as "+r.SQL); err != nil {
		return nil, err
	}
	// PREPARE outlives a rollback.
	defer func() { s.simple(ctx, "deallocate "+name) }()
	if err := s.simple(ctx, "set local plan_cache_mode = force_generic_plan"); err != nil {
		return nil, err
	}
	values := make([]string, n)
	for i := range values {
		values[i] = "null"
		if i < len(r.Args) && r.Args[i] != nil {
			values[i] = "'" + strings.ReplaceAll(*r.Args[i], "'", "''") + "'"
		}
	}
	return s.simplePlan(ctx, "explain ("+options+") execute "+name+"("+strings.Join(values, ", ")+")")
}

func (s *Session) simplePlan(ctx context.Context, sql string) (*plan.Plan, error) {
	all, err := s.conn.PgConn().Exec(ctx, marked(sql)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("explaining: %d results for one statement", len(all))
	}
	return readPlan(all[0])
}

func readPlan(res *pgconn.Result) (*plan.Plan, error) {
	if res.Err != nil {
		return nil, res.Err
	}
	var text []byte
	for _, row := range res.Rows {
		if len(row) > 0 {
			text = append(append(text, row[0]...), '\n')
		}
	}
	return plan.Parse(text)
}

// describe returns the types of the parameters, the caller's before the server's.
func (s *Session) describe(ctx context.Context, r plan.Request) ([]uint32, error) {
	key := described(r)
	if oids, ok := s.described[key]; ok {
		return oids, nil
	}
	oids, err := s.parse(ctx, r)
	if err != nil {
		return nil, err
	}
	if s.described == nil {
		s.described = map[string][]uint32{}
	}
	s.described[key] = oids
	return oids, nil
}

// parse has the server parse and rewrite a statement, and returns the types of its
// parameters.
func (s *Session) parse(ctx context.Context, r plan.Request) ([]uint32, error) {
	var known []uint32
	for _, t := range r.Types {
		oid := s.types[t]
		if t != "" && oid == 0 {
			if err := s.conn.QueryRow(ctx, marked("select $1::text::regtype::oid"), t).Scan(&oid); err != nil {
				return nil, fmt.Errorf("finding type %s: %w", t, err)
			}
			s.remember(t, oid, false)
		}
		known = append(known, oid)
	}
	d, err := s.conn.PgConn().Prepare(ctx, "", r.SQL, known)
	if err != nil {
		return nil, err
	}
	return d.ParamOIDs, nil
}

// described is what a description of a request's statement is remembered by.
func described(r plan.Request) string {
	return strings.Join(append([]string{r.SQL}, r.Types...), "\x00")
}

// firstOwn is the first OID that a database's own objects have.
const firstOwn = 16384

// remember keeps a type that every session has in mind, by a name; printed is set where
// it is format_type's.
func (s *Session) remember(name string, oid uint32, printed bool) {
	if oid >= firstOwn {
		return
	}
	if s.types == nil {
		s.types, s.typeNames = map[string]uint32{}, map[uint32]string{}
	}
	s.types[name] = oid
	if printed {
		s.typeNames[oid] = name
	}
}

// ParamTypes returns the types that the server infers for the parameters of one
// statement, as format_type prints them.
func (s *Session) ParamTypes(ctx context.Context, sql string) ([]string, error) {
	return s.Types(ctx, plan.Request{SQL: sql})
}

// Types is ParamTypes for a request's role and settings: a role may see schemas that
// the session's own does not.
func (s *Session) Types(ctx context.Context, r plan.Request) (types []string, err error) {
	err = s.scoped(ctx, r, func() error {
		oids, err := s.describe(ctx, r)
		if err != nil {
			return err
		}
		types = make([]string, len(oids))
		for i, oid := range oids {
			if types[i] = s.typeNames[oid]; types[i] != "" {
				continue
			}
			if err := s.conn.QueryRow(ctx, marked("select pg_catalog.format_type($1::oid, null)"), oid).Scan(&types[i]); err != nil {
				return err
			}
			s.remember(types[i], oid, true)
		}
		return nil
	})
	return types, err
}

// Run runs one statement once for each set of values and undoes what it wrote. As
// Explain's ANALYZE it is refused unless Vet let the statement pass.
func (s *Session) Run(ctx context.Context, r plan.Request, each [][]*string) (out plan.Outcome, err error) {
	if !s.runs(r) {
		return out, errors.New("running a statement: not done on a named server")
	}
	err = s.scoped(ctx, r, func() error {
		oids, err := s.describe(ctx, r)
		if err != nil {
			return err
		}
		for _, args := range each {
			if len(args) != len(oids) {
				return fmt.Errorf("running: %d values for %d parameters", len(args), len(oids))
			}
			if err := s.runOnce(ctx, r.SQL, args, oids, &out); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (s *Session) runOnce(ctx context.Context, sql string, args []*string, oids []uint32, out *plan.Outcome) error {
	start := time.Now()
	res := s.conn.PgConn().ExecParams(ctx, sql, textArgs(args), oids, nil, nil).Read()
	out.MS += float64(time.Since(start).Nanoseconds()) / 1e6
	out.RoundTrips++
	if res.Err != nil {
		return res.Err
	}
	if len(res.FieldDescriptions) == 0 {
		out.Rows += res.CommandTag.RowsAffected()
		return nil
	}
	for _, row := range res.Rows {
		h := fnv.New64a()
		for _, v := range row {
			// A length before each value: ("ab", "") and ("a", "b") differ, and NULL
			// differs from the empty text.
			fmt.Fprintf(h, "%d:", len(v)-map[bool]int{true: 1}[v == nil])
			h.Write(v)
		}
		out.Hash += h.Sum64()
		out.Rows++
	}
	return nil
}

// scoped runs f with a request's role and settings and undoes all of it.
func (s *Session) scoped(ctx context.Context, r plan.Request, f func() error) error {
	if !s.open {
		if err := s.Begin(ctx); err != nil {
			return err
		}
		defer s.Rollback(ctx)
	}
	err := s.enter(ctx, r)
	if err == nil {
		err = f()
	}
	if s.conn.IsClosed() {
		return err
	}
	return errors.Join(err, s.simple(ctx, "rollback to savepoint planvet_scope; release "+Mark+" savepoint planvet_scope"))
}

// enter sets what the statement runs under, below a savepoint that is there even where
// it fails. The role comes last: it may lack the right to set the rest. Settings are
// somebody's claims: on a server of his they go as parameters, which its log leaves out.
func (s *Session) enter(ctx context.Context, r plan.Request) error {
	all := []string{"savepoint " + Mark + " planvet_scope"}
	for _, n := range slices.Sorted(maps.Keys(r.Settings)) {
		if s.opts.Writable {
			all = append(all, "select "+Mark+" set_config("+literal(n)+", "+literal(r.Settings[n])+", true)")
			continue
		}
		if len(all) > 0 {
			if err := s.simple(ctx, all[0]); err != nil {
				return err
			}
			all = nil
		}
		if _, err := s.conn.Exec(ctx, marked("select set_config($1, $2, true)"), n, r.Settings[n]); err != nil {
			return fmt.Errorf("setting %s: %w", n, err)
		}
	}
	for _, n := range r.Off {
		all = append(all, "set "+Mark+" local "+quote(n)+" = off")
	}
	if r.Timeout > 0 {
		all = append(all, fmt.Sprintf("set %s local statement_timeout = %d", Mark, r.Timeout.Milliseconds()))
	}
	if r.Role != "" {
		all = append(all, "set "+Mark+" local role "+quote(r.Role))
	}
	if len(all) == 0 {
		return nil
	}
	_, err := s.conn.PgConn().Exec(ctx, strings.Join(all, "; ")).ReadAll()
	return err
}

// literal writes a text for servers of planvet's own, where a backslash is one.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
