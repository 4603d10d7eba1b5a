package engine

import (
	"slices"

	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Comparison is what a change brings.
type Comparison struct {
	// New are the findings of after that before did not have, in after's order: those
	// with an identity that is new, and those that became worse, from possible to
	// certain or to a higher severity.
	New []rules.Finding
	// Old counts the other findings of after; Gone are those of before that after no
	// longer has, at their places of then.
	Old  int
	Gone []rules.Finding
	// Statements are the statements of after that are new or changed, in order.
	Statements []ChangedStatement
	// Unparsed, Unresolved and NotApplied are those of after that before did not have.
	Unparsed, Unresolved, NotApplied []Problem
}

// ChangedStatement is a statement that a change brings.
type ChangedStatement struct {
	*sqllint.Statement
	// Was is the statement that stood at its place, by file and symbol; nil for a new one.
	Was *sqllint.Statement
}

// Compare tells what a change brings. renamed has the earlier path of renamed files.
//
//  1. Findings of before take the paths of now, and their identities anew: what a
//     renamed file had is not new in it.
//  2. A finding of after whose identity before has was there before, one for one: the
//     identity has the ordinal among equals. Of equals in one place the last are new.
//  3. A finding on a query that left one function or file for another, with the same
//     rule, object and fingerprint, moved: it was there before.
//  4. Statements likewise, by fingerprint, file and symbol.
func Compare(before, after *Result, renamed map[string]string) *Comparison {
	c := &Comparison{}
	now := map[string]string{}
	for to, from := range renamed {
		now[from] = to
	}
	old := slices.Clone(before.Findings)
	for i := range old {
		if to, ok := now[old[i].Location.Path]; ok {
			old[i].Location.Path = to
		}
	}
	rules.Sort(old)
	rules.SetIDs(old)
	was := map[string]*rules.Finding{}
	for i := range old {
		was[old[i].ID] = &old[i]
	}
	var unmatched []int
	kept := map[string]bool{}
	for i := range after.Findings {
		if w := was[after.Findings[i].ID]; w != nil {
			kept[w.ID] = true
			if worse(w, &after.Findings[i]) {
				c.New = append(c.New, after.Findings[i])
			}
			continue
		}
		unmatched = append(unmatched, i)
	}
	left := map[moveKey][]*rules.Finding{}
	for i := range old {
		if k, ok := moves(&old[i]); ok && !kept[old[i].ID] {
			left[k] = append(left[k], &old[i])
		}
	}
	for _, i := range unmatched {
		f := &after.Findings[i]
		if k, ok := moves(f); ok && len(left[k]) > 0 {
			w := left[k][0]
			left[k] = left[k][1:]
			kept[w.ID] = true
			if !worse(w, f) {
				continue
			}
		}
		c.New = append(c.New, *f)
	}
	rules.Sort(c.New)
	c.Old = len(after.Findings) - len(c.New)
	for i := range old {
		if !kept[old[i].ID] {
			f := old[i]
			if from, ok := renamed[f.Location.Path]; ok {
				f.Location.Path = from
			}
			c.Gone = append(c.Gone, f)
		}
	}
	c.Statements = changedStatements(before.Project, after.Project, renamed)
	c.Unparsed = newProblems(before.Unparsed, after.Unparsed, renamed)
	c.Unresolved = newProblems(before.Unresolved, after.Unresolved, renamed)
	c.NotApplied = newProblems(before.NotApplied, after.NotApplied, renamed)
	return c
}

// newProblems are those of after whose file and text before does not have as often.
func newProblems(before, after []Problem, renamed map[string]string) (out []Problem) {
	type key struct{ path, text string }
	had := map[key]int{}
	for _, p := range before {
		had[key{p.Location.Path, p.Text}]++
	}
	for _, p := range after {
		k := key{p.Location.Path, p.Text}
		if from, ok := renamed[k.path]; ok {
			k.path = from
		}
		if had[k]--; had[k] < 0 {
			out = append(out, p)
		}
	}
	return out
}

// worse reports whether a finding is more than it was.
func worse(was, is *rules.Finding) bool {
	return is.Severity.Rank() > was.Severity.Rank() || was.Certainty == rules.Possible && is.Certainty == rules.Certain
}

// moveKey is what stays of a finding on a query when its code moves.
type moveKey struct{ rule, schema, table, columns, role, fingerprint string }

func moves(f *rules.Finding) (moveKey, bool) {
	if f.Query == nil || f.Query.Fingerprint == "" {
		return moveKey{}, false
	}
	o := f.Object
	columns := ""
	for _, c := range o.Columns {
		columns += c + "\x00"
	}
	return moveKey{f.Rule, o.Schema, o.Table, columns, o.Role, f.Query.Fingerprint}, true
}

// changedStatements finds what is new in passes over what is not matched yet: the same
// fingerprint at the same place, the same fingerprint elsewhere (it moved), another at
// the same place (it changed), and what is left is new.
func changedStatements(before, after *Project, renamed map[string]string) []ChangedStatement {
	type place struct{ path, symbol string }
	at := func(s *sqllint.Statement, renamed map[string]string) place {
		file := s.Location.Path
		if from, ok := renamed[file]; ok {
			file = from
		}
		return place{file, s.Symbol}
	}
	taken := map[*sqllint.Statement]bool{}
	match := func(in []*sqllint.Statement, key func(s *sqllint.Statement, after bool) any, found func(s, was *sqllint.Statement)) []*sqllint.Statement {
		olds := map[any][]*sqllint.Statement{}
		for _, s := range before.Statements {
			if !taken[s] {
				k := key(s, false)
				olds[k] = append(olds[k], s)
			}
		}
		var left []*sqllint.Statement
		for _, s := range in {
			k := key(s, true)
			if len(olds[k]) == 0 {
				left = append(left, s)
				continue
			}
			taken[olds[k][0]] = true
			if found != nil {
				found(s, olds[k][0])
			}
			olds[k] = olds[k][1:]
		}
		return left
	}
	placed := func(s *sqllint.Statement, isAfter bool) place {
		if isAfter {
			return at(s, renamed)
		}
		return at(s, nil)
	}
	shown := slices.DeleteFunc(slices.Clone(after.Statements), func(s *sqllint.Statement) bool { return !after.shows(s.Location.Path) })
	left := match(shown, func(s *sqllint.Statement, isAfter bool) any {
		return [2]any{s.Fingerprint, placed(s, isAfter)}
	}, nil)
	left = match(left, func(s *sqllint.Statement, _ bool) any { return s.Fingerprint }, nil)
	var out []ChangedStatement
	left = match(left, func(s *sqllint.Statement, isAfter bool) any { return placed(s, isAfter) }, func(s, was *sqllint.Statement) {
		out = append(out, ChangedStatement{s, was})
	})
	for _, s := range left {
		out = append(out, ChangedStatement{s, nil})
	}
	slices.SortStableFunc(out, func(a, b ChangedStatement) int { return compareLocations(a.Location, b.Location) })
	return out
}
