package predicate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// Need is one use that wants an index on a relation.
type Need struct {
	Relation *catalog.Relation
	// Equality and Range are keys by role; Sort comes between them. Equality keys
	// may stand in any order.
	Equality, Range []Key
	Sort            []SortKey
	// Policy are keys that policies compare: they lead.
	Policy []Key
	// Method is gin or gist where btree does not serve, brin where it does for less;
	// "" is btree.
	Method string
	// Where is a partial index's predicate in normal form; "" for none.
	Where string
	// Include are columns to carry along, so that the table need not be read.
	Include []string
	// ID is the caller's.
	ID int
}

// Key is a column, or an expression in normal form where Expr is set.
type Key struct{ Column, Expr, OpClass string }

// SortKey is a key with a direction.
type SortKey struct {
	Key
	Desc, NullsFirst bool
}

// Suggestion is one index.
type Suggestion struct {
	Relation *catalog.Relation
	// DDL is the CREATE INDEX statement, without a semicolon and without
	// CONCURRENTLY.
	DDL string
	// Columns are the keys' columns.
	Columns []string
	// Extends is an index whose keys the new one begins with: it can be dropped
	// then.
	Extends *catalog.Index
	// Needs are the IDs of the needs that it serves.
	Needs []int
	// Cost says what a write pays.
	Cost string
}

// maxKeys bounds the equality keys of a suggested index: beyond, a key costs more
// than it selects.
const maxKeys = 3

// candidate is an index in the making: groups of equality keys whose inner order
// is free, then a tail whose order is not.
type candidate struct {
	rel    *catalog.Relation
	method string
	where  string
	groups [][]Key
	tail   []SortKey
	// include are columns that are carried along; such a candidate serves one need.
	include []string
	needs   []int
}

// Suggest finds a small set of indexes that serves every need.
//
//  1. A need is policy keys, equality keys in any order, sort keys, one range.
//  2. Needs are taken longest first. One whose keys are a prefix of a candidate,
//     up to the order that the candidate leaves free, is served by it, and fixes
//     that order.
//  3. A candidate that starts with an existing index's keys extends it.
func Suggest(workload []Need) []Suggestion {
	needs := slices.Clone(workload)
	slices.SortStableFunc(needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Relation.Name.String(), b.Relation.Name.String()), cmp.Compare(b.width(), a.width()),
			cmp.Compare(a.text(), b.text()))
	})
	var cands []*candidate
	first := 0 // candidates of this relation start here
	for i, n := range needs {
		if i > 0 && needs[i-1].Relation != n.Relation {
			first = len(cands)
		}
		served := false
		for _, c := range cands[first:] {
			if c.take(n) {
				served = true
				break
			}
		}
		if !served && n.width() > 0 {
			cands = append(cands, newCandidate(n))
		}
	}
	var out []Suggestion
	for _, c := range cands {
		out = append(out, c.suggestion())
	}
	return out
}

func (n Need) width() int {
	return len(n.Policy) + len(n.Equality) + len(n.Sort) + min(1, len(n.Range))
}

// Empty reports whether the need names no key at all.
func (n Need) Empty() bool { return n.width() == 0 }

func (n Need) text() string {
	return fmt.Sprint(n.Method, n.Where, n.Policy, n.Equality, n.Sort, n.Range, n.Include)
}

