package report

import (
	"testing"

	"github.com/planvet/planvet/internal/report/browsertest"
	"github.com/planvet/planvet/rules"
)

// The page stands in a browser by its own policy, on a phone too, whatever is found.
func TestFindingsPage(t *testing.T) {
	b := browsertest.Start(t)
	evil := sample()
	for i := range evil.Findings {
		f := &evil.Findings[i]
		f.Message, f.SpecRef = evilMarkup+f.Message, evilMarkup
		f.Fix = &rules.Fix{SQL: []string{evilMarkup}, Note: evilMarkup}
	}
	for name, d := range map[string]*Document{"sample": sample(), "clean": clean(), "evil": evil, "hostile": hostile(), "many": many(2_000)} {
		t.Run(name, func(t *testing.T) {
			page, _ := writtenBy(t, "html", d, nil)
			for _, v := range []browsertest.View{{Width: 1200, Height: 800}, {Width: 360, Height: 700}} {
				p := b.Open(t, []byte(page), v)
				var seen struct {
					Findings, Carets int
					Wide             bool
				}
				p.Eval(`({Findings: document.querySelectorAll(".finding").length, Carets: document.querySelectorAll(".caret").length,
					Wide: document.documentElement.scrollWidth > innerWidth})`, &seen)
				if want := len(standing(d)); seen.Findings != want || seen.Wide {
					t.Errorf("%d px: %+v, want %d findings", v.Width, seen, want)
				}
				if name == "sample" && seen.Carets != 5 {
					t.Errorf("%d carets", seen.Carets)
				}
				if logged := p.Logged(); len(logged) > 0 {
					t.Errorf("the browser says %v", logged)
				}
			}
		})
	}
}
