package sqllint

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/rules"
)

var poolSessionState = &rules.Rule{
	Name:      "pool-session-state",
	Summary:   "a statement leaves state in its server session, which transaction pooling hands to other clients",
	Package:   "sqllint",
	Group:     "pooling",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page("pool_session_state"),
}

// PoolSessionState is the rule's metadata, for what Go code alone tells of it.
var PoolSessionState = poolSessionState

// Pooling says that a project's connections are pooled by transaction: PgBouncer's
// pool_mode = transaction, Supavisor's port 6543. The rule pool-session-state runs where
// there is one.
type Pooling struct {
	// Declared is set where the project's config says so; otherwise Evidence, a place in
	// one of its files, suggests it, and findings are possible.
	Declared bool
	Evidence rules.Location
	// Says is what stands at Evidence.
	Says string
	// Prepared tells whether the pooler follows named statements of the protocol: yes, no,
	// or "" for not known.
	Prepared string
	// Direct reports whether code at a path has connections of its own to the server; nil
	// is none.
	Direct func(path string) bool
}

// Finding begins a finding of the rule at a place. It is nil where the place is none of
// the pool's.
func (o *Pooling) Finding(at rules.Location, certain bool) *rules.Finding {
	if o == nil || strings.HasSuffix(at.Path, ".go") && apart.MatchString(at.Path) || o.Direct != nil && o.Direct(at.Path) {
		return nil
	}
	f := &rules.Finding{
		Rule: poolSessionState.Name, Severity: poolSessionState.Severity, Certainty: rules.Possible, Location: at,
		Verdict: rules.Verdict{Status: rules.NotRun},
	}
	if certain && o.Declared {
		f.Certainty = rules.Certain
	}
	if !o.Declared && o.Evidence.Path != "" {
		f.Related = append(f.Related, rules.Related{Location: o.Evidence, Message: "pooling by transaction: " + o.Says})
	}
	return f
}

// apart is Go code that has connections of its own: what migrates, and what only tests use.
var apart = regexp.MustCompile(`(?i)(^|/)[^/]*migrat[^/]*(/|\.go$)|(^|/)([a-z]*tests?|testing|testutils?|testhelpers?|[a-z]*fakes|mocks?|e2e[\w-]*)/|_test\.go$`)

// own are the types of drivers that are one connection, which code opened by itself and
// perhaps around the pooler.
var own = regexp.MustCompile(`^\(?\*?(pgx\.Conn|pgconn\.PgConn|pq\.)`)

// runPoolSessionState reports what a statement leaves in its session.
func runPoolSessionState(p *pass) {
	if p.pooling == nil {
		return
	}
	for _, list := range [][]*Statement{p.stmts, p.commands} {
		for _, s := range list {
			if s.Stmt == nil || s.Source == FromView || s.Source == FromStatements {
				continue
			}
			for _, st := range sessionStates(s) {
				if !dropped(list, s, st) {
					p.reportState(s, st)
				}
			}
		}
	}
}

// reportState makes a finding of what a statement leaves.
func (p *pass) reportState(s *Statement, st sessionState) {
	f := p.pooling.Finding(s.Locate(st.pos), !s.Dynamic && !own.MatchString(s.Call))
	if f == nil {
		return
	}
	f.Message, f.Object, f.Query = st.message, st.object, s.Query()
	f.Fix = &rules.Fix{Note: st.note}
	if st.fix != "" {
		f.Fix.SQL = []string{st.fix}
	}
	if st.run != "" {
		f.Probe = &rules.Probe{
			Kind: rules.ProbeSession, SQL: st.run, SetSQL: st.instead,
			Facts: []rules.FactQuery{{Says: st.says, SQL: st.observe}},
		}
	}
	p.pending = append(p.pending, pending{*f})
}

// dropped reports whether the function or query that makes a temporary table drops it
// too.
func dropped(list []*Statement, s *Statement, st sessionState) bool {
	if st.table == "" || s.Symbol == "" {
		return false
	}
	for _, d := range list {
		if d.Symbol == s.Symbol && d.Location.Path == s.Location.Path && drops(d.Stmt, st.table) {
			return true
		}
	}
	return false
}
