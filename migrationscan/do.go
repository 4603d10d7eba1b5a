package migrationscan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

var ddlWord = regexp.MustCompile(`(?i)\b(?:create|alter|drop)\s`)

// block is a DO block that is being opened.
type block struct {
	r    *replayer
	body pgast.PLBody
	// at is the statement that is being applied; visits counts rows that were
	// looked at.
	at, visits int
	// rows are the answers of the loops' queries, by query and outer variables: a
	// loop asks once, whatever its body changes.
	rows map[string]answer
	// conds are the values of conditions, kept in the same way.
	conds map[string]any
}

// do opens a DO block:
//
//  1. Conditions and the queries of FOR loops are answered from the catalog as it
//     stands. What lies behind a false condition is left out.
//  2. An EXECUTE is followed where its text can be worked out, once a row of the
//     loops around it.
//  3. Behind a condition that cannot be answered, in CASE and in handlers, a
//     statement is applied where it can be and is silent where it cannot: the
//     branch guards against just that.
func (r *replayer) do(x *pgast.Do) error {
	if x.Language != "" && x.Language != "plpgsql" {
		return nil
	}
	if r.depth >= maxDepth {
		return fail("DO blocks are nested too deeply")
	}
	body, err := pgast.PLpgSQL(nil, x.Body)
	if err != nil {
		return fail("reading the body: %v", err)
	}
	base, inexact, quiet, current := r.base, r.inexact, r.quiet, r.current
	r.depth++
	defer func() {
		r.depth--
		r.base, r.inexact, r.quiet, r.current = base, inexact, quiet, current
	}()
	b := &block{r: r, body: body, rows: map[string]answer{}, conds: map[string]any{}}
	for i, s := range body.Stmts {
		b.at = i
		r.base, r.inexact = base, inexact
		switch {
		case x.BodyPos < 0 || inexact:
			r.inexact = true
		case s.Err != nil:
			r.base = base + x.BodyPos
		case s.Offset >= 0:
			r.base = base + x.BodyPos + s.Offset
		default: // made up: the place is that of the plpgsql statement
			r.base, r.inexact = base+x.BodyPos+s.At, true
		}
		r.quiet = quiet || s.Caught || s.Branch && len(s.Conds) == 0
		b.statement(s, r.quiet)
	}
	return nil
}

// statement applies one statement of a block.
func (b *block) statement(s pgast.PLStmt, quiet bool) {
	r := b.r
	switch {
	case s.Expr:
		return
	case s.Err != nil && !s.Dynamic:
		if !r.platform {
			r.res.Unparsed = append(r.res.Unparsed, r.problem(s.Err.Offset, s.Err.Msg))
		}
		return
	}
	runs, sure := b.runs(s)
	if sure && len(runs) == 0 {
		return
	}
	if s.Dynamic {
		b.dynamic(s, runs, sure, quiet)
		return
	}
	if s.Stmt == nil {
		return
	}
	certain := false
	for _, run := range runs {
		certain = certain || run.certain
	}
	r.quiet = quiet || !certain
	r.current = s.Text
	r.report(r.apply(s.Stmt))
}

// run is one pass through the loops around a statement.
type run struct {
	vars map[string]any
	// certain is set where every condition is known to hold.
	certain bool
}

// runs works out how often a statement runs, with which loop variables. sure is
// false where a loop's query cannot be answered.
func (b *block) runs(s pgast.PLStmt) (out []run, sure bool) {
	envs := []map[string]any{{}}
	for _, q := range s.Queries {
		var next []map[string]any
		for _, vars := range envs {
			a := b.query(q, vars)
			if !a.sure {
				return []run{{vars: map[string]any{}}}, false
			}
			for _, row := range a.rows {
				next = append(next, b.bind(q, vars, row, a.names))
			}
		}
		envs = next
	}
	for _, vars := range envs {
		switch v := b.holds(s.Conds, vars); v {
		case true:
			out = append(out, run{vars, !s.Loop || len(s.Queries) > 0})
		case false, nil:
		default:
			out = append(out, run{vars, false})
		}
	}
	return out, true
}

func (b *block) asker(vars map[string]any) *asker {
	return &asker{r: b.r, block: b, at: b.at, vars: vars, params: b.body.Vars, visits: &b.visits, ctes: map[string][]sysRow{}}
}

