package source

import (
	"cmp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Row is what a server counted of a statement.
type Row struct {
	// QueryIDs are the server's for it.
	QueryIDs []string
	SQL      string
	// Role ran it; RoleKnown is false where that is not known. Exempt has the tables,
	// schema.name, whose policies do not bind it; All means those of every table.
	Role      string
	RoleKnown bool
	Exempt    []string
	ExemptAll bool
	Calls     int64
	// TotalMS is execution time in milliseconds.
	TotalMS float64
}

// Left counts statements that a workload has and nobody can give an index.
type Left struct {
	Why string
	N   int
}

// Workload is what rows of pg_stat_statements gave.
type Workload struct {
	Result
	// ByFingerprint is what each statement cost; Ranked are the texts, by total time.
	ByFingerprint map[string]*rules.Workload
	Ranked        []string
	// Roleless are the statements whose role nothing tells.
	Roleless []*sqllint.Statement
	// LeftOut are statements that are not judged, by reason, the most frequent first.
	LeftOut []Left
}

// The reasons to leave statements out.
const (
	leftUtility   = "utility commands"
	leftCatalogs  = "of the server's catalogs alone"
	leftIntegrity = "checks of foreign keys"
)

// Statements turns rows into statements, one a fingerprint and role, ranked by total
// time. Those are left out that run no query, that read system catalogs or no table at
// all, and that the server runs by itself for foreign keys. What ran once may never run
// again: findings from it are possible, not certain.
//
// Shares are of totalMS, the execution time of all that the server counted; where that
// is 0, of all rows, those left out too.
func Statements(rows []Row, totalMS float64) Workload {
	w := Workload{ByFingerprint: map[string]*rules.Workload{}}
	sum, left := 0.0, map[string]int{}
	type group struct {
		cost  *rules.Workload
		stmts []*sqllint.Statement
		text  string
		why   string
	}
	groups, roleless := map[string]*group{}, map[*sqllint.Statement]bool{}
	var order []*group
	for i := range rows {
		r := &rows[i]
		sum += r.TotalMS
		s, err := normalised(r.SQL)
		key := r.SQL
		if err == nil {
			key = s.Fingerprint
		}
		g := groups[key]
		if g == nil {
			g = &group{cost: &rules.Workload{}, text: r.SQL}
			groups[key] = g
			order = append(order, g)
			if err == nil {
				g.why = judged(s)
			}
		}
		g.cost.Calls += r.Calls
		g.cost.TotalMS += r.TotalMS
		g.cost.QueryIDs = append(g.cost.QueryIDs, r.QueryIDs...)
		if r.RoleKnown && r.Role != "" {
			g.cost.Roles = append(g.cost.Roles, r.Role)
		}
		if err != nil {
			g.why = err.Error()
			continue
		}
		if r.RoleKnown && !r.ExemptAll && !names(s, r.Exempt) {
			s.Role, s.RoleKnown = r.Role, true
		}
		if !r.RoleKnown {
			roleless[s] = true
		}
		if !slices.ContainsFunc(g.stmts, func(o *sqllint.Statement) bool { return o.Role == s.Role && o.RoleKnown == s.RoleKnown }) {
			g.stmts = append(g.stmts, s)
		}
	}
	slices.SortStableFunc(order, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.cost.TotalMS, a.cost.TotalMS), cmp.Compare(a.text, b.text))
	})
	total := cmp.Or(totalMS, sum)
	for i, g := range order {
		c := g.cost
		c.Rank = i + 1
		slices.Sort(c.QueryIDs)
		slices.Sort(c.Roles)
		c.QueryIDs, c.Roles = slices.Compact(c.QueryIDs), slices.Compact(c.Roles)
		if c.Calls > 0 {
			c.MeanMS = c.TotalMS / float64(c.Calls)
		}
		if total > 0 {
			c.Share = c.TotalMS / total
		}
		w.Ranked = append(w.Ranked, g.text)
		at := rules.Location{Path: rules.WorkloadPath, Line: c.Rank, Column: 1}
		switch {
		case len(g.stmts) == 0:
			w.Unparsed = append(w.Unparsed, Problem{at, g.why})
			continue
		case g.why != "":
			left[g.why]++
			continue
		}
		w.ByFingerprint[g.stmts[0].Fingerprint] = c
		for _, s := range g.stmts {
			s.Dynamic = c.Calls < 2
			s.Location = at
			s.Segments = oneLine(s.Text, at)
			if roleless[s] {
				w.Roleless = append(w.Roleless, s)
			}
		}
		w.Ranked[i] = g.stmts[0].Text
		w.Statements = append(w.Statements, g.stmts...)
	}
	for why, n := range left {
		w.LeftOut = append(w.LeftOut, Left{why, n})
	}
	slices.SortFunc(w.LeftOut, func(a, b Left) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Why, b.Why)) })
	return w
}

