package explain

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/stats"
)

// proposal is an index that may help.
type proposal struct {
	predicate.Suggestion
	need predicate.Need
	// name is given to those that are recommended; DDL has none.
	name string
	// missing is set where the statement has no access path without it.
	missing bool
	// weight is by what its cost counts more than that of a plain B-tree: what holds
	// only for this statement must give more.
	weight float64
}

// option are proposals that only help together: an index for each arm of an OR.
type option []*proposal

// Weights: a partial index serves one constant alone, included columns make each
// entry larger, and BRIN is next to nothing to keep.
const (
	weightPartial = 1.5
	weightInclude = 2
	weightBRIN    = 0.8
)

// maxCandidates bounds what is built on the twin.
const maxCandidates = 48

// candidates are what predicate's analysis of the statement, with the policies of its
// role, wants; see predicate.Rel.Wants.
func (p *prover) candidates() []option {
	s := p.s
	an := predicate.Analyze(s.cat, s.tree, predicate.Options{
		Role: p.role(), RoleKnown: true, Policies: true, SearchPath: p.likeness.Schema.SearchPath,
		Sizes: p.likeness.Stats.Sizes(s.cat.Stats), Major: p.likeness.Schema.Major,
	})
	var out []option
	seen := map[string]bool{}
	id := 0
	for _, b := range an.Blocks {
		for _, rel := range b.Rels {
			if rel.Relation == nil || !slices.Contains([]catalog.Kind{catalog.Table, catalog.PartitionedTable, catalog.MaterializedView}, rel.Relation.Kind) || rel.Small {
				continue
			}
			id++
			missing := rel.Gap != nil || b.OrderGap != nil && b.OrderGap.Rel == rel
			add := func(needs ...predicate.Need) {
				o, key := option{}, ""
				for _, n := range needs {
					one := p.propose(n)
					if one == nil && len(needs) > 1 {
						continue // this arm has its index
					}
					if one == nil {
						return
					}
					one.missing = missing
					key += one.DDL + "\x00"
					o = append(o, one)
				}
				if len(o) > 0 && !seen[key] {
					seen[key] = true
					out = append(out, o)
				}
			}
			table := p.likeness.Stats.Table(rel.Relation.Schema, rel.Relation.Name.Name)
			for _, needs := range rel.Wants(id) {
				for i := range needs {
					needs[i].Equality = bySelectivity(table, needs[i].Equality)
				}
				add(needs...)
				if len(needs) > 1 {
					continue
				}
				for _, n := range variants(rel, table, needs[0]) {
					add(n)
				}
				if n, ok := covering(s.tree, rel, table, needs[0]); ok {
					add(n)
				}
			}
		}
	}
	// An index for each arm of an OR is there for others too; what is first is widest.
	n := 0
	for i, o := range out {
		if n += len(o); n > maxCandidates {
			return out[:i]
		}
	}
	return out
}

// propose makes the DDL of one need; nil where an index that is there begins with its
// keys.
func (p *prover) propose(n predicate.Need) *proposal {
	all := predicate.Suggest([]predicate.Need{n})
	if len(all) != 1 {
		return nil
	}
	out := &proposal{Suggestion: all[0], need: n, weight: 1}
	if n.Where != "" {
		out.weight *= weightPartial
	}
	if len(n.Include) > 0 {
		out.weight *= weightInclude
	}
	if n.Method == "brin" {
		out.weight *= weightBRIN
	}
	if covered(n.Relation, n) {
		return nil
	}
	return out
}

