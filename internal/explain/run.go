package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// Options are a question about one statement.
type Options struct {
	// SQL is the statement; QueryID takes it from pg_stat_statements instead.
	SQL     string
	QueryID int64
	// URL is the server's. Own is set for one of planvet's own: what writes runs there
	// and is rolled back, and the report calls it shadow.
	URL string
	Own bool
	// Params are the values of $1, $2 …; missing ones are drawn.
	Params   []json.RawMessage
	Identity Identity
	// Runs is the number of warm runs.
	Runs int
	// ShowValues prints values that came from the server's statistics.
	ShowValues bool
	// NoAnalyze plans only; Analyze fails where the statement is not run.
	NoAnalyze, Analyze bool
	// AllowRemote runs it on a host that is not this machine, AnalyzeWrites also where
	// it writes; AllowFunctions are functions that it may call.
	AllowRemote, AnalyzeWrites bool
	AllowFunctions             []string
	// Timeout bounds each statement; 0 is 5 s, and 30 s on a server of planvet's own.
	Timeout     time.Duration
	RLSOverhead bool
	// NoAdvice leaves out what would help: checking that starts a throwaway server.
	NoAdvice      bool
	CorrelationID string
	// Notes stand first in the report.
	Notes []string
	// Progress, where not nil, is told what goes on.
	Progress func(string)
}

func (o *Options) timeout() time.Duration {
	switch {
	case o.Timeout > 0:
		return o.Timeout
	case o.Own:
		return 30 * time.Second
	}
	return 5 * time.Second
}

// runner makes one report.
type runner struct {
	ctx    context.Context
	o      Options
	s      *live.Session
	st     *Statement
	cat    *catalog.Catalog
	types  []string
	sets   []valueSet
	shape  shaper
	hider  *hider
	report *Report
	// main is the plan that findings are of, with the values that it was made for.
	main *plan.Plan
}

// Explain asks a server about one statement:
//
//  1. the statement is read and made valid where it is normalised;
//  2. its parameters get values, given or drawn from statistics;
//  3. it is planned for every value and for each set of them, and the plans compared;
//  4. it is run where that is safe, cold and warm;
//  5. the plan's faults are told.
//
// A *Usage is an error of what was asked, others mean that it could not be finished;
// both are one line and hold no value that came from the server.
func Explain(ctx context.Context, o Options) (*Report, error) {
	r := &runner{ctx: ctx, o: o}
	if o.Identity.Settings == nil {
		r.o.Identity.Settings = map[string]string{}
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	s, err := r.connect(writes(r.st.Tree))
	if err != nil {
		return nil, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	r.s = s
	r.report = &Report{
		Version: FormatVersion, CorrelationID: o.CorrelationID, SQL: r.st.SQL, Cleaned: r.st.Cleaned,
		Server:     Server{Version: s.Version(), Where: s.Where(), Role: o.Identity.Role, Settings: o.Identity.Settings},
		Parameters: []Parameter{}, Plans: []Plan{}, Indexes: []IndexUse{}, Findings: []Finding{}, Recommendations: []Recommendation{},
		Notes: slices.Clone(o.Notes),
	}
	if o.Own {
		r.report.Server.Where = "shadow"
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"reading the catalog", r.catalog}, {"finding values", r.values}, {"planning", r.plans}, {"running", r.run},
		{"looking at the plan", r.diagnose}, {"measuring row security", r.rowSecurity}, {"checking what would help", r.recommend},
	} {
		r.say(step.what)
		if err := step.do(); err != nil {
			return nil, err
		}
	}
	return r.report, nil
}

func (r *runner) say(what string) {
	if r.o.Progress != nil {
		r.o.Progress(what)
	}
}

func (r *runner) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.report.Notes, text) {
		r.report.Notes = append(r.report.Notes, text)
	}
}

// read finds the statement and reads it.
func (r *runner) read() (err error) {
	sql := r.o.SQL
	if r.o.QueryID != 0 {
		if sql, err = r.remembered(); err != nil {
			return err
		}
	}
	r.st, err = Read(sql)
	return err
}

// remembered is the text that pg_stat_statements has of a statement.
func (r *runner) remembered() (string, error) {
	s, err := r.connect(false)
	if err != nil {
		return "", err
	}
	defer s.Close(context.WithoutCancel(r.ctx))
	all, err := s.Statements(r.ctx)
	if errors.Is(err, live.ErrNoStatements) {
		return "", &Usage{fmt.Errorf("--queryid: %w", err)}
	}
	if err != nil {
		return "", fmt.Errorf("--queryid: %s", message(err))
	}
	for _, st := range all.All {
		if st.QueryID == r.o.QueryID {
			return st.Query, nil
		}
	}
	hidden := ""
	if all.Hidden > 0 {
		hidden = fmt.Sprintf("; %d statements are hidden from this role: grant it pg_read_all_stats", all.Hidden)
	}
	return "", usagef("--queryid %d is not among the statements of this database in pg_stat_statements%s", r.o.QueryID, hidden)
}

// connect opens the session: READ ONLY, but for a statement that writes and may run.
func (r *runner) connect(writes bool) (*live.Session, error) {
	timeout := r.o.timeout()
	o := live.Options{StatementTimeout: timeout, LockTimeout: lockTimeout, IdleTimeout: 30 * time.Second, TransactionTimeout: 2*timeout + 2*time.Minute}
	o.Writable = r.o.Own || writes && r.o.AnalyzeWrites
	o.Vetted = !r.o.Own
	s, err := live.Connect(r.ctx, r.o.URL, o)
	if errors.Is(err, live.ErrURL) {
		return nil, &Usage{err}
	}
	return s, err
}

