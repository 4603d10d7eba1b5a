package consumers

import (
	"bytes"
	"strings"
	"testing"

	"github.com/reviewdog/reviewdog/parser"
	"github.com/reviewdog/reviewdog/proto/rdf"
)

// diagnostics are what reviewdog takes from an output.
func diagnostics(t *testing.T, p parser.Parser, output []byte) []*rdf.Diagnostic {
	t.Helper()
	ds, err := p.Parse(bytes.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func placesOf(ds []*rdf.Diagnostic) []place {
	var out []place
	for _, d := range ds {
		start := d.GetLocation().GetRange().GetStart()
		out = append(out, place{d.GetLocation().GetPath(), int(start.GetLine()), int(start.GetColumn()), strings.ToLower(d.GetSeverity().String())})
	}
	return out
}

func TestRDJSON(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		ds := diagnostics(t, parser.NewRDJSONParser(), r.outputs["rdjson"])
		same(t, placesOf(ds), r.places(byByte))
		ends, evidence := 0, 0
		for _, d := range ds {
			if d.GetCode().GetValue() == "" || !strings.HasSuffix(d.GetCode().GetUrl(), "/"+d.GetCode().GetValue()+".md") || d.GetSource().GetName() != "planvet" {
				t.Errorf("code and source are %v, %v", d.GetCode(), d.GetSource())
			}
			ends += len(d.GetRelatedLocations())
			if strings.Contains(d.GetMessage(), "confirmed (measured on 1,000 rows)") {
				evidence++
			}
		}
		wantEnds, wantEvidence := r.tally()
		if ends != wantEnds || evidence != wantEvidence {
			t.Errorf("%d other ends and %d confirmed, want %d and %d", ends, evidence, wantEnds, wantEvidence)
		}
	})
}

// tally counts other ends and confirmed findings.
func (r *run) tally() (ends, confirmed int) {
	for _, f := range r.standing() {
		ends += len(f.Related)
		if f.Verdict.Status == "confirmed" {
			confirmed++
		}
	}
	return ends, confirmed
}

func TestCheckstyle(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		ds := diagnostics(t, parser.NewCheckStyleParser(), r.outputs["checkstyle"])
		same(t, placesOf(ds), r.places(byByte))
		for i, f := range r.standing() {
			if got := ds[i].GetCode().GetValue(); got != "planvet."+f.Rule || !strings.HasPrefix(ds[i].GetMessage(), f.Message) {
				t.Errorf("%s: %s, want %s: %s", got, ds[i].GetMessage(), f.Rule, f.Message)
			}
		}
	})
}

// Vim's errorformat, as reviewdog and efm-langserver have it.
func TestGCC(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		p, err := parser.NewErrorformatParserString([]string{"%f:%l:%c: %t%*[a-z]: %m", "%f:%l: %t%*[a-z]: %m"})
		if err != nil {
			t.Fatal(err)
		}
		output, want := string(r.outputs["gcc"]), r.places(byByte)
		for i := range want {
			// %f takes neither spaces nor colons in a path.
			plain := strings.NewReplacer(" ", "_", ":", ";").Replace(want[i].Path)
			output = strings.ReplaceAll(output, want[i].Path+":", plain+":")
			want[i].Path = plain
		}
		ds := diagnostics(t, p, []byte(output))
		same(t, placesOf(ds), sorted(want))
		for i, f := range r.standing() {
			if !strings.HasSuffix(ds[i].GetMessage(), " ["+f.Rule+"]") {
				t.Errorf("%q does not name %s", ds[i].GetMessage(), f.Rule)
			}
		}
	})
}

func TestSARIFByReviewdog(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		got := placesOf(diagnostics(t, parser.NewSarifParser(), r.outputs["sarif"]))
		want := r.places(byUTF16)
		for i := range want {
			if want[i].Column == 1 {
				want[i].Column = 0 // reviewdog drops a column that starts the line
			}
		}
		same(t, got, sorted(want))
	})
}
