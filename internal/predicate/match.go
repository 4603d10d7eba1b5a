package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
)

// usable says which conjuncts a path may rest on: those whose comparand is known
// when the scan starts.
type usable func(*Conjunct) bool

// path finds the best access path of a relation, nil when there is none.
//
//  1. A comparison with ctid needs no index.
//  2. An index serves when its leading key (btree, hash, gist, spgist) or any key
//     (gin, brin, other methods) has a conjunct that its operators serve, and its
//     predicate, if any, is implied. A partial index whose predicate is implied is
//     a path without any key.
//  3. An OR is served when every arm is, by whatever index.
//  4. A partitioned table is served by its partition key too, and by indexes that
//     each partition has by itself.
func (b *Block) path(rel *Rel, ok usable) *Path {
	if rel.Relation == nil {
		return nil
	}
	var best *Path
	consider := func(p *Path) {
		if p != nil && (best == nil || p.grade() > best.grade() || p.grade() == best.grade() && len(p.Used) > len(best.Used)) {
			best = p
		}
	}
	for i := range rel.Conjuncts {
		c := &rel.Conjuncts[i]
		switch {
		case !ok(c) || !b.may(rel, c):
		case c.Column == "ctid" && (c.Op == "=" || c.Op == "<" || c.Op == ">"):
			consider(&Path{Kind: TID, Used: []Conjunct{*c}})
		case b.prunes(rel, c):
			consider(&Path{Kind: Pruning, Used: []Conjunct{*c}})
		case c.Or != nil:
			consider(b.bitmap(rel, c, ok))
		}
	}
	for _, x := range b.resolver.indexes(rel) {
		consider(b.serve(rel, x, ok))
	}
	if best == nil && rel.Relation.Kind == catalog.PartitionedTable {
		best = b.everyPartition(rel, ok)
	}
	return best
}

func (p *Path) grade() Likelihood {
	if p.Kind == UniqueKey || p.Kind == TID {
		return Yes + 1
	}
	g := No
	for _, c := range p.Used {
		g = max(g, c.Selects)
	}
	if p.Kind == Implied {
		g = max(g, Maybe)
	}
	return g
}

// indexes are the indexes that a scan of the relation may use.
func (r *resolver) indexes(rel *Rel) []*catalog.Index {
	return r.tableIndexes(rel.Relation)
}

func (r *resolver) tableIndexes(t *catalog.Relation) []*catalog.Index {
	var out []*catalog.Index
	for _, x := range t.Indexes {
		if x.Valid && !x.ParentOnly {
			out = append(out, x)
		}
	}
	// A partition has its parent's indexes, whether or not the catalog lists them.
	for n := 0; t.PartitionOf != (catalog.Name{}) && n < 10; n++ {
		t = r.cat.Relation(t.PartitionOf.Schema, t.PartitionOf.Name)
		if t == nil {
			break
		}
		for _, x := range t.Indexes {
			if x.Valid && !x.ParentOnly {
				out = append(out, x)
			}
		}
	}
	return out
}

// everyPartition credits indexes that each partition has by itself.
func (b *Block) everyPartition(rel *Rel, ok usable) *Path {
	var first *Path
	for _, part := range b.resolver.partitions(rel.Relation) {
		var p *Path
		for _, x := range b.resolver.tableIndexes(part) {
			if q := b.serve(rel, x, ok); q != nil && (p == nil || q.grade() > p.grade()) {
				p = q
			}
		}
		if p == nil {
			return nil
		}
		if first == nil {
			first = p
		}
	}
	return first
}

func (r *resolver) partitions(t *catalog.Relation) []*catalog.Relation {
	if !r.byPart {
		r.byPart = true
		r.parts = map[catalog.Name][]*catalog.Relation{}
		for _, p := range r.cat.Relations() {
			if p.PartitionOf != (catalog.Name{}) {
				r.parts[p.PartitionOf] = append(r.parts[p.PartitionOf], p)
			}
		}
	}
	var leaves []*catalog.Relation
	for _, p := range r.parts[t.Name] {
		if p.Kind == catalog.PartitionedTable {
			leaves = append(leaves, r.partitions(p)...)
		} else {
			leaves = append(leaves, p)
		}
	}
	return leaves
}