// Excerpt has one line a statement, in the order of ranks: what locations under
// rules.WorkloadPath point into.
func (w *Workload) Excerpt() []byte {
	var b strings.Builder
	for _, text := range w.Ranked {
		b.WriteString(lines.Replace(text))
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// lines are replaced byte by byte, so that columns stay.
var lines = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// oneLine places a text that is shown on one line.
func oneLine(text string, at rules.Location) []sqllint.Segment {
	var out []sqllint.Segment
	for start := 0; ; {
		out = append(out, sqllint.Segment{Start: start, At: rules.Location{Path: at.Path, Line: at.Line, Column: start + 1}, Exact: true})
		n := strings.IndexByte(text[start:], '\n')
		if n < 0 {
			return out
		}
		start += n + 1
	}
}

// normalised reads a text of pg_stat_statements.
func normalised(sql string) (*sqllint.Statement, error) {
	tree, err := pgast.Parse(sql)
	if err != nil {
		return nil, err
	}
	// An owner is found by the fingerprint of the text as it came.
	text, fp := sql, pgast.Fingerprint(tree)
	if done := pgast.Denormalise(tree, sql); len(done) > 0 {
		text = pgast.Format(tree)
		if tree, err = pgast.Parse(text); err != nil {
			return nil, err
		}
	}
	return &sqllint.Statement{Text: text, Stmt: tree, Fingerprint: fp, Source: sqllint.FromStatements, ResolvedBy: "statements"}, nil
}

// judged says why a statement is left out; "" where it is judged.
func judged(s *sqllint.Statement) string {
	if _, explains := s.Stmt.(*pgast.Explain); explains || !pgast.IsQuery(s.Stmt) {
		return leftUtility
	}
	own, integrity := false, strings.Contains(s.Text, "OPERATOR(pg_catalog.") && strings.Contains(strings.ToLower(s.Text), " only ")
	if integrity {
		return leftIntegrity
	}
	for _, t := range tables(s) {
		own = own || t.Schema != "pg_catalog" && t.Schema != "information_schema" && !strings.HasPrefix(t.Name, "pg_")
	}
	if !own {
		return leftCatalogs
	}
	return ""
}

// tables are those that a statement names, CTEs left out.
func tables(s *sqllint.Statement) []*pgast.Table {
	var out []*pgast.Table
	ctes := map[string]bool{}
	pgast.Walk(s.Stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.CTE:
			ctes[n.Name] = true
		case *pgast.Table:
			out = append(out, n)
		}
		return true
	})
	return slices.DeleteFunc(out, func(t *pgast.Table) bool { return t.Schema == "" && ctes[t.Name] })
}

// names reports whether a statement names one of some tables, schema.name.
func names(s *sqllint.Statement, exempt []string) bool {
	return slices.ContainsFunc(tables(s), func(t *pgast.Table) bool {
		return slices.ContainsFunc(exempt, func(n string) bool {
			schema, name, _ := strings.Cut(n, ".")
			return name == t.Name && (t.Schema == "" || t.Schema == schema)
		})
	})
}
