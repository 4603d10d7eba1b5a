package report

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/report/browsertest"
)

const evilMarkup = `</script><script>alert(1)</script><img src="x" onerror="alert(2)">"'&`

func testPage(t *testing.T, p *Page) string {
	t.Helper()
	var b strings.Builder
	if err := WritePage(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The policy names what is in the style and script elements, and nothing else.
func TestPagePolicy(t *testing.T) {
	page := testPage(t, &Page{Title: evilMarkup, Body: "<main>x</main>", Style: ".a > b { color: red }", Script: "if (1 < 2 && 3 > 2) {}\n"})
	_, policy, _ := strings.Cut(page, `content="`)
	policy, _, _ = strings.Cut(policy, `"`)
	for _, element := range []string{"style", "script"} {
		_, text, _ := strings.Cut(page, "<"+element+">")
		text, _, _ = strings.Cut(text, "</"+element+">")
		sum := sha256.Sum256([]byte(text))
		want := element + "-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"
		if !strings.Contains(policy, want) {
			t.Errorf("%q is not in the policy %q", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src &#39;none&#39;") {
		t.Errorf("the policy is %q", policy)
	}
	if strings.Count(page, "<script") != 1 || strings.Contains(page, "<img") {
		t.Error("the title is markup")
	}
	if page := testPage(t, &Page{}); strings.Contains(page, "script") {
		t.Error("a page without a script speaks of one")
	}
}

// The browser refuses what the policy does not name: a page into which markup got
// still runs and loads nothing. This also shows that the tests' browser notices.
func TestPageRefuses(t *testing.T) {
	b := browsertest.Start(t)
	page := testPage(t, &Page{Title: "x", Script: "document.title = 'ours';", Body: template.HTML(
		`<main>x<script>document.title = "theirs"</script><img src="file:///nothing.png"><p id="p" style="color: red">x</p></main>`)})
	p := b.Open(t, []byte(page), browsertest.View{Width: 600, Height: 400})
	var seen struct{ Title, Color string }
	p.Eval(`({Title: document.title, Color: getComputedStyle(document.getElementById("p")).color})`, &seen)
	if seen.Title != "ours" || seen.Color == "rgb(255, 0, 0)" {
		t.Errorf("the policy does not hold: %+v", seen)
	}
	if len(p.Logged()) < 3 {
		t.Errorf("refusals are not noticed: %v", p.Logged())
	}
}

func TestCharts(t *testing.T) {
	bars := string(Bars([]Bar{{Label: evilMarkup, Value: evilMarkup, Link: `#"><script>`, Amount: 4, Class: "heat5"}, {Label: "b", Amount: 1}, {Label: "none"}}))
	for _, want := range []string{`class="bar heat5" width="100.00%"`, `width="25.00%"`} {
		if !strings.Contains(bars, want) {
			t.Errorf("%q is not in %s", want, bars)
		}
	}
	if strings.Count(bars, `class="bar`) != 2 || strings.Contains(bars, "<script") || strings.Contains(bars, "<img") {
		t.Error(bars)
	}
	if empty := string(Bars(nil)); empty != `<ul class="chart"></ul>` {
		t.Error(empty)
	}
	pairs := string(Pairs([]Pair{{Label: evilMarkup, From: 0, To: 1e6, Class: "bad"}, {From: 1000, To: 1000}}, "rows"))
	for _, want := range []string{`x1="2.00%" x2="98.00%"`, `cx="50.00%"`, ">≤1<", ">10k<", ">1M<", "rows"} {
		if !strings.Contains(pairs, want) {
			t.Errorf("%q is not in %s", want, pairs)
		}
	}
	if strings.Contains(pairs, "<script") {
		t.Error(pairs)
	}
	for share, want := range map[float64]string{0: "heat0", 0.009: "heat0", 0.01: "heat1", 0.06: "heat2", 0.2: "heat3", 0.3: "heat4", 0.5: "heat5", 1: "heat5"} {
		if got := Heat(share); got != want {
			t.Errorf("Heat(%v) = %s, want %s", share, got, want)
		}
	}
}
