package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Views that a page is read in.
var Views = map[string]View{
	"desktop":      {Width: 1280, Height: 900},
	"desktop_dark": {Width: 1280, Height: 900, Dark: true},
	"tablet":       {Width: 768, Height: 1024},
	"phone":        {Width: 320, Height: 640},
	"phone_dark":   {Width: 320, Height: 640, Dark: true},
	"paper":        {Width: 794, Height: 1123, Print: true},
}

// InEachView opens each page in each view and fails where something is logged or
// loaded, stands over the side, or where a text of the data became an element.
// PLANVET_TEST_SHOTS names a folder to keep pictures in.
func (b *Browser) InEachView(t *testing.T, pages map[string][]byte) {
	for name, page := range pages {
		for view, v := range Views {
			t.Run(name+"/"+view, func(t *testing.T) { b.view(t, page, v, name+"_"+view) })
		}
	}
}

func (b *Browser) view(t *testing.T, page []byte, v View, shot string) {
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
	if shots := os.Getenv("PLANVET_TEST_SHOTS"); shots != "" {
		if err := os.WriteFile(filepath.Join(shots, shot+".png"), p.Screenshot(true), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
