package consumers

import (
	"bytes"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/planvet/planvet/internal/bench/gate"
	benchjunit "github.com/planvet/planvet/internal/bench/junit"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

const nasty = "a | b <img src=x> `c` **d** @all #1"

func gateReport() *verdict.Report {
	low, high := 20.0, 40.0
	r := &verdict.Report{Mode: verdict.Live, Threshold: 10, A: verdict.Side{Name: nasty}, B: verdict.Side{Name: "this tree"}, Notes: []string{nasty}, Reproduce: "planvet gate --case '" + nasty + "'"}
	r.Cases = []verdict.Case{
		{Suite: "api", Case: nasty, Service: "S", Operation: "O", Verdict: gate.Fail, Reasons: []string{nasty}, P95: &verdict.Change{A: 10, B: 13, Percent: 30, Low: &low, High: &high},
			Work: &work.Diff{Plan: []work.DiffLine{{Op: "-", Text: "Index Scan ```"}, {Op: "+", Text: "Seq Scan | x"}}}},
		{Suite: "api", Case: "waits", Verdict: gate.Inconclusive, Reasons: []string{"too noisy"}},
		{Suite: "db", Case: "reads", Verdict: gate.Pass},
		{Suite: "db", Case: "breaks", Verdict: gate.Invalid, Reasons: []string{"nothing succeeded"}},
	}
	r.Decide(verdict.Policy{})
	return r
}

func TestGateJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := benchjunit.Write(&b, gateReport(), nil); err != nil {
		t.Fatal(err)
	}
	suites, err := junit.Ingest(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]junit.Test{}
	for _, s := range suites {
		for _, c := range s.Tests {
			got[s.Name+" "+c.Name] = c
		}
	}
	for name, want := range map[string]junit.Status{"gate api " + nasty: junit.StatusFailed, "gate api waits": junit.StatusSkipped, "gate db reads": junit.StatusPassed, "gate db breaks": junit.StatusError} {
		if got[name].Status != want {
			t.Errorf("%s is %q, want %q", name, got[name].Status, want)
		}
	}
	if c := got["gate api "+nasty]; c.Message != nasty || c.Classname != "S.O" {
		t.Errorf("%+v", c)
	}
	if len(got) != 4 || got["gate api waits"].Message != "too noisy" {
		t.Errorf("%d cases, %+v", len(got), got["gate api waits"])
	}
}

// A gate's Markdown is read as GitHub's: every case is a row with as many cells as there are
// columns, plans are code, and nothing of the data is markup. So is one that was cut.
func TestGateMarkdown(t *testing.T) {
	for _, room := range []int{1 << 20, 2300} {
		r := gateReport()
		for range 40 {
			r.Cases = append(r.Cases, verdict.Case{Suite: "db", Case: nasty, Verdict: gate.Pass})
		}
		src, left := r.MarkdownWithin(room)
		if (left != "") != (room < 1<<20) || len(src) > room {
			t.Errorf("%d characters in %d: %q", len(src), room, left)
		}
		rows, fences, names := 0, 0, 0
		doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader([]byte(src)))
		err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if !entering {
				return ast.WalkContinue, nil
			}
			switch n := n.(type) {
			case *ast.RawHTML, *ast.Image, *ast.Link, *ast.AutoLink:
				t.Errorf("markup gets in: %s", n.Kind())
			case *ast.HTMLBlock:
				if n.Parent() != doc || n.PreviousSibling() != nil || strings.TrimSpace(string(n.Lines().Value([]byte(src)))) != verdict.Marker {
					t.Errorf("markup gets in: %s", n.Lines().Value([]byte(src)))
				}
			case *ast.FencedCodeBlock:
				fences++
			case *east.TableRow:
				rows++
				if n.ChildCount() != 8 {
					t.Errorf("a row has %d cells", n.ChildCount())
				}
				if strings.Contains(string(n.FirstChild().Lines().Value([]byte(src))), `\|`) {
					names++
				}
			}
			return ast.WalkContinue, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if room == 1<<20 && (rows != 44 || fences != 1 || names != 41) || rows < 4 || !strings.Contains(src, left) {
			t.Errorf("in %d: %d rows, %d plans, %d nasty names", room, rows, fences, names)
		}
	}
}
