package engine

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

// objects apply what config says of a rule's findings on single objects:
//
//  1. what stands under the rule's name goes before what stands under its group's, and
//     that before what stands under all;
//  2. in one place the pattern with the fewest *, then the longest, then the first holds;
//  3. one whose day is past holds no more, and is reported.
type objects struct {
	p     *Project
	today string
	used  map[*config.Object]bool
}

func (p *Project) objects() *objects {
	return &objects{p, p.today(), map[*config.Object]bool{}}
}

// of is what holds for a finding; nil for most.
func (o *objects) of(f *rules.Finding) *config.Object {
	names := []string{f.Rule}
	if r := all.Lookup(f.Rule); r != nil {
		names = append(names, r.Group, all.Everything)
	}
	for _, name := range names {
		var best *config.Object
		list := o.p.Config.Rules[name].Objects
		for i := range list {
			c := &list[i]
			if !matchObject(c.Pattern, &f.Object) {
				continue
			}
			o.used[c] = true // an expired one is reported as that alone
			if past, _ := suppress.Past(c.Until, o.today); c.Until != "" && past {
				continue
			}
			if best == nil || cmp.Or(cmp.Compare(strings.Count(c.Pattern, "*"), strings.Count(best.Pattern, "*")), cmp.Compare(len(best.Pattern), len(c.Pattern))) < 0 {
				best = c
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// matchObject matches table, schema.table or schema.table.part.
func matchObject(pattern string, o *rules.Object) bool {
	want := strings.Split(pattern, ".")
	match := func(pattern, name string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok && name != ""
	}
	if len(want) == 1 {
		return match(want[0], o.Table) || match(want[0], o.Function)
	}
	schema := cmp.Or(o.Schema, "public")
	if !match(want[0], schema) {
		return false
	}
	if len(want) == 2 {
		return match(want[1], o.Table) || match(want[1], o.Function)
	}
	parts := append(slices.Clone(o.Columns), o.Policy, o.Index, o.Constraint)
	return match(want[1], o.Table) && slices.ContainsFunc(parts, func(p string) bool { return match(want[2], p) })
}

// faults are the findings on the entries themselves: expired ones, and, where the rule ran
// on everything, those that covered nothing.
func (o *objects) faults(ran func(rule string) bool) []rules.Finding {
	var out []rules.Finding
	for name, r := range o.p.Config.Rules {
		for i := range r.Objects {
			c := &r.Objects[i]
			at := rules.Location{Path: o.p.rel(o.p.Config.File), Line: c.Line}
			what := fmt.Sprintf("rules: %s: objects: %s", name, c.Pattern)
			if past, _ := suppress.Past(c.Until, o.today); c.Until != "" && past {
				out = append(out, suppress.Expired(what, c.Until, at))
			} else if !o.used[c] && o.ranAll(name, ran) {
				out = append(out, suppress.Unused(what, at))
			}
		}
	}
	return out
}

// ranAll reports whether every rule of a name, a rule's or a group's, ran on everything.
func (o *objects) ranAll(name string, ran func(rule string) bool) bool {
	for _, r := range all.All() {
		if all.Covers(name, r) && !r.Off && !ran(r.Name) {
			return false
		}
	}
	return true
}