// equality are the policy's and the need's own keys, cut to what pays.
func (n Need) equality() [][]Key {
	var out [][]Key
	seen := map[Key]bool{}
	take := func(ks []Key, room int) {
		var g []Key
		for _, k := range ks {
			if !seen[k] && len(g) < room {
				seen[k] = true
				g = append(g, k)
			}
		}
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	take(n.Policy, maxKeys)
	take(n.Equality, maxKeys)
	return out
}

func (n Need) rest() []SortKey {
	tail := slices.Clone(n.Sort)
	if len(n.Range) > 0 && !slices.ContainsFunc(tail, func(s SortKey) bool { return s.Key == n.Range[0] }) {
		tail = append(tail, SortKey{Key: n.Range[0]})
	}
	return tail
}

func newCandidate(n Need) *candidate {
	return &candidate{
		rel: n.Relation, method: n.Method, where: n.Where, groups: n.equality(), tail: n.rest(), include: n.Include, needs: []int{n.ID},
	}
}

// take serves a need by the candidate when it can, splitting a free group where
// the need wants a part of it first.
func (c *candidate) take(n Need) bool {
	if c.method != n.Method || c.where != n.Where || !slices.Equal(c.include, n.Include) {
		return false
	}
	want := map[Key]bool{}
	for _, g := range n.equality() {
		for _, k := range g {
			want[k] = true
		}
	}
	tail := n.rest()
	var groups [][]Key
	i := 0
	for ; i < len(c.groups) && len(want) > 0; i++ {
		var in, out []Key
		for _, k := range c.groups[i] {
			if want[k] {
				in = append(in, k)
				delete(want, k)
			} else {
				out = append(out, k)
			}
		}
		if len(in) == 0 || len(out) > 0 && len(want) > 0 {
			return false
		}
		groups = append(groups, in)
		if len(out) > 0 {
			if len(tail) > 0 && !(len(tail) == 1 && len(out) >= 1 && slices.Contains(out, tail[0].Key)) {
				return false
			}
			groups = append(groups, out)
		}
	}
	if len(want) > 0 {
		return false
	}
	rest := append(slices.Clone(groups), c.groups[i:]...)
	if len(tail) > 0 {
		covered := len(groups) == i && i == len(c.groups) && len(tail) <= len(c.tail) && slices.Equal(tail, c.tail[:len(tail)])
		if !covered {
			return false
		}
	}
	c.groups = rest
	if !slices.Contains(c.needs, n.ID) {
		c.needs = append(c.needs, n.ID)
	}
	return true
}

func (c *candidate) keys() []SortKey {
	var out []SortKey
	for _, g := range c.groups {
		for _, k := range g {
			out = append(out, SortKey{Key: k})
		}
	}
	return append(out, c.tail...)
}

func (c *candidate) suggestion() Suggestion {
	keys := c.keys()
	s := Suggestion{Relation: c.rel, Needs: c.needs}
	var parts []string
	for _, k := range keys {
		t := quoteIdent(k.Column)
		if k.Expr != "" {
			t = "(" + k.Expr + ")"
		} else {
			s.Columns = append(s.Columns, k.Column)
		}
		if k.OpClass != "" {
			t += " " + k.OpClass
		}
		if k.Desc {
			t += " desc"
		}
		if k.NullsFirst != k.Desc {
			t += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
		parts = append(parts, t)
	}
	using := ""
	if c.method != "" && c.method != "btree" {
		using = "using " + c.method + " "
	}
	s.DDL = "create index on " + quoteName(c.rel.Name) + " " + using + "(" + strings.Join(parts, ", ") + ")"
	if len(c.include) > 0 {
		var cols []string
		for _, col := range c.include {
			cols = append(cols, quoteIdent(col))
		}
		s.DDL += " include (" + strings.Join(cols, ", ") + ")"
	}
	if c.where != "" {
		s.DDL += " where " + c.where
	}
	s.Extends = c.extends(keys)
	n := 0
	for _, x := range c.rel.Indexes {
		if x.Valid {
			n++
		}
	}
	s.Cost = fmt.Sprintf("%s has %s; each insert maintains one more", c.rel.Name.Name, plural(n, "index", "indexes"))
	if s.Extends != nil {
		s.Cost = fmt.Sprintf("it replaces %s, whose keys it starts with", s.Extends.Name)
	}
	return s
}

// extends finds an index that the candidate makes redundant: not unique, without
// predicate or included columns of its own.
func (c *candidate) extends(keys []SortKey) *catalog.Index {
	for _, x := range c.rel.Indexes {
		if x.Unique || x.Constraint || !x.Valid || x.Predicate != c.where || len(x.Include) > 0 || len(x.Keys) >= len(keys) ||
			x.Method != "btree" || c.method != "" {
			continue
		}
		same := true
		for i, k := range x.Keys {
			w := keys[i]
			same = same && k.Column == w.Column && k.Expr == w.Expr && k.Desc == w.Desc && k.OpClass == w.OpClass && k.Collation == ""
		}
		if same {
			return x
		}
	}
	return nil
}