// covered reports whether a valid index begins with the keys of a need in their order.
func covered(rel *catalog.Relation, n predicate.Need) bool {
	var want []predicate.SortKey
	for _, ks := range [][]predicate.Key{n.Policy, n.Equality} {
		for _, k := range ks {
			want = append(want, predicate.SortKey{Key: k})
		}
	}
	want = append(want, n.Sort...)
	if len(n.Range) > 0 && len(n.Sort) == 0 {
		want = append(want, predicate.SortKey{Key: n.Range[0]})
	}
	return slices.ContainsFunc(rel.Indexes, func(x *catalog.Index) bool {
		if !x.Valid || x.Predicate != "" && x.Predicate != n.Where || len(x.Keys) < len(want) || cmp.Or(n.Method, "btree") != x.Method {
			return false
		}
		for i, k := range want {
			have := x.Keys[i]
			if have.Column != k.Column || have.Expr != k.Expr || have.OpClass != k.OpClass || len(n.Sort) > 0 && (have.Desc != k.Desc || have.NullsFirst != k.NullsFirst) {
				return false
			}
		}
		for _, c := range n.Include {
			if !slices.Contains(x.Include, c) && !slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == c }) {
				return false
			}
		}
		return true
	})
}

// bySelectivity puts the keys with the most distinct values first.
func bySelectivity(t *stats.Table, keys []predicate.Key) []predicate.Key {
	out := slices.Clone(keys)
	slices.SortStableFunc(out, func(a, b predicate.Key) int { return cmp.Compare(distinct(t, b.Column), distinct(t, a.Column)) })
	return out
}

func column(t *stats.Table, name string) *stats.Column {
	if t != nil {
		for i := range t.Columns {
			if t.Columns[i].Name == name {
				return &t.Columns[i]
			}
		}
	}
	return nil
}

func distinct(t *stats.Table, name string) float64 {
	c := column(t, name)
	switch {
	case c == nil:
		return 0
	case c.Distinct < 0:
		return -c.Distinct * t.Rows
	}
	return c.Distinct
}

const (
	// maxIncluded and maxWidth bound what an index carries along.
	maxIncluded = 3
	maxWidth    = 24
)

// covering adds to a B-tree need the columns that the statement reads beside its
// keys, where they are few and narrow and all of them are known.
func covering(tree pgast.Stmt, rel *predicate.Rel, t *stats.Table, n predicate.Need) (predicate.Need, bool) {
	if n.Method != "" || n.Where != "" || rel.Target || t == nil || rel.ViaView {
		return n, false
	}
	read, ok := columnsRead(tree, rel)
	if !ok {
		return n, false
	}
	keys := map[string]bool{}
	for _, ks := range [][]predicate.Key{n.Policy, n.Equality, n.Range} {
		for _, k := range ks {
			keys[k.Column] = true
		}
	}
	for _, k := range n.Sort {
		keys[k.Column] = true
	}
	width := 0
	for _, c := range read {
		if keys[c] {
			continue
		}
		s := column(t, c)
		if s == nil {
			return n, false
		}
		width += s.Width
		n.Include = append(n.Include, c)
	}
	return n, len(n.Include) > 0 && len(n.Include) <= maxIncluded && width <= maxWidth
}

// columnsRead are the columns of a relation that a statement, or a policy, names, in
// the relation's order; ok is false where it reads whole rows.
func columnsRead(tree pgast.Stmt, rel *predicate.Rel) (out []string, ok bool) {
	named, ok := map[string]bool{}, true
	pgast.Walk(tree, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.ColumnRef:
			if len(n.Names) == 0 {
				ok = false
				return false
			}
			last := n.Names[len(n.Names)-1]
			switch {
			case n.Star:
				ok = ok && last != rel.Alias
			case len(n.Names) == 1 && last == rel.Alias:
				ok = false
			case len(n.Names) == 1 || n.Names[len(n.Names)-2] == rel.Alias:
				named[last] = true
			}
		case *pgast.Select:
			if len(n.Locking) > 0 {
				ok = false
			}
		}
		return ok
	})
	for _, c := range rel.Conjuncts {
		for _, name := range c.Columns {
			named[name] = true
		}
	}
	for _, c := range rel.Relation.Columns {
		if named[c.Name] {
			out = append(out, c.Name)
		}
	}
	return out, ok
}
