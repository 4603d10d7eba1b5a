package nplusone

import (
	"cmp"
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// function reports the loops of one function. Nobody can edit those of generated code,
// which loop over a type's fields more often than over rows.
func (c *checker) function(f *program.Func) []rules.Finding {
	path := c.r.Place(f.Pkg, f.Pos()).Path
	if c.inlined[f] || ast.IsGenerated(f.File) || migrations.MatchString(path) || testSupport.MatchString(path) || c.r.OtherDialectIn(f) {
		return nil
	}
	var out []rules.Finding
	for _, s := range c.sites(f) {
		for i := len(s.loops) - 1; i >= 0; i-- {
			a := s.loops[i]
			if a.loop.kind == quiet || a.once {
				continue
			}
			t := c.taintOf(f, a.loop)
			e := c.event(f, s, t)
			if e == nil {
				break
			}
			if e.guess && (e.stmt == nil || len(e.chain)-1 > maxDepth) {
				break // one of many functions, far away: as good as unknown
			}
			if c.seldom(f, path) && len(e.chain)-1 > maxDepth || e.cond && len(e.chain)-1 > maxDepth+1 {
				break // once, at the start, and far away; or under the conditions of many functions
			}
			if !e.varies() || a.loop.kind == weak && seldomFunc.MatchString(f.Name) {
				continue
			}
			out = append(out, c.finding(f, s, a, e))
			break
		}
	}
	return out
}

// varies reports whether a value of the query depends on the loop's element.
func (e *event) varies() bool {
	return e.rest&item != 0 || slices.ContainsFunc(e.params, func(o origins) bool { return o&item != 0 })
}

// takesSet reports whether each turn hands a list of its own to the query: a turn is
// a group's then, not an element's, and may be as many as there are.
func (e *event) takesSet() bool {
	found := false
	set := func(x pgast.Expr) {
		if c, ok := x.(*pgast.Cast); ok {
			x = c.Arg
		}
		if p, ok := x.(*pgast.Param); ok && p.Number >= 1 && p.Number <= len(e.params) {
			found = found || e.params[p.Number-1]&item != 0
		}
	}
	pgast.Walk(e.stmt.Stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Op:
			if n.Kind == pgast.OpAny {
				set(n.Right)
			}
		case *pgast.FuncCall:
			if n.Name[len(n.Name)-1] == "unnest" {
				for _, a := range n.Args {
					set(a)
				}
			}
		case *pgast.Cast:
			if n.Type.ArrayDims > 0 {
				set(n)
			}
		}
		return !found
	})
	return found
}

// maxDepth is the number of functions between loop and driver up to which a finding
// is certain.
const maxDepth = 3

func (c *checker) finding(f *program.Func, s site, a around, e *event) rules.Finding {
	at := c.r.CallPlace(program.Site{In: s.in, Call: s.call})
	certainty := rules.Possible
	if a.loop.kind == strong && !a.cond && !e.cond && !e.guess && e.stmt != nil && !e.ambiguous && !e.stmt.Dynamic && !e.takesSet() &&
		len(slices.Compact(slices.Clone(e.chain)))-1 <= maxDepth && !c.seldom(f, at.Path) {
		certainty = rules.Certain
	}
	rule := Rule
	if e.writes() {
		if rule = RowAtATimeWrite; e.claims() || e.sameRow() || c.records(f, a.loop) {
			certainty = rules.Possible
		}
	}
	out := rules.Finding{
		Rule: rule.Name, Severity: rule.Severity, Certainty: certainty, Location: at,
		Message: fmt.Sprintf("%s runs once for each %s; n items cost n round trips", e.subject(), a.loop.over),
		Related: []rules.Related{{Location: c.loopPlace(f, a.loop), Message: "the loop"}},
	}
	if e.place.Path != "" && e.place != at {
		out.Related = append(out.Related, rules.Related{
			Location: e.place, Message: "the query, reached through " + strings.Join(slices.Compact(slices.Clone(e.chain)), " → "),
		})
	}
	if e.stmt == nil {
		out.Fix = &rules.Fix{Note: "send one query for all elements before the loop: gather the keys and compare with = any($1)"}
		return out
	}
	out.Query = e.stmt.Query()
	if t := target(e.stmt.Stmt); t != nil {
		out.Object = rules.Object{Schema: t.Schema, Table: t.Name}
	}
	out.Probe = &rules.Probe{Kind: rules.ProbePerItem, SQL: e.stmt.Text, Role: e.stmt.Role}
	out.Probe.Schema, out.Probe.Table = out.Object.Schema, out.Object.Table
	set := e.setForm()
	out.Probe.SetSQL, out.Probe.ItemParams, out.Probe.ItemColumns = set.probe, set.params, set.columns
	out.Fix = &rules.Fix{Note: set.note}
	if set.fix != "" {
		out.Fix.SQL = []string{set.fix}
	}
	return out
}

