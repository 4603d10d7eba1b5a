// Package confirm asks a planner about findings and gives verdicts, by the table
// in DESIGN.md. It errs to one side: a finding marked confirmed is right; where
// anything is in doubt the verdict is inconclusive and says what would settle it.
package confirm

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// Explainer is a session on a server; live.Session is one. Between Begin and
// Rollback everything happens in one transaction, and a call that fails leaves
// the transaction as it was.
type Explainer interface {
	// Version is the server's version as it prints it: 15.18.
	Version() string
	// Begin opens a transaction, READ ONLY on a server that is not planvet's own.
	Begin(ctx context.Context) error
	// Rollback undoes all since Begin.
	Rollback(ctx context.Context) error
	// Mark and Undo go back to a point of the transaction; marks do not nest.
	Mark(ctx context.Context) error
	Undo(ctx context.Context) error
	// Exec runs statements without parameters.
	Exec(ctx context.Context, sql string) error
	// Run runs one statement once for each set of values, as the request's role with
	// its settings, and undoes what it wrote. It is refused on a server that is not
	// planvet's own.
	Run(ctx context.Context, r plan.Request, each [][]*string) (plan.Outcome, error)
	// Query returns the rows of one statement as text; nil is NULL.
	Query(ctx context.Context, sql string, args ...*string) ([][]*string, error)
	// ParamTypes returns the types that the server infers, as format_type prints
	// them.
	ParamTypes(ctx context.Context, sql string) ([]string, error)
	// Survives runs a statement in a transaction of a session of its own, commits, and asks
	// that session whether observe, one row of one boolean, is true. It is refused on a
	// server that is not planvet's own.
	Survives(ctx context.Context, sql, observe string) (bool, error)
	// Hypothetical lets f plan with indexes that exist for this session alone, by
	// HypoPG, and hands it their names; the error is ErrNoHypoPG where that is missing.
	Hypothetical(ctx context.Context, ddl []string, f func(names []string) error) error
	// Explain plans one statement in the transaction, or in one of its own.
	Explain(ctx context.Context, r plan.Request) (*plan.Plan, error)
}

// Options steer a confirmation.
type Options struct {
	// Server is asked. Everything runs on its one connection, in order.
	Server Explainer
	// Plan, where there is one, is asked about access paths instead: no rows are made for
	// those. With Measure all is asked on rows all the same.
	Plan    *PlanTier
	Measure bool
	// Live is set for a server that the user named: the read-only part is done.
	Live bool
	// MakeRows puts rows into tables and returns how many each holds; nil on Live.
	// A table that could not be filled has its reason in problems; an error means that
	// the server is lost or has no room for more. It is called for one table at a time,
	// parents first.
	MakeRows func(ctx context.Context, tables []catalog.Name) (rows map[catalog.Name]int64, problems map[catalog.Name]string, err error)
	// Doubts are reasons, by table, why the server's schema may lack what production
	// has: nothing is confirmed there that needs the lack of an index.
	Doubts map[catalog.Name]string
	// Role, Claims (a JSON object) and Settings are the user's own.
	Role     string
	Claims   string
	Settings map[string]string
	// Progress is told what goes on; nil is silent.
	Progress func(string)
}

// Confirm gives each finding with a probe a verdict and returns the findings in
// the same order. It fails only when the server is lost, or short of something: then
// verdicts given before stand, and findings that nobody could ask about are not-run
// with the reason.
func Confirm(ctx context.Context, cat *catalog.Catalog, fs []rules.Finding, o Options) ([]rules.Finding, error) {
	a := newAsker(ctx, cat, o)
	planner := a.planner(ctx)
	out := slices.Clone(fs)
	// What needs no rows comes first: it is quick, and stands whatever comes after.
	for _, rows := range []bool{false, true} {
		if rows {
			if err := a.fill(fs); err != nil {
				return Unasked(out, err), err
			}
		}
		for i := range out {
			f := &out[i]
			if f.Probe == nil || o.needsRows(f) != rows {
				continue
			}
			if err := ctx.Err(); err != nil {
				return Unasked(out, err), err
			}
			a.say("asking about finding %d of %d: %s on %s.%s", i+1, len(out), f.Rule, f.Object.Schema, f.Object.Table)
			who := a
			if planner != nil && !rows && !f.Probe.Kind.Plain() {
				who = planner
			}
			v, err := who.ask(f)
			if err != nil {
				err = fmt.Errorf("asking about %s: %w", f.Rule, err)
				return Unasked(out, err), err
			}
			f.Verdict = v
		}
	}
	return out, a.trouble
}

func newAsker(ctx context.Context, cat *catalog.Catalog, o Options) *asker {
	return &asker{
		ctx: ctx, cat: cat, o: o, rows: map[catalog.Name]int64{}, problems: map[catalog.Name]string{},
		samples: map[string][][]*string{}, columns: map[catalog.Name]map[string]column{},
		verdicts: map[string]rules.Verdict{}, slow: map[string]slowRun{},
	}
}

// Unasked gives findings that have a probe and no verdict the reason why nobody could
// be asked.
func Unasked(fs []rules.Finding, why error) []rules.Finding {
	for i := range fs {
		if v := &fs[i].Verdict; fs[i].Probe != nil && (v.Status == rules.NotRun || v.Status == "") {
			*v = rules.Verdict{Status: rules.NotRun, Reason: message(why)}
		}
	}
	return fs
}

