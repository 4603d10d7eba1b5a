package nplusone_test

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/rules"
)

// render writes findings as the cases hold them.
func render(fs []rules.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", f.Location.Path, f.Location.Line, f.Location.Column, f.Certainty, f.Message)
		for _, r := range f.Related {
			fmt.Fprintf(&b, "  %s:%d: %s\n", r.Location.Path, r.Location.Line, r.Message)
		}
		if p := f.Probe; p != nil {
			fmt.Fprintf(&b, "  probe $%d: %s\n", p.ItemParam, strings.Join(strings.Fields(p.SetSQL), " "))
		}
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				fmt.Fprintf(&b, "  fix: %s\n", strings.Join(strings.Fields(s), " "))
			}
		}
	}
	return b.String()
}
