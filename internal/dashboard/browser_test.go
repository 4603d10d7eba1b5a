package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/report/browsertest"
)

func asHTML(t testing.TB, d *Dashboard) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, d, 0); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBrowserViews(t *testing.T) {
	b, pages := browsertest.Start(t), map[string][]byte{}
	for name, r := range samples(t) {
		pages[name] = asHTML(t, r)
	}
	b.InEachView(t, pages)
}

// drawn are the panels, each with the marks that a person sees in it.
type drawn struct {
	ID, Text string
	// Marks counts lines of plots that have a length, bars, dots and rows of tables.
	Marks int
	Unit  bool
}

func panelsOf(p *browsertest.Page) []drawn {
	var out []drawn
	p.Eval(`[...document.querySelectorAll("section.panel")].map(s => ({
		ID: s.id.slice(6), Text: s.querySelector(".headline, .panel-title + p")?.innerText ?? "",
		Marks: [...s.querySelectorAll("path.line, .bar, .dot")].filter(e => { const r = e.getBoundingClientRect(); return r.width + r.height > 1 && e.getAttribute("d") !== "" }).length,
		Unit: [...s.querySelectorAll(".plot .y text, .chart .axis text, .chart .value")].some(e => e.textContent.trim() !== ""),
	}))`, &out)
	return out
}

// With a history, the results of a benchmark and the rest every panel has data, on a
// desktop and on a phone; with nothing none has any, and says so.
func TestBrowserPanels(t *testing.T) {
	b := browsertest.Start(t)
	all := samples(t)
	for _, view := range []string{"desktop", "phone"} {
		full := panelsOf(b.Open(t, asHTML(t, all["full"]), browsertest.Views[view]))
		if len(full) != 12 {
			t.Errorf("%s: %d panels", view, len(full))
		}
		for _, p := range full {
			if p.Marks == 0 || !p.Unit || p.Text == "" {
				t.Errorf("%s: %+v has no data", view, p)
			}
		}
		for _, p := range panelsOf(b.Open(t, asHTML(t, all["nothing"]), browsertest.Views[view])) {
			if p.Marks != 0 || !strings.Contains(p.Text, "planvet ") {
				t.Errorf("%s: %+v has data, or names no command", view, p)
			}
		}
	}
}

// Every tile leads to its panel, figures and explanations open, with keys alone and
// without JavaScript.
func TestBrowserKeys(t *testing.T) {
	b := browsertest.Start(t)
	v := browsertest.Views["phone"]
	v.NoScript = true
	p := b.Open(t, asHTML(t, samples(t)["full"]), v)
	var tiles int
	p.Eval(`document.querySelectorAll(".tile").length`, &tiles)
	reached := map[string]bool{}
	for range tiles {
		p.Press("Tab")
		var href string
		p.Eval(`document.activeElement.getAttribute("href") ?? ""`, &href)
		reached[href] = true
	}
	if len(reached) != 12 || !reached["#panel-rls"] {
		t.Errorf("keys reach %v", reached)
	}
	p.Press("Enter") // the last, flows
	var at struct {
		Hash string
		Top  float64
	}
	if p.Eval(`({Hash: location.hash, Top: document.querySelector("#panel-flows").getBoundingClientRect().top})`, &at); at.Hash != "#panel-flows" || at.Top < -1 || at.Top > 640 {
		t.Errorf("Enter leads to %+v", at)
	}
	open := 0
	for range 60 {
		p.Press("Tab")
		var summary bool
		if p.Eval(`document.activeElement.tagName == "SUMMARY"`, &summary); summary {
			p.Press("Enter")
			break
		}
	}
	if p.Eval(`document.querySelectorAll("details[open]").length`, &open); open != 1 {
		t.Errorf("%d are open after Enter", open)
	}
}

// A served page loads itself anew, shows what is new, keeps open what was open, and
// asks nobody but its server.
func TestBrowserServed(t *testing.T) {
	b := browsertest.Start(t)
	all := samples(t)
	var made atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	address, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- Serve(ctx, "0", time.Second, func(context.Context) (*Dashboard, error) {
			d := *all["full"]
			d.Notes = []string{fmt.Sprint("made ", made.Add(1))}
			return &d, nil
		}, func(a net.Addr) { address <- a })
	}()
	base := "http://" + (<-address).String() + "/"
	p := b.Open(t, []byte("<!DOCTYPE html><title>x</title>"), browsertest.Views["phone"])
	p.Eval(`void (location.href = "`+base+`")`, nil)
	note := func() string {
		var text string
		p.Eval(`document.querySelector("#h-notes + ul")?.innerText ?? ""`, &text)
		return text
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never came: %s", what)
			}
		}
	}
	until("the page", func() bool { return note() != "" })
	p.Eval(`void (document.querySelector("#panel-hits details.how").open = true)`, nil)
	first := note()
	until("the next page, with what was open", func() bool {
		var open int
		p.Eval(`document.querySelectorAll("details[open]").length`, &open)
		text := note()
		return text != "" && text != first && open == 1
	})
	if logged := p.Logged(); len(logged) > 0 {
		t.Errorf("logged: %s", strings.Join(logged, "\n"))
	}
	for i, r := range p.Requests() {
		if i > 0 && !strings.HasPrefix(r, base) {
			t.Errorf("asked for %s", r)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
