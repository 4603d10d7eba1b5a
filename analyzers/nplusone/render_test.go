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
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s: %s\n", f.Location.Path, f.Location.Line, f.Location.Column, f.Rule, f.Certainty, f.Message)
		for _, r := range f.Related {
			fmt.Fprintf(&b, "  %s:%d: %s\n", r.Location.Path, r.Location.Line, r.Message)
		}
		if p := f.Probe; p != nil {
			params := "$0"
			for i, n := range p.ItemParams {
				params = map[bool]string{true: "", false: params + " "}[i == 0] + fmt.Sprintf("$%d", n)
			}
			fmt.Fprintf(&b, "  probe %s: %s\n", params, strings.Join(strings.Fields(p.SetSQL), " "))
		}
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				fmt.Fprintf(&b, "  fix: %s\n", strings.Join(strings.Fields(s), " "))
			}
		}
	}
	return b.String()
}
