package explain

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// element is a start tag with its attributes.
type element struct {
	name  string
	attrs map[string]string
}

// codeElements are those whose text is no markup.
var codeElements = regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`)

// elements reads a page, each tag closed in order; void ones close themselves.
func elements(t *testing.T, page string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(codeElements.ReplaceAllString(page, "<$1></$1>")))
	d.Strict, d.Entity, d.AutoClose = false, xml.HTMLEntity, xml.HTMLAutoClose
	var out []element
	var open []string
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := element{tok.Name.Local, map[string]string{}}
			for _, a := range tok.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			out = append(out, e)
			if !slices.Contains(xml.HTMLAutoClose, tok.Name.Local) {
				open = append(open, tok.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tok.Name.Local {
				t.Fatalf("</%s> closes %v", tok.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
	return out
}

// A page is well formed, refers to nothing outside and to no anchor that is not
// there, and has no style and no handler in an attribute, which its policy refuses.
func TestHTML(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			page := asHTML(t, r)
			all := elements(t, page)
			ids := map[string]bool{}
			for _, e := range all {
				if id := e.attrs["id"]; id != "" {
					if ids[id] {
						t.Errorf("the id %q is there twice", id)
					}
					ids[id] = true
				}
			}
			scripts := 0
			for _, e := range all {
				switch e.name {
				case "script":
					scripts++
				case "img", "link", "iframe", "object", "embed", "form", "base":
					t.Errorf("there is a <%s>", e.name)
				}
				for a, v := range e.attrs {
					switch {
					case strings.HasPrefix(a, "on"), a == "style", a == "src", a == "srcset", a == "action":
						t.Errorf("<%s> has %s=%q", e.name, a, v)
					case a == "href" && (!strings.HasPrefix(v, "#") || !ids[v[1:]]), a == "aria-labelledby" && !ids[v], a == "for" && !ids[v]:
						t.Errorf("<%s %s=%q> leads nowhere", e.name, a, v)
					}
				}
			}
			if scripts != 1 {
				t.Errorf("%d scripts", scripts)
			}
			if strings.Contains(strings.ToLower(page), "http://") || strings.Contains(page, "https://") || strings.Contains(page, "url(") {
				t.Error("an address is in the page")
			}
		})
	}
}

// Without JavaScript each step's conditions and figures stand in the document.
func TestHTMLHasDetails(t *testing.T) {
	page := asHTML(t, slowSample())
	for _, want := range []string{
		"(round_id = r.id)", "Sort Method: top-N heapsort", "981,680 rows", "18,320 came, 41 estimated", "create index concurrently",
		"drop index concurrently", "measured", "unverified", `id="finding-3"`, "rows, logarithmic", "413 ms", "84 blocks, 223× less",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}