// asker holds what one confirmation knows of its server.
type asker struct {
	ctx context.Context
	cat *catalog.Catalog
	o   Options
	// tier is set where the server is the plan tier's.
	tier *PlanTier
	// rows and problems are MakeRows's answer.
	rows     map[catalog.Name]int64
	problems map[catalog.Name]string
	// samples are values drawn from tables, by the query that drew them.
	samples map[string][][]*string
	// columns are what statistics say of values, by table.
	columns map[catalog.Name]map[string]column
	// verdicts are those of equal probes: one query often stands in two places.
	verdicts map[string]rules.Verdict
	// slow are runs that took long, by question.key.
	slow map[string]slowRun
	// trouble is what the server ran short of; findings that do not need it go on.
	trouble error
	// granted tells that the probe's role was given rights in this transaction.
	granted []string
	// made are the indexes of the fix, while its transaction lasts.
	made []Index
}

func (a *asker) say(format string, args ...any) {
	if a.o.Progress != nil {
		a.o.Progress(fmt.Sprintf(format, args...))
	}
}

// fill makes the rows that all probes need, each table once.
func (a *asker) fill(fs []rules.Finding) error {
	if a.o.MakeRows == nil {
		return nil
	}
	list := a.parentsFirst(a.o.needed(a.cat, fs))
	for i, name := range list {
		a.say("making rows in %s (%d of %d)", name, i+1, len(list))
		if a.trouble != nil {
			a.problems[name] = message(a.trouble)
			continue
		}
		rows, problems, err := a.o.MakeRows(a.ctx, []catalog.Name{name})
		if err != nil {
			if _, gone := a.o.Server.Query(a.ctx, "select 1"); gone != nil {
				return err
			}
			a.trouble, a.problems[name] = err, message(err)
			continue
		}
		maps.Copy(a.rows, rows)
		maps.Copy(a.problems, problems)
	}
	return nil
}

// needed are the tables that probes read where rows are.
func (o *Options) needed(cat *catalog.Catalog, fs []rules.Finding) map[catalog.Name]bool {
	a := &asker{cat: cat}
	out := map[catalog.Name]bool{}
	for i := range fs {
		if o.needsRows(&fs[i]) {
			a.tables(fs[i].Probe, out)
		}
	}
	return out
}

// RowLimit is how many rows a table should have at most for confirming findings:
// 100,000, and fewer where many tables are needed, so that filling them takes
// minutes. 10,000 rows still tell a scan from an index.
func (o *Options) RowLimit(cat *catalog.Catalog, fs []rules.Finding) int64 {
	const most, least, all = 100_000, 10_000, 2_500_000
	n := max(len(o.needed(cat, fs)), 1)
	return min(most, max(least, int64(all/n)))
}

// ask gives one finding its verdict, in a transaction that is rolled back. An
// error means that the server was lost.
func (a *asker) ask(f *rules.Finding) (rules.Verdict, error) {
	key := f.Rule + fmt.Sprintf("%+v", *f.Probe)
	if v, ok := a.verdicts[key]; ok {
		return v, nil
	}
	if err := a.o.Server.Begin(a.ctx); err != nil {
		return rules.Verdict{}, err
	}
	a.granted, a.made = nil, nil
	v := a.judge(f)
	if doubt := a.o.Doubts[catalog.Name{Schema: f.Object.Schema, Name: f.Object.Table}]; doubt != "" && v.Status == rules.Confirmed && f.Probe.Kind != rules.ProbePerItem {
		v.Status, v.Reason = rules.Inconclusive, doubt
	}
	if err := a.o.Server.Rollback(a.ctx); err != nil {
		return v, err
	}
	v.ServerVersion = a.o.Server.Version()
	if a.granted != nil {
		v.Facts = append(v.Facts, a.granted...)
	}
	a.verdicts[key] = v
	return v, nil
}

func (a *asker) judge(f *rules.Finding) rules.Verdict {
	p := f.Probe
	// Two rules are not about a missing access path, and one that is there refutes
	// nothing of them.
	other := f.Rule == "rls-leakproof" || f.Rule == "rls-row-function"
	switch {
	case a.o.Live && p.Kind == rules.ProbeSession:
		return inconclusive("a named server's sessions are not tried out; use --confirm shadow")
	case a.o.Live && other:
		return inconclusive("on a named server this cannot be shown without changing it; use --confirm shadow")
	case a.o.Live && p.Kind != rules.ProbeFact:
		return a.live(p)
	case f.Rule == "rls-leakproof" && f.Object.Index != "":
		return a.leakproof(p, f.Object.Index)
	case f.Rule == "rls-row-function":
		return a.rowFunction(p)
	}
	switch p.Kind {
	case rules.ProbeStatement:
		return a.statement(p)
	case rules.ProbePolicy:
		return a.policy(p)
	case rules.ProbeForeignKey:
		return a.foreignKey(p)
	case rules.ProbePerItem:
		return a.perItem(p)
	case rules.ProbeFact:
		return a.fact(p)
	case rules.ProbeSession:
		return a.survives(p)
	}
	return inconclusive("%s cannot be asked of a planner", f.Rule)
}

func inconclusive(format string, args ...any) rules.Verdict {
	return rules.Verdict{Status: rules.Inconclusive, Reason: fmt.Sprintf(format, args...)}
}