// may reports whether row level security lets the conjunct be an index condition:
// where policies add quals, only a leakproof one of the user's may.
func (b *Block) may(rel *Rel, c *Conjunct) bool {
	return !rel.Security || c.FromPolicy || c.Leaky == ""
}

// serve matches one index.
func (b *Block) serve(rel *Rel, x *catalog.Index, ok usable) *Path {
	if x.Predicate != "" && !b.implied(rel, x.Predicate) {
		return nil
	}
	p := &Path{Index: x, Kind: LeadingKey}
	keys := x.Keys
	switch x.Method {
	case "btree", "":
		eq := 0
		for _, k := range keys {
			used, equal := b.onKey(rel, x, k, ok, eq > 0)
			p.Used = append(p.Used, used...)
			if !equal {
				break
			}
			eq++
		}
		if x.Unique && eq == len(keys) && eq > 0 {
			p.Kind = UniqueKey
		}
	case "hash", "spgist":
		if len(keys) > 0 {
			p.Used, _ = b.onKey(rel, x, keys[0], ok, false)
			for _, k := range keys[1:] {
				if len(p.Used) > 0 {
					more, _ := b.onKey(rel, x, k, ok, true)
					p.Used = append(p.Used, more...)
				}
			}
		}
	default: // gin, gist, brin and methods of extensions: any key
		p.Kind = AnyKey
		for _, k := range keys {
			used, _ := b.onKey(rel, x, k, ok, false)
			p.Used = append(p.Used, used...)
		}
	}
	if len(p.Used) == 0 {
		if x.Predicate == "" || x.Method == "hash" { // a hash index is never read whole
			return nil
		}
		p.Kind = Implied
	}
	return p
}

// onKey lists the conjuncts that a key serves; equal tells that one of them is an
// equality, so that the next key of a btree counts too. open is set where a key
// before this one opens the index: a leak then leaves it alive.
func (b *Block) onKey(rel *Rel, x *catalog.Index, k catalog.IndexKey, ok usable, open bool) (used []Conjunct, equal bool) {
	for i := range rel.Conjuncts {
		c := &rel.Conjuncts[i]
		if c.Or != nil || !ok(c) || !b.keyServes(rel, x, k, c) {
			continue
		}
		if !b.may(rel, c) {
			if !open {
				b.leak(rel, x, c)
			}
			continue
		}
		used = append(used, *c)
		equal = equal || c.Op == "=" || c.Op == "is null" || c.Op == "true" || c.Op == "false"
	}
	return used, equal
}

func (b *Block) leak(rel *Rel, x *catalog.Index, c *Conjunct) {
	for _, l := range rel.Leaks {
		if l.Index == x && l.Conjunct.Expr == c.Expr {
			return
		}
	}
	rel.Leaks = append(rel.Leaks, Leak{Conjunct: *c, Index: x, Function: c.Leaky})
}

// leading reports whether only the first key of such an index opens it.
func leading(method string) bool {
	switch method {
	case "btree", "", "hash", "spgist":
		return true
	}
	return false
}

// prunes reports whether the conjunct leaves some of the partitions only.
func (b *Block) prunes(rel *Rel, c *Conjunct) bool {
	t := rel.Relation
	if t.Kind != catalog.PartitionedTable || len(t.PartitionKeys) == 0 || !c.Sargable {
		return false
	}
	if c.Or != nil {
		return !slices.ContainsFunc(c.Or, func(arm []Conjunct) bool {
			return !slices.ContainsFunc(arm, func(x Conjunct) bool { return b.prunes(rel, &x) })
		})
	}
	for i, k := range t.PartitionKeys {
		if k != c.Column && k != c.KeyExpr || k == "" {
			continue
		}
		switch t.PartitionStrategy {
		case "hash":
			return (c.Op == "=" || c.Op == "is null") && len(t.PartitionKeys) == 1
		default:
			return (i == 0 || t.PartitionStrategy == "list") && (c.Op == "is null" || compares(c.Op))
		}
	}
	return false
}