// lockTimeout is how long a lock is waited for.
const lockTimeout = 200 * time.Millisecond

// request asks about the statement.
func (r *runner) request() plan.Request {
	return plan.Request{SQL: r.st.SQL, Role: r.o.Identity.Role, Settings: r.o.Identity.Settings}
}

// failed is a server's error as planvet reports it.
func (r *runner) failed(doing string, err error) error {
	switch code := live.Code(err); {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case code == "57014":
		return fmt.Errorf("%s took longer than %s; --timeout gives it more", doing, r.o.timeout())
	case code == "55P03":
		return fmt.Errorf("%s: another session holds a lock on a table of the statement, and a lock is waited for %s only", doing, lockTimeout)
	case code == "42501":
		return fmt.Errorf("%s: %s", doing, message(err))
	case len(code) == 5 && (code[:2] == "42" || code[:2] == "22"):
		return usagef("%s: %s", doing, message(err))
	}
	return fmt.Errorf("%s: %s", doing, message(err))
}

// catalog reads what the statement's names mean. Without it the statement is planned
// all the same.
func (r *runner) catalog() error {
	cat, err := r.s.LoadCatalog(r.ctx)
	if err != nil {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.note("the catalog was not read (%s): values are guessed and no index is told of", message(err))
		cat = catalog.New()
	}
	r.cat, r.shape = cat, shaper{cat}
	path, err := r.searchPath()
	if err != nil {
		return r.failed("reading the search_path", err)
	}
	if len(path) > 0 {
		cat.SearchPath = path
	}
	return nil
}

// searchPath is where the session looks for names.
func (r *runner) searchPath() ([]string, error) {
	if err := r.s.Begin(r.ctx); err != nil {
		return nil, err
	}
	defer r.s.Rollback(r.ctx)
	if p := r.o.Identity.Settings["search_path"]; p != "" {
		name := "search_path"
		if _, err := r.s.Query(r.ctx, "select pg_catalog.set_config($1, $2, true)", &name, &p); err != nil {
			return nil, err
		}
	}
	rows, err := r.s.Query(r.ctx, "select unnest(current_schemas(false))::text")
	if err != nil {
		return nil, err
	}
	var path []string
	for _, row := range rows {
		path = append(path, *row[0])
	}
	return path, nil
}

// plans plans the statement for every value and for each set of values.
func (r *runner) plans() error {
	generic := r.request()
	generic.Generic, generic.Types = true, r.declared()
	var refused *live.Refusal
	switch err := r.s.VetPlanning(r.ctx, generic, r.vetOptions()); {
	case errors.As(err, &refused):
		return fmt.Errorf("planning the statement would run a function that is not volatile: %w", refused)
	case err != nil:
		return r.failed("planning the statement", err)
	}
	every, err := r.s.Explain(r.ctx, generic)
	if err != nil {
		return r.failed("planning the statement", err)
	}
	r.hider = newHider(r.st.SQL, textsOf(every))
	for i, s := range r.sets[0].args {
		if r.report.Parameters[i].Source == sourceGiven {
			r.hider.value(s)
		}
	}
	if len(r.types) == 0 {
		r.sets[0].plan = every
	}
	for i := range r.sets {
		set := &r.sets[i]
		if set.plan == nil {
			req := r.request()
			req.Args, req.Types = set.args, r.declared()
			if set.plan, err = r.s.Explain(r.ctx, req); err != nil && i == 0 && set.label == labelGiven {
				return r.failed("planning the statement", err)
			} else if err != nil {
				if r.ctx.Err() != nil {
					return r.ctx.Err()
				}
				r.note("there is no plan for %s values: SQLSTATE %s", set.label, live.Code(err)) // the text may hold them
				continue
			}
		}
		r.add(set.label, set.plan, set.drawn)
	}
	if len(r.types) > 0 {
		r.add("generic", every, false)
	}
	r.main = r.sets[0].plan
	if r.main == nil {
		r.main = every
	}
	r.report.compare()
	return nil
}

// add adds a plan to the report, without the values that were drawn.
func (r *runner) add(label string, p *plan.Plan, drawn bool) {
	if drawn && !r.o.ShowValues {
		r.hider.hide(p)
	}
	r.report.Plans = append(r.report.Plans, planOf(label, p, r.shape))
}

// declared are the types of parameters that the server does not infer by itself.
func (r *runner) declared() []string {
	if !slices.ContainsFunc(r.sets, func(s valueSet) bool { return s.declared }) {
		return nil
	}
	return r.types
}

// diagnose tells the faults of the first plan. What the server does not say of its
// tables is not needed for all of them.
func (r *runner) diagnose() error {
	if err := r.s.Begin(r.ctx); err != nil {
		return r.failed("beginning a transaction", err)
	}
	defer r.s.Rollback(r.ctx)
	facts, err := LoadFacts(r.ctx, r.s, r.main)
	if err != nil {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.note("the tables' statistics were not read: %s", message(err))
		facts = &Facts{}
	}
	facts.SQL, facts.Role, facts.Catalog = r.st.SQL, r.o.Identity.Role, r.cat
	facts.Generic = r.report.Plans[0].Label == "generic"
	r.report.Findings, r.report.Indexes = diagnose(r.main, r.report.Plans[0].Root, facts)
	return nil
}
