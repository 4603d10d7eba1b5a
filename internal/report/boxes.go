package report

import "github.com/planvet/planvet/rules"

// Box is one line of the checklist, and the rules whose findings untick it.
type Box struct {
	Title string
	Rules []string
}

// Boxes are the lines of the checklist in order, with those of the rules that belong to
// each. A rule on loops belongs to one box for what reads and to another for what writes.
func Boxes(names []string) []Box {
	var out []Box
	for _, b := range boxes {
		box := Box{Title: b.title}
		for _, name := range names {
			reads := &rules.Finding{Rule: name}
			writes := &rules.Finding{Rule: name, Query: &rules.Query{Text: "insert into t (a) values ($1)"}}
			if b.holds != nil && (b.holds(reads) || b.holds(writes)) {
				box.Rules = append(box.Rules, name)
			}
		}
		out = append(out, box)
	}
	return out
}
