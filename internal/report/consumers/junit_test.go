package consumers

import (
	"strconv"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/planvet/planvet/rules"
)

func TestJUnit(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		suites, err := junit.Ingest(r.outputs["junit"])
		if err != nil {
			t.Fatal(err)
		}
		cases := map[string]junit.Test{}
		failed, skipped := 0, 0
		for _, s := range suites {
			if s.Totals.Error > 0 {
				t.Errorf("%s has errors", s.Name)
			}
			for _, c := range s.Tests {
				key := s.Name + "\x00" + c.Properties["file"] + "\x00" + c.Properties["line"]
				if c.Properties["file"] == "" {
					continue // a rule that found nothing
				}
				cases[key] = c
				switch c.Status {
				case junit.StatusFailed:
					failed++
				case junit.StatusSkipped:
					skipped++
				}
			}
		}
		wantFailed := 0
		for _, f := range r.findings {
			c, ok := cases[f.Rule+"\x00"+r.prefix+f.Location.Path+"\x00"+strconv.Itoa(f.Location.Line)]
			if !ok {
				t.Errorf("%s at %s:%d is no case", f.Rule, f.Location.Path, f.Location.Line)
				continue
			}
			want := junit.StatusSkipped
			if f.Severity != rules.Info && f.Certainty == rules.Certain && f.Verdict.Status != rules.Refuted {
				want = junit.StatusFailed
				wantFailed++
			}
			if c.Status != want || !strings.HasPrefix(c.Name, f.Message) || c.Classname != r.prefix+f.Location.Path {
				t.Errorf("%s: the case %s of %s is %s, want %s", f.Rule, c.Name, c.Classname, c.Status, want)
			}
			if c.Status == junit.StatusFailed && (c.Error == nil || !strings.Contains(c.Error.Error(), string(f.Severity)+": "+f.Message)) {
				t.Errorf("%s fails with %v", f.Rule, c.Error)
			}
		}
		if failed != wantFailed || failed == 0 || failed+skipped != len(r.findings) {
			t.Errorf("%d failed and %d skipped, want %d and %d", failed, skipped, wantFailed, len(r.findings)-wantFailed)
		}
	})
}
