package sqllint

import (
	"embed"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

// Options switch rules.
type Options struct {
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Policies adds policy quals for statements whose role is known.
	Policies bool
	// Pooling says how connections are pooled; nil is not by transaction.
	Pooling *Pooling
	// Commands are statements that are no queries: SET, LISTEN, CREATE TEMPORARY TABLE.
	Commands []*Statement
	// Sizes are the relations' sizes; nil means the catalog's statistics, and the
	// default profile where there are none.
	Sizes catalog.Sizes
}

// checker is a rule with the code that decides.
type checker struct {
	*rules.Rule
	run func(*pass)
}

// checkers are sorted by name.
var checkers = []checker{
	{poolSessionState, runPoolSessionState},
	{unindexedForeignKey, runUnindexedForeignKey},
	{unindexedJoin, runUnindexedJoin},
	{unindexedOrder, runUnindexedOrder},
	{unindexedWhere, runUnindexedWhere},
}

// Rules are this package's rules, sorted by name.
var Rules = func() []*rules.Rule {
	var out []*rules.Rule
	for _, c := range checkers {
		out = append(out, c.Rule)
	}
	return out
}()

//go:embed *.md
var pages embed.FS

func page(stem string) string {
	b, err := pages.ReadFile(stem + ".md")
	if err != nil {
		panic(err) // the page is compiled in
	}
	return string(b)
}

// pass is one run over a workload.
type pass struct {
	cat   *catalog.Catalog
	sizes catalog.Sizes
	stmts []*Statement
	// pooling and commands are as in Options.
	pooling  *Pooling
	commands []*Statement
	// plans are the statements' analyses, in the same order.
	plans   []*predicate.Analysis
	needs   []predicate.Need
	pending []pending
}

// pending is a finding that waits for the workload's indexes; the IDs of its needs
// are its place in the slice.
type pending struct{ finding rules.Finding }

// Check judges statements against a catalog. The indexes that it suggests are
// chosen for all of them together, so that one index that serves several
// statements is the fix of each. Findings are sorted; their IDs and verdicts are
// left to the caller.
func Check(cat *catalog.Catalog, stmts []*Statement, o Options) []rules.Finding {
	p := &pass{cat: cat, sizes: o.Sizes, stmts: stmts, pooling: o.Pooling, commands: o.Commands}
	if p.sizes == nil {
		p.sizes = cat.Stats
	}
	if p.sizes == nil {
		p.sizes = predicate.DefaultSizes(cat, trees(stmts))
	}
	for _, s := range stmts {
		p.plans = append(p.plans, analyze(cat, s, o, p.sizes))
	}
	for _, c := range checkers {
		if o.Enabled == nil || o.Enabled(c.Name) {
			c.run(p)
		}
	}
	return p.findings()
}

func trees(stmts []*Statement) []pgast.Stmt {
	var out []pgast.Stmt
	for _, s := range stmts {
		if s.Stmt != nil {
			out = append(out, s.Stmt)
		}
	}
	return out
}

func analyze(cat *catalog.Catalog, s *Statement, o Options, sizes catalog.Sizes) *predicate.Analysis {
	if s.Stmt == nil {
		return &predicate.Analysis{}
	}
	return predicate.Analyze(cat, s.Stmt, predicate.Options{
		Role: s.Role, RoleKnown: s.RoleKnown, Policies: o.Policies, SearchPath: s.SearchPath, Variables: s.Variables, Sizes: sizes,
	})
}

// report takes a finding and what would close it. needs carry no ID yet.
func (p *pass) report(f rules.Finding, needs []predicate.Need) {
	if platform(p.cat.Relation(f.Object.Schema, f.Object.Table)) {
		return
	}
	needs = slices.DeleteFunc(needs, func(n predicate.Need) bool { return n.Empty() })
	f.Verdict = rules.Verdict{Status: rules.NotRun}
	for _, n := range needs {
		n.ID = len(p.pending)
		p.needs = append(p.needs, n)
	}
	p.pending = append(p.pending, pending{f})
}

// findings gives each finding its fix, and sorts.
func (p *pass) findings() []rules.Finding {
	fixes := map[int][]predicate.Suggestion{}
	for _, s := range predicate.Suggest(p.needs) {
		for _, id := range s.Needs {
			fixes[id] = append(fixes[id], s)
		}
	}
	var out []rules.Finding
	for i, f := range p.pending {
		fix := &rules.Fix{}
		var notes []string
		for _, s := range fixes[i] {
			if ext := s.Extension(p.cat); ext != "" {
				fix.SQL = append(fix.SQL, "create extension if not exists "+ext)
			}
			fix.SQL = append(fix.SQL, s.DDL)
			notes = append(notes, s.Cost)
		}
		if len(fix.SQL) > 0 && f.finding.Fix == nil {
			fix.Note = strings.Join(notes, "; ") + "; on a table in use, create index concurrently"
			f.finding.Fix = fix
			if f.finding.Probe != nil {
				f.finding.Probe.Apply = fix.SQL
			}
		}
		out = append(out, f.finding)
	}
	rules.Sort(out)
	return out
}

// platformSchemas are those that Supabase keeps: a project has no say in their
// indexes, unless its own migrations made the table.
var platformSchemas = []string{"auth", "storage", "realtime", "vault", "extensions", "graphql", "supabase_functions", "cron", "net"}

func platform(t *catalog.Relation) bool {
	return t != nil && (t.Platform || t.Location.Path == "" && slices.Contains(platformSchemas, t.Schema))
}
