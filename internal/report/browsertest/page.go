package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// View is how a page is looked at.
type View struct {
	Width, Height int
	Dark          bool
	// Print takes the media for paper, NoScript runs no JavaScript.
	Print, NoScript bool
}

// Page is a document in the browser.
type Page struct {
	t       testing.TB
	b       *Browser
	session string
	loaded  chan struct{}

	// Under the browser's lock.
	logged, requests []string
}

// Open shows a document in a tab of its own, and waits until it is loaded.
func (b *Browser) Open(t testing.TB, html []byte, v View) *Page {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t, b: b, loaded: make(chan struct{}, 8)}
	var target struct {
		ID      string `json:"targetId"`
		Session string `json:"sessionId"`
	}
	p.must(b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target))
	p.must(b.call("", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &target))
	p.session = target.Session
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	t.Cleanup(func() { b.call("", "Target.closeTarget", map[string]any{"targetId": target.ID}, nil) })

	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.call(domain+".enable", nil, nil)
	}
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": v.Width, "height": v.Height, "deviceScaleFactor": 1, "mobile": v.Width < 600,
	}, nil)
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": v.NoScript}, nil)
	scheme, media := "light", "screen"
	if v.Dark {
		scheme = "dark"
	}
	if v.Print {
		media = "print"
	}
	p.call("Emulation.setEmulatedMedia", map[string]any{
		"media": media, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
	p.call("Page.navigate", map[string]any{"url": (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}, nil)
	select {
	case <-p.loaded:
	case <-time.After(patience):
		t.Fatalf("the page is not loaded within %s", patience)
	}
	return p
}

// event notes what the page says; the browser's lock is held.
func (p *Page) event(m *message) {
	var e struct {
		Type  string `json:"type"`
		Entry struct {
			Level, Text string
		} `json:"entry"`
		Exception struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
		Args []struct {
			Value json.RawMessage
		} `json:"args"`
		Request struct{ URL string } `json:"request"`
	}
	if json.Unmarshal(m.Params, &e) != nil {
		return
	}
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	case "Log.entryAdded":
		p.logged = append(p.logged, e.Entry.Level+": "+e.Entry.Text)
	case "Runtime.exceptionThrown":
		p.logged = append(p.logged, e.Exception.Text+" "+e.Exception.Exception.Description)
	case "Runtime.consoleAPICalled":
		text := e.Type + ":"
		for _, a := range e.Args {
			text += " " + string(a.Value)
		}
		p.logged = append(p.logged, text)
	case "Network.requestWillBeSent":
		p.requests = append(p.requests, e.Request.URL)
	}
}

// Logged are the messages of the console so far: errors, refusals of the page's
// policy, exceptions.
func (p *Page) Logged() []string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return append([]string(nil), p.logged...)
}

// Requests are the addresses that were asked for so far, the document's the first.
func (p *Page) Requests() []string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return append([]string(nil), p.requests...)
}

// Eval evaluates an expression in the page and decodes its value into result.
func (p *Page) Eval(expression string, result any) {
	p.t.Helper()
	var out struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &out)
	if out.Exception != nil {
		p.t.Fatalf("%s: %s %s", expression, out.Exception.Text, out.Exception.Exception.Description)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(out.Result.Value, result); err != nil {
		p.t.Fatalf("%s gives %s: %v", expression, out.Result.Value, err)
	}
}

// Click presses the mouse in the middle of the first element of a selector, wherever
// it is on the page.
func (p *Page) Click(selector string) {
	p.t.Helper()
	quoted, _ := json.Marshal(selector)
	var at struct{ X, Y float64 }
	p.Eval(`(() => { const e = document.querySelector(`+string(quoted)+`); e.scrollIntoView({block: "center"});
		const r = e.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2} })()`, &at)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// Press presses and releases a key: Tab, Enter, ArrowDown, Escape.
func (p *Page) Press(key string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		event["text"] = "\r"
	}
	p.call("Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	delete(event, "text")
	p.call("Input.dispatchKeyEvent", event, nil)
}

// Screenshot is the whole page as PNG, or what is seen of it.
func (p *Page) Screenshot(whole bool) []byte {
	p.t.Helper()
	params := map[string]any{"format": "png"}
	if whole {
		var size struct {
			CSS struct{ Width, Height float64 } `json:"cssContentSize"`
		}
		p.call("Page.getLayoutMetrics", nil, &size)
		params["captureBeyondViewport"] = true
		params["clip"] = map[string]any{"x": 0, "y": 0, "width": size.CSS.Width, "height": size.CSS.Height, "scale": 1}
	}
	var out struct{ Data string }
	p.call("Page.captureScreenshot", params, &out)
	png, err := base64.StdEncoding.DecodeString(out.Data)
	p.must(err)
	return png
}

func (p *Page) call(method string, params, result any) {
	p.t.Helper()
	p.must(p.b.call(p.session, method, params, result))
}

func (p *Page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}
