package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/report/browsertest"
)

func TestBrowserViews(t *testing.T) {
	b, pages := browsertest.Start(t), map[string][]byte{}
	for name, r := range samples() {
		pages[name] = []byte(asHTML(t, r))
	}
	b.InEachView(t, pages)
}

// shown is the step whose details a reader sees; 0 for none.
func shown(p *browsertest.Page) int {
	var n int
	p.Eval(`Number([...document.querySelectorAll(".step")].find(s => s.offsetParent !== null)?.id.slice(5) ?? 0)`, &n)
	return n
}

// seenBoxes counts the boxes that are not folded away.
func seenBoxes(p *browsertest.Page) int {
	var n int
	p.Eval(`[...document.querySelectorAll(".box")].filter(b => b.offsetParent !== null).length`, &n)
	return n
}

// A click on a box shows its details; a finding's link does too; a fold hides what is
// below and says so.
func TestBrowserClick(t *testing.T) {
	b := browsertest.Start(t)
	for _, view := range []string{"desktop", "phone"} {
		t.Run(view, func(t *testing.T) {
			p := b.Open(t, []byte(asHTML(t, slowSample())), browsertest.Views[view])
			first := map[string]int{"desktop": 4, "phone": 0}[view] // the heaviest, where there is room for a panel
			if got := shown(p); got != first {
				t.Errorf("step %d is shown at first, want %d", got, first)
			}
			p.Click("#node-5 .name")
			if got := shown(p); got != 5 {
				t.Errorf("after a click on step 5, step %d is shown", got)
			}
			var text string
			if p.Eval(`document.querySelector("#step-5").innerText`, &text); !strings.Contains(text, "(round_id = r.id)") {
				t.Errorf("details without the condition: %q", text)
			}
			p.Click(`#finding-1 a[href="#step-4"]`)
			if got := shown(p); got != 4 {
				t.Errorf("after a click on a finding's step 4, step %d is shown", got)
			}
			p.Click("#node-2 + .toggle")
			var expanded string
			if p.Eval(`document.querySelector("#node-2 + .toggle").getAttribute("aria-expanded")`, &expanded); expanded != "false" || seenBoxes(p) != 2 {
				t.Errorf("folded: aria-expanded=%s, %d boxes are seen", expanded, seenBoxes(p))
			}
			p.Click(`#finding-3 a[href="#step-5"]`)
			if shown(p) != 5 || seenBoxes(p) != 5 {
				t.Errorf("a link to a folded step shows step %d among %d boxes", shown(p), seenBoxes(p))
			}
		})
	}
}

// Everything can be reached with keys.
func TestBrowserKeys(t *testing.T) {
	b := browsertest.Start(t)
	p := b.Open(t, []byte(asHTML(t, slowSample())), browsertest.Views["desktop"])
	focused := func() string {
		var id string
		p.Eval(`document.activeElement.id`, &id)
		return id
	}
	for i := 0; focused() != "node-4" && i < 40; i++ {
		p.Press("Tab")
	}
	for _, c := range []struct {
		key, focused string
		shown, boxes int
	}{
		{"ArrowUp", "node-3", 3, 5},
		{"ArrowLeft", "node-3", 3, 3},
		{"ArrowRight", "node-3", 3, 5},
		{"ArrowRight", "node-4", 4, 5},
		{"ArrowDown", "node-5", 5, 5},
		{"Escape", "node-5", 0, 5},
		{"Enter", "node-5", 5, 5},
		{"ArrowLeft", "node-3", 3, 5},
	} {
		p.Press(c.key)
		if focused() != c.focused || shown(p) != c.shown || seenBoxes(p) != c.boxes {
			t.Fatalf("after %s: focus on %s, step %d shown, %d boxes; want %s, %d, %d", c.key, focused(), shown(p), seenBoxes(p), c.focused, c.shown, c.boxes)
		}
	}
}

// The switch colours by blocks, without JavaScript too.
func TestBrowserSwitch(t *testing.T) {
	b := browsertest.Start(t)
	p := b.Open(t, []byte(asHTML(t, slowSample())), browsertest.Views["desktop"])
	share := func() string {
		var text string
		p.Eval(`document.querySelector("#node-5").innerText.match(/[0-9.]+ %/)[0]`, &text)
		return text
	}
	if got := share(); got != "23 %" {
		t.Errorf("by time: %s", got)
	}
	p.Click(`label:has(#by-blocks)`)
	if got := share(); got != "33 %" {
		t.Errorf("by blocks: %s", got)
	}
}

// Without JavaScript the details of all steps are there, and no button that does
// nothing.
func TestBrowserNoScript(t *testing.T) {
	b := browsertest.Start(t)
	v := browsertest.Views["phone"]
	v.NoScript = true
	p := b.Open(t, []byte(asHTML(t, slowSample())), v)
	// The debugger's expressions still run.
	var seen struct{ Steps, Buttons, Page int }
	p.Eval(`({Steps: [...document.querySelectorAll(".step")].filter(s => s.offsetParent !== null).length,
		Buttons: [...document.querySelectorAll("button")].filter(s => s.offsetParent !== null).length, Page: document.documentElement.scrollWidth})`, &seen)
	if seen.Steps != 5 || seen.Buttons != 0 || seen.Page > 320 {
		t.Errorf("%d steps and %d buttons are seen, %d pixels wide", seen.Steps, seen.Buttons, seen.Page)
	}
	p.Click("#node-5 .name")
	var y float64
	if p.Eval(`document.querySelector("#step-5").getBoundingClientRect().top`, &y); y < -1 || y > 640 {
		t.Errorf("a click on a box does not lead to its details: they are at %v", y)
	}
}

// A plan of 500 steps opens folded to what weighs, and answers at once.
func TestBrowserLarge(t *testing.T) {
	b := browsertest.Start(t)
	r := bigSample(500)
	for i, s := range stepList(&r.Plans[0]) {
		if s.Share = 0.001; i == 250 {
			s.Share = 0.7
		}
	}
	p := b.Open(t, []byte(asHTML(t, r)), browsertest.Views["desktop"])
	if got := shown(p); got != 251 {
		t.Errorf("step %d is shown, want the heaviest, 251", got)
	}
	if n := seenBoxes(p); n < 100 || n > 200 {
		t.Errorf("%d boxes are seen of a folded plan", n)
	}
	start := time.Now()
	p.Click("#unfold")
	if n := seenBoxes(p); n < 500 {
		t.Errorf("%d boxes are seen of an unfolded plan", n)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("unfolding took %s", took)
	}
}
