package monitor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/report"
)

const (
	// followsWithin is how far calls may be from a parent's rows, as a share of them: a
	// cache saves some, and an interval cuts loops in two.
	followsWithin = 0.1
	// followsTimes is how many calls there must be for each of the parent's, so that a
	// pair of statements that always go together is none.
	followsTimes = 20
)

// markFollowers flags those of the first statements that may be sent in a loop over
// another statement's rows. top are the statements of the first groups, in their order.
// Counters alone never prove a loop, so all of this must hold:
//
//  1. The child reads one table by equality; the parent reads rows, and is no
//     aggregate, whose rows are not what a loop goes over.
//  2. Both are sent at the same level, and by a role in common.
//  3. The child has as many calls as the parent has rows, within 10 %, and at least 20
//     times as many as the parent has calls.
//  4. A foreign key joins the child's table with one of the parent's: without it equal
//     counts are common chance in a database of many statements.
//
// Of several parents the one with the nearest number of rows is named.
func (m *merger) markFollowers(top []Query, least int64) {
	if m.shapes.cat == nil {
		return
	}
	joined := m.shapes.foreignKeys()
	for i := range top {
		child := &top[i]
		if child.Class != PrimaryKeyLookup && child.Class != Lookup || child.Calls < max(least, followsTimes) || len(child.Tables) != 1 {
			continue
		}
		best, off := -1, math.Inf(1)
		for k, g := range m.order {
			parent := g.sum
			if k == i || parent.TopLevel != child.TopLevel || child.Calls < followsTimes*parent.Calls || parent.Rows == 0 {
				continue
			}
			d := math.Abs(float64(child.Calls-parent.Rows)) / float64(parent.Rows)
			if d > followsWithin || d >= off || !share(m.order[i].users, g.users) {
				continue
			}
			// Most are not parsed yet, and few come so far.
			s := m.shapes.of(parent.Query)
			if hasRows(s.class) && slices.ContainsFunc(s.tables, func(t string) bool { return joined[[2]string{child.Tables[0], t}] }) {
				best, off = k, d
			}
		}
		if best < 0 {
			continue
		}
		parent := m.order[best]
		child.Flags = append(child.Flags, Flag{
			Name: "follows-rows-of", Value: float64(child.Calls), Limit: float64(parent.sum.Rows), Certainty: "possible",
			Of: cmp.Or(m.shapes.of(parent.sum.Query).fingerprint, parent.queryIDs()[0]),
			Message: fmt.Sprintf("#%d, possibly: %s for its %s (%s); a loop over them would be one query", best+1,
				report.Plural(int(child.Calls), "call"), report.Plural(int(parent.sum.Rows), "row"), report.Shorten(strings.Join(strings.Fields(parent.sum.Query), " "), 60)),
		})
	}
}

func hasRows(c Class) bool { return c == Lookup || c == RangeScan || c == FullScan || c == Join }

func share(a, b []int64) bool {
	return slices.ContainsFunc(a, func(u int64) bool { return slices.Contains(b, u) })
}

// foreignKeys are the pairs of tables that one joins, both ways.
func (s *Shapes) foreignKeys() map[[2]string]bool {
	if s.joined != nil {
		return s.joined
	}
	s.joined = map[[2]string]bool{}
	for _, r := range s.cat.Relations() {
		for _, c := range r.Constraints {
			if c.Kind == catalog.ForeignKey {
				a, b := r.Name.String(), c.References.String()
				s.joined[[2]string{a, b}], s.joined[[2]string{b, a}] = true, true
			}
		}
	}
	return s.joined
}
