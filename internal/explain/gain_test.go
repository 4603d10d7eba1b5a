package explain

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/report"
)

// TestWhatIsToGain: of a plan without findings the head says what the recommendation
// gains that was checked and lowers the cost most.
func TestWhatIsToGain(t *testing.T) {
	effects := func(before, after float64) (a, b *Effect) {
		return &Effect{Cost: before}, &Effect{Cost: after}
	}
	made := func(title, verified string, before, after float64) Recommendation {
		r := Recommendation{Kind: Index, Title: title, Verified: verified}
		r.Before, r.After = effects(before, after)
		return r
	}
	unverified := Recommendation{Kind: Index, Title: "keep the result"}
	for want, all := range map[string][]Recommendation{
		"no fault found in the plan": {unverified, made("an index on a (x)", Estimated, 10, 9.8), made("an index on a (y)", "", 400, 4)},
		"no fault above the thresholds, yet recommendation 3 makes it 51× cheaper: an index on a (z)": {unverified, made("an index on a (x)", Measured, 408, 100), made("an index on a (z)", Estimated, 408, 8)},
	} {
		r := &Report{SQL: "select 1", Recommendations: all}
		for name, write := range map[string]func(b *bytes.Buffer) error{
			"text":     func(b *bytes.Buffer) error { return Text(b, r, report.TextOptions{Width: 200}) },
			"markdown": func(b *bytes.Buffer) error { return Markdown(b, r) },
			"html":     func(b *bytes.Buffer) error { return HTML(b, r) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: %q is not in\n%.3000s", name, want, b.String())
			}
		}
	}
}
