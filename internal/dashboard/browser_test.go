package dashboard

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// Views that a page is read in.
var views = map[string]browsertest.View{
	"desktop":      {Width: 1280, Height: 900},
	"desktop_dark": {Width: 1280, Height: 900, Dark: true},
	"tablet":       {Width: 768, Height: 1024},
	"phone":        {Width: 320, Height: 640},
	"phone_dark":   {Width: 320, Height: 640, Dark: true},
	"paper":        {Width: 794, Height: 1123, Print: true},
}

// In each view of each dashboard nothing is logged, nothing loaded, nothing stands
// over the side, and no text of the data became an element. PLANVET_TEST_SHOTS names a
// folder to keep pictures in.
func TestBrowserViews(t *testing.T) {
	b := browsertest.Start(t)
	shots := os.Getenv("PLANVET_TEST_SHOTS")
	for name, d := range samples(t) {
		page := asHTML(t, d)
		for view, v := range views {
			t.Run(name+"/"+view, func(t *testing.T) {
				p := b.Open(t, page, v)
				var seen struct {
					Page    int
					Hostile bool
				}
				p.Eval(`({Page: document.documentElement.scrollWidth, Hostile: document.scripts.length != 1 || document.images.length > 0})`, &seen)
				if seen.Page > v.Width {
					t.Errorf("the page is %d pixels wide in a window of %d", seen.Page, v.Width)
				}
				if seen.Hostile {
					t.Error("a text of the data became an element")
				}
				if logged := p.Logged(); len(logged) > 0 {
					t.Errorf("logged: %s", strings.Join(logged, "\n"))
				}
				if requests := p.Requests(); len(requests) != 1 {
					t.Errorf("asked for: %v", requests)
				}
				if shots == "" {
					return
				}
				if err := os.WriteFile(filepath.Join(shots, name+"_"+view+".png"), p.Screenshot(true), 0o600); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
