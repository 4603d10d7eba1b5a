package confirm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// policy asks a bare select on the policy's table as each of its roles. A fault
// for one role is a fault; without one the doubtful role decides.
func (a *asker) policy(p *rules.Probe) rules.Verdict {
	r := a.cat.Relation(p.Schema, p.Table)
	if r == nil {
		return inconclusive("%s.%s is not in the catalog", p.Schema, p.Table)
	}
	pol := r.Policy(p.Policy)
	if pol == nil {
		return inconclusive("the policy %s is not in the catalog", p.Policy)
	}
	if !r.RLSEnabled {
		return inconclusive("row level security is off on %s: the policy filters nothing", p.Table)
	}
	if err := a.searchPath(); err != nil {
		return inconclusive("setting the search_path: %s", message(err))
	}
	var out *rules.Verdict
	for _, role := range a.roles(p) {
		v := a.policyAs(p, r, pol, role)
		if v.Status == rules.Confirmed {
			return v
		}
		if out == nil || v.Status == rules.Inconclusive && out.Status == rules.Refuted {
			out = &v
		}
	}
	if out == nil {
		return inconclusive("the policy has no role that could be asked as")
	}
	return *out
}

// roles are those to ask as. public stands for a role that nothing exempts:
// Supabase's authenticated where the project has it.
func (a *asker) roles(p *rules.Probe) []string {
	if a.o.Role != "" {
		return []string{a.o.Role}
	}
	var out []string
	for _, role := range p.Roles {
		if role == "public" || role == "" {
			role = everyRole
			if _, ok := a.cat.Roles["authenticated"]; ok {
				role = "authenticated"
			}
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	if len(out) == 0 {
		return []string{everyRole}
	}
	return out
}

// everyRole stands for public where the project has no role of its own for that.
const everyRole = "planvet_probe"

func (a *asker) policyAs(p *rules.Probe, r *catalog.Relation, pol *catalog.Policy, role string) rules.Verdict {
	if c := a.cat.Roles[role]; c.BypassRLS || c.Superuser {
		return inconclusive("the role %s bypasses row level security", role)
	}
	command := p.Command
	if command == "" || command == "all" {
		command = "select"
	}
	settings, doubt := a.session(role, []*catalog.Relation{r}, command, "select")
	rel, all := a.relation(p.Schema, p.Table, "")
	q := &question{sql: "select * from " + ident(r.Name), role: role, rel: rel, all: all, doubt: doubt}
	for k := range q.sets {
		q.sets[k].settings = settings[k]
	}
	if doubt != "" {
		v := inconclusive("%s", doubt)
		v.Role = role
		return v
	}
	if command != "select" {
		q.state = "select as " + command
		if reason := a.asSelect(r, pol, role); reason != "" {
			return inconclusive("%s", reason)
		}
	}
	if rewrites(p.Apply) {
		fact, doubt := a.meetConstants(r, pol)
		if fact != "" {
			q.state += ", " + fact
		}
		v := a.proveRewrite(q, p.Apply, command, pol)
		if fact != "" {
			v.Facts = append(v.Facts, fact)
		}
		if v.Status == rules.Refuted && doubt != "" {
			v.Status, v.Reason = rules.Inconclusive, doubt
		}
		return v
	}
	v := a.prove(q, p.Apply)
	if v.Status == rules.Refuted && v.Level == rules.Measured && a.shared(r, pol, command, role) {
		v.Status = rules.Inconclusive
		v.Reason = "other permissive policies of the table have no index either, and the rows of all are read together: " + v.Reason
	}
	return v
}

// shared reports whether other permissive policies are or-ed with this one.
func (a *asker) shared(r *catalog.Relation, pol *catalog.Policy, command, role string) bool {
	return slices.ContainsFunc(r.Policies, func(o *catalog.Policy) bool {
		return o != pol && o.Permissive && (o.Command == "all" || o.Command == command) && appliesTo(o, role)
	})
}

// asSelect puts the policies of an update or delete in the place of those for
// select, so that a bare select reads what the command would look through: the
// policy itself as planvet_probe, the permissive ones that are or-ed with it beside
// it. Policies for all commands stay.
func (a *asker) asSelect(r *catalog.Relation, pol *catalog.Policy, role string) string {
	rows, err := a.o.Server.Query(a.ctx, `select polname, pg_get_expr(polqual, polrelid) from pg_policy where polrelid = to_regclass($1)`, ptr(ident(r.Name)))
	if err != nil {
		return "reading the policies: " + message(err)
	}
	quals := map[string]*string{}
	for _, row := range rows {
		quals[*row[0]] = row[1]
	}
	if quals[pol.Name] == nil {
		return "the policy " + pol.Name + " is not on the server"
	}
	var swap []string
	for i, o := range r.Policies {
		switch {
		case o.Permissive && o.Command == "select":
			swap = append(swap, fmt.Sprintf("drop policy if exists %s on %s", quote(o.Name), ident(r.Name)))
		case o.Command == pol.Command && quals[o.Name] != nil && appliesTo(o, role):
			name, kind := fmt.Sprintf("planvet_probe_%d", i), "permissive"
			if o.Name == pol.Name {
				name = "planvet_probe"
			}
			if !o.Permissive {
				kind = "restrictive"
			}
			swap = append(swap, fmt.Sprintf("create policy %s on %s as %s for select to public using (%s)", name, ident(r.Name), kind, *quals[o.Name]))
		}
	}
	if err := a.o.Server.Exec(a.ctx, strings.Join(swap, "; ")); err != nil {
		return "putting the policy in the place of select: " + message(err)
	}
	return ""
}

func appliesTo(p *catalog.Policy, role string) bool {
	return slices.Contains(p.Roles, "public") || slices.Contains(p.Roles, role)
}

// rewrites reports whether a fix changes a policy or a function and makes no index.
func rewrites(apply []string) bool {
	return len(apply) > 0 && !slices.ContainsFunc(apply, func(sql string) bool { return !rewritesPolicy(sql) })
}

// rewritesPolicy reports whether a statement changes a policy or a function.
func rewritesPolicy(sql string) bool {
	s := strings.ToLower(strings.TrimSpace(sql))
	return strings.HasPrefix(s, "alter policy") || strings.HasPrefix(s, "create policy") || strings.HasPrefix(s, "drop policy") ||
		strings.HasPrefix(s, "create or replace function")
}

// rewriteRounds is how often a rewritten policy is timed: its gain is time, not
// blocks, so more runs than elsewhere, until slow runs have taken their time: what
// noise adds to those is small.
const rewriteRounds = 7

// proveRewrite compares a policy with its rewritten form. What a rewrite saves is
// the evaluation per row, which shows in time alone: the fastest run of each side
// is compared, because noise only adds, and the median. Confirmed means that before
// the condition filters each row of a scan, after it is read from an InitPlan or an
// index, the rows are the same, and at most half of the time is left by both.
func (a *asker) proveRewrite(q *question, apply []string, command string, pol *catalog.Policy) rules.Verdict {
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Structural}
	v.Rows, v.RowsSource = a.size(q.all[0])
	if problem := a.problems[q.all[0]]; problem != "" {
		return a.doubtful(v, q.rel.Table+" is empty because "+problem)
	}
	if command != "select" {
		// asSelect made a twin for select; the fix is applied to it.
		apply = slices.Clone(apply)
		for i := range apply {
			apply[i] = strings.Replace(apply[i], quoteMaybe(apply[i], pol.Name), "planvet_probe", 1)
		}
	}
	st, err := a.structure(q)
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	var before, after []float64
	var last [2]*plan.Plan
	var rows [2]plan.Outcome
	var reason string
	for spent := 0.0; len(before) < rewriteRounds && spent < slow; {
		if rows[0].RoundTrips == 0 {
			if rows[0], reason = a.rowsBefore(q, typical); reason != "" {
				return a.doubtful(v, reason)
			}
		}
		b, reason := a.before(q, typical)
		if reason != "" {
			return a.doubtful(v, reason)
		}
		if err := a.o.Server.Mark(a.ctx); err != nil {
			return a.doubtful(v, message(err))
		}
		for _, sql := range apply {
			if err := a.o.Server.Exec(a.ctx, sql); err != nil {
				return a.doubtful(v, "applying the fix: "+message(err))
			}
		}
		c, err := a.explain(analyzed(q, typical))
		if err != nil {
			return a.doubtful(v, a.runReason("running the statement after the fix", q, err))
		}
		if rows[1].RoundTrips == 0 {
			if rows[1], err = a.run(q.request(typical), [][]*string{nil}); err != nil {
				return a.doubtful(v, a.runReason("running the statement after the fix", q, err))
			}
		}
		if err := a.o.Server.Undo(a.ctx); err != nil {
			return a.doubtful(v, message(err))
		}
		spent += b.ExecutionMS + c.ExecutionMS
		before, after, last = append(before, b.ExecutionMS), append(after, c.ExecutionMS), [2]*plan.Plan{b, c}
	}
	v.Level = rules.Measured
	v.Before = &rules.Evidence{Cost: last[0].Root.TotalCost, MS: fastest(before), SharedBlocks: last[0].Blocks(), Access: access(last[0], q.rel)}
	v.After = &rules.Evidence{Cost: last[1].Root.TotalCost, MS: fastest(after), SharedBlocks: last[1].Blocks(), Access: access(last[1], q.rel)}
	// A busy machine bends one of the two: what decides must hold by both.
	quick, usual := 1-slices.Min(after)/max(slices.Min(before), 0.001), 1-median(after)/max(median(before), 0.001)
	gain, most := min(quick, usual), max(quick, usual)
	switch {
	case rows[0].Rows != rows[1].Rows || rows[0].Hash != rows[1].Hash:
		return a.doubtful(v, "the rewritten policy selects other rows")
	case st.path > 0 && (most < 0.1 || gain < 0.5 && !filters(last[0], q.rel)):
		// Without a filter no row is judged; what the clock shows then is noise.
		v.Status, v.Reason = rules.Refuted, "an index serves the policy ("+st.why+"), and the rewrite saves next to nothing"
	case most < 0.1:
		v.Status, v.Reason = rules.Refuted, "the rewrite saves less than a tenth of the time"
	case !initPlan(last[1]) || !filters(last[0], q.rel):
		return a.doubtful(v, "the plans do not show that the call moved out of the filter")
	case gain < 0.5:
		return a.doubtful(v, fmt.Sprintf("the rewrite saves %.0f %% of the time, less than half", max(gain, 0)*100))
	default:
		v.Status = rules.Confirmed
	}
	return v
}

// fastest is the run that the verdict rests on.
func fastest(ms []float64) float64 { return math.Round(slices.Min(ms)*1000) / 1000 }

// quoteMaybe is the form in which a statement names an object.
func quoteMaybe(sql, name string) string {
	if strings.Contains(sql, quote(name)) {
		return quote(name)
	}
	return name
}

// initPlan reports whether a plan evaluates something once, before its scans.
func initPlan(p *plan.Plan) bool {
	found := false
	p.Walk(func(n *plan.Node) { found = found || n.Relationship == "InitPlan" })
	return found
}

// filters reports whether each scan of the relation has a filter.
func filters(p *plan.Plan, rel plan.Relation) bool {
	scans := p.Accesses(rel.Schema, rel.Table, "")
	return len(scans) > 0 && !slices.ContainsFunc(scans, func(s plan.Access) bool { return s.Node.Filter == "" })
}
