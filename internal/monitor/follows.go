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

// markFollowers flags lookups that may be sent in a loop over another statement's rows.
// out are the statements that groups became, in the same order. Counters alone never
// prove a loop, so all of this must hold:
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
func markFollowers(groups []*merged, out []Query, cat *catalog.Catalog, least int64) {
	if cat == nil {
		return
	}
	joined := foreignKeys(cat)
	for i := range out {
		child := &out[i]
		if child.Class != PrimaryKeyLookup && child.Class != Lookup || child.Calls < max(least, followsTimes) || len(child.Tables) != 1 {
			continue
		}
		best, off := -1, math.Inf(1)
		for k := range out {
			parent := &out[k]
			if k == i || !hasRows(parent.Class) || parent.TopLevel != child.TopLevel || child.Calls < followsTimes*parent.Calls || parent.Rows == 0 {
				continue
			}
			d := math.Abs(float64(child.Calls-parent.Rows)) / float64(parent.Rows)
			if d > followsWithin || d >= off || !share(groups[i].users, groups[k].users) {
				continue
			}
			if slices.ContainsFunc(parent.Tables, func(t string) bool { return joined[[2]string{child.Tables[0], t}] }) {
				best, off = k, d
			}
		}
		if best >= 0 {
			child.Flags = append(child.Flags, Flag{Name: "follows-rows-of", Value: float64(child.Calls), Limit: float64(out[best].Rows), Certainty: "possible", ofKey: trailKey(&out[best])})
		}
	}
}

func hasRows(c Class) bool { return c == Lookup || c == RangeScan || c == FullScan || c == Join }

func share(a, b map[int64]bool) bool {
	for u := range a {
		if b[u] {
			return true
		}
	}
	return false
}

// foreignKeys are the pairs of tables that one joins, both ways.
func foreignKeys(cat *catalog.Catalog) map[[2]string]bool {
	out := map[[2]string]bool{}
	for _, r := range cat.Relations() {
		for _, c := range r.Constraints {
			if c.Kind == catalog.ForeignKey {
				a, b := r.Name.String(), c.References.String()
				out[[2]string{a, b}], out[[2]string{b, a}] = true, true
			}
		}
	}
	return out
}

// nameFollowed writes the flags of followers, once ranks are known.
func nameFollowed(out []Query) {
	for i := range out {
		for k := range out[i].Flags {
			f := &out[i].Flags[k]
			if f.ofKey == "" {
				continue
			}
			at := slices.IndexFunc(out, func(q Query) bool { return trailKey(&q) == f.ofKey })
			if at < 0 {
				continue
			}
			parent := &out[at]
			f.Message = fmt.Sprintf("#%d, possibly: %s for its %s (%s); a loop over them would be one query", parent.Rank,
				report.Plural(int(f.Value), "call"), report.Plural(int(f.Limit), "row"), report.Shorten(strings.Join(strings.Fields(parent.SQL), " "), 60))
			f.Of = cmp.Or(parent.Fingerprint, parent.QueryIDs[0])
		}
	}
}