func (c *checker) loopPlace(f *program.Func, l *loop) rules.Location {
	at := c.r.Place(f.Pkg, l.node.Pos())
	if call, ok := l.node.(*ast.CallExpr); ok {
		at = c.r.CallPlace(program.Site{In: f, Call: call})
	}
	return at
}

// subject names what runs: "query", "update", "query of Store.Get".
func (e *event) subject() string {
	word := cmp.Or(e.built(), "query")
	if e.stmt != nil {
		switch e.stmt.Stmt.(type) {
		case *pgast.Insert:
			word = "insert"
		case *pgast.Update:
			word = "update"
		case *pgast.Delete:
			word = "delete"
		case *pgast.Merge:
			word = "merge"
		case *pgast.Select:
			if e.writes() {
				word = "write"
			}
		}
	}
	if len(e.chain) > 1 && e.chain[len(e.chain)-1] != "" && e.chain[len(e.chain)-1] != e.chain[0] {
		word += " of " + e.chain[len(e.chain)-1]
	}
	return word
}

// target is the table that a statement is about: the one that it writes, or the
// first that it reads.
func target(s pgast.Stmt) *pgast.Table {
	switch s := s.(type) {
	case *pgast.Insert:
		return s.Table
	case *pgast.Update:
		return s.Table
	case *pgast.Delete:
		return s.Table
	case *pgast.Merge:
		return s.Table
	}
	ctes := map[string]bool{}
	var first *pgast.Table
	if sel, ok := s.(*pgast.Select); ok && sel.With != nil {
		for _, q := range sel.With.CTEs {
			ctes[q.Name] = true
		}
	}
	pgast.Walk(s, func(n pgast.Node) bool {
		if t, ok := n.(*pgast.Table); ok && first == nil && !(t.Schema == "" && ctes[t.Name]) {
			first = t
		}
		return first == nil
	})
	return first
}

var (
	seldomDir = regexp.MustCompile(`(?i)(^|/)(cmd|seeds?|seeders?|migrations?|migrate|fixtures?|scripts?|tools?|examples?|bench(marks?)?|e2e|hack)/`)
	// migrations run once, on what rows there are.
	migrations = regexp.MustCompile(`(?i)(^|/)[a-z]*(migrations?|migrate|migrator)/|(migrations?|migrate|migrator)(_[a-z]+)?\.go$`)
	// testSupport is what only tests use.
	testSupport = regexp.MustCompile(`(?i)(^|/)([a-z]*tests?|testing|testutils?|testhelpers?|[a-z]*fakes|mocks?|e2e[\w-]*|ci)/`)
	seldomFunc  = regexp.MustCompile(`(?i:migrat|seed|fixture|backfill|populate|bootstrap)|[iI]nstall(?:[A-Z_]|$)`)
	// startFunc is what a main package does before it serves.
	startFunc = regexp.MustCompile(`^(init|setup)[A-Z_]`)
)

// seldom reports whether code runs by hand or once: tests, seeds, migrations and
// command line tools. A main package that serves requests is none.
func (c *checker) seldom(f *program.Func, path string) bool {
	if seldomFunc.MatchString(f.Name) {
		return true
	}
	isMain := f.Pkg.Types != nil && f.Pkg.Types.Name() == "main"
	if isMain && startFunc.MatchString(f.Name) {
		return true
	}
	if isMain || seldomDir.MatchString(path) {
		return !hasServer(f.Pkg)
	}
	return false
}

func hasServer(pkg *program.Package) bool {
	for _, f := range pkg.Files {
		for _, i := range f.Imports {
			switch p := strings.Trim(i.Path.Value, `"`); {
			case p == "net/http", strings.Contains(p, "/echo"), strings.Contains(p, "/gin"), strings.Contains(p, "/fiber"), strings.Contains(p, "/chi"), strings.Contains(p, "grpc"):
				return true
			}
		}
	}
	return false
}