// assigned is the value that a variable was given last before a statement, where
// that is certain: by := at its declaration or on the same path, never by INTO.
func (b *block) assigned(name string, before int, vars map[string]any) any {
	for _, v := range b.body.Vars {
		if v.Name == name && (v.Into || v.Kind != "declare") {
			return unknown{}
		}
	}
	for i := before - 1; i >= 0; i-- {
		s := b.body.Stmts[i]
		if s.Target != name {
			continue
		}
		q, ok := s.Stmt.(*pgast.Select)
		if !ok || len(q.Targets) != 1 || !samePath(s, b.body.Stmts[before]) {
			return unknown{}
		}
		a := b.asker(vars)
		a.at = i
		return a.eval(q.Targets[0].Expr)
	}
	return unknown{}
}

// samePath reports whether a statement runs whenever a later one does.
func samePath(s, later pgast.PLStmt) bool {
	return len(s.Conds) <= len(later.Conds) && slices.Equal(s.Conds, later.Conds[:len(s.Conds)]) &&
		len(s.Queries) <= len(later.Queries) && slices.Equal(s.Queries, later.Queries[:len(s.Queries)])
}

// query answers the query of a loop.
func (b *block) query(q int, vars map[string]any) answer {
	key := passKey(q, vars)
	a, ok := b.rows[key]
	if !ok {
		if st := b.body.Stmts[q].Stmt; st != nil {
			a = b.asker(vars).ask(st)
		}
		b.rows[key] = a
	}
	return a
}

// passKey tells the passes through a statement apart by the loop variables.
func passKey(stmt int, vars map[string]any) string {
	names := slices.Sorted(maps.Keys(vars))
	key := itoa(stmt)
	for _, n := range names {
		key += fmt.Sprintf("\x00%s=%v", n, vars[n])
	}
	return key
}

// bind adds the variables that a loop sets from a row.
func (b *block) bind(q int, vars map[string]any, row map[string]any, names []string) map[string]any {
	out := make(map[string]any, len(vars)+len(names)+1)
	for k, v := range vars {
		out[k] = v
	}
	var targets []string
	for _, v := range b.body.Vars {
		if v.Kind == "for" && v.Query == q {
			targets = append(targets, v.Name)
		}
	}
	for i, t := range targets {
		if len(targets) == len(names) {
			out[t] = row[names[i]]
		}
		if len(targets) == 1 {
			for _, n := range names {
				out[t+"."+n] = row[n]
			}
		}
	}
	return out
}

// holds evaluates the conditions around a statement: true, false, NULL or unknown.
func (b *block) holds(conds []pgast.PLCond, vars map[string]any) any {
	var out any = true
	for _, c := range conds {
		v := b.condition(c.Stmt, vars)
		if c.Not && (v == nil || v == true || v == false) {
			v = v != true // ELSE also follows NULL
		}
		switch v {
		case false, nil:
			return false
		case true:
		default:
			out = unknown{}
		}
	}
	return out
}

// condition is a condition's value when it was met first.
func (b *block) condition(stmt int, vars map[string]any) any {
	s, ok := b.body.Stmts[stmt].Stmt.(*pgast.Select)
	if !ok || len(s.Targets) != 1 {
		return unknown{}
	}
	key := passKey(stmt, vars)
	v, ok := b.conds[key]
	if !ok {
		v = b.asker(vars).eval(s.Targets[0].Expr)
		b.conds[key] = v
	}
	return v
}

// dynamic follows an EXECUTE whose text is put together.
func (b *block) dynamic(s pgast.PLStmt, runs []run, sure, quiet bool) {
	r := b.r
	e, err := pgast.ParseExpr(s.Text)
	missed := err != nil || !sure
	if !missed {
		for _, run := range runs {
			sql, ok := b.asker(run.vars).eval(e).(string)
			if !ok {
				missed = true
				continue
			}
			r.quiet, r.inexact = quiet || !run.certain, true
			r.texts(sql)
		}
	}
	if r.quiet = quiet; missed && ddlWord.MatchString(s.Text) && !r.platform {
		r.res.NotApplied = append(r.res.NotApplied, r.problem(0, "EXECUTE of a text that is known only at run time"))
	}
}

// texts applies the statements of an EXECUTE.
func (r *replayer) texts(sql string) {
	for _, p := range pgast.ParseFile(sql) {
		if p.Err != nil {
			if !r.platform && !r.quiet {
				r.res.Unparsed = append(r.res.Unparsed, r.problem(0, strings.TrimSpace(p.Err.Msg)))
			}
			continue
		}
		r.current = p.Text
		r.report(r.apply(p.Stmt))
	}
}
