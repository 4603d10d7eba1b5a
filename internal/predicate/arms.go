package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
)

// bitmap serves an OR whose every arm has an index.
func (b *Block) bitmap(rel *Rel, c *Conjunct, ok usable) *Path {
	if !c.Sargable {
		return nil
	}
	p := &Path{Kind: Bitmap, Used: []Conjunct{*c}}
	for _, arm := range c.Or {
		x := b.armIndex(rel, arm, ok)
		if x == nil {
			return nil
		}
		if !slices.Contains(p.Indexes, x) {
			p.Indexes = append(p.Indexes, x)
		}
	}
	return p
}

// armIndex is an index that serves one arm of an OR; nil when none does. A partial
// index whose predicate the arm implies, and the quals around do not, serves it
// without a key: the quals around are index conditions then.
func (b *Block) armIndex(rel *Rel, arm []Conjunct, ok usable) *catalog.Index {
	for _, x := range b.resolver.indexes(rel) {
		if x.Predicate != "" && x.Method != "hash" && b.knownArm(rel, arm, ok) && !b.implied(rel, x.Predicate) && b.armImplies(rel, arm, x.Predicate) {
			return x
		}
	}
	for i := range arm {
		c := &arm[i]
		if !ok(c) || !b.may(rel, c) {
			continue
		}
		if c.Or != nil {
			if p := b.bitmap(rel, c, ok); p != nil {
				return p.Indexes[0]
			}
			continue
		}
		for _, x := range b.resolver.indexes(rel) {
			if x.Predicate != "" && !b.implied(rel, x.Predicate) && !b.armImplies(rel, arm, x.Predicate) {
				continue
			}
			for j, k := range x.Keys {
				if j > 0 && leading(x.Method) {
					break
				}
				if b.keyServes(rel, x, k, c) {
					return x
				}
			}
		}
	}
	return nil
}

// knownArm reports whether all of an arm may be evaluated when the scan starts.
func (b *Block) knownArm(rel *Rel, arm []Conjunct, ok usable) bool {
	for i := range arm {
		if !ok(&arm[i]) || !b.may(rel, &arm[i]) {
			return false
		}
	}
	return len(arm) > 0
}

func (b *Block) armImplies(rel *Rel, arm []Conjunct, predicate string) bool {
	pred := b.resolver.text(predicate)
	if isNil(pred) {
		return false
	}
	qs := slices.Clone(rel.known)
	for _, c := range arm {
		if e := b.known(c.Expr, rel); !isNil(e) {
			qs = append(qs, e)
		}
	}
	return mayImply(qs, pred, b.resolver.types(rel))
}
