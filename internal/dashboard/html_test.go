package dashboard

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	idAttr   = regexp.MustCompile(`\sid="([^"]*)"`)
	refAttr  = regexp.MustCompile(`\s(?:href="#|aria-labelledby=")([^"]*)"`)
	badAttr  = regexp.MustCompile(`<[a-zA-Z][^>]*\s(on[a-z]+|style|src|srcset|action)=`)
	outwards = regexp.MustCompile(`(?i)https?://|url\(|<(img|link|iframe|object|embed|form|base)\b|href="[^#]`)
)

// A page refers to nothing outside and to no anchor that is not there, and has neither
// style nor handler in an attribute, which its policy refuses.
func TestHTML(t *testing.T) {
	for name, d := range samples(t) {
		page := string(asHTML(t, d))
		ids := map[string]bool{}
		for _, m := range idAttr.FindAllStringSubmatch(page, -1) {
			if ids[m[1]] {
				t.Errorf("%s: the id %q is there twice", name, m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range refAttr.FindAllStringSubmatch(page, -1) {
			if !ids[m[1]] {
				t.Errorf("%s: %q leads nowhere", name, m[1])
			}
		}
		for _, bad := range []*regexp.Regexp{badAttr, outwards} {
			if m := bad.FindString(page); m != "" {
				t.Errorf("%s: %.200s is in the page", name, m)
			}
		}
		if strings.Count(page, "<script") != 1 || strings.ContainsRune(page, '\x1b') {
			t.Errorf("%s: a text of the data became markup", name)
		}
	}
}

// A page that is served says how often it is refreshed; one that is kept does not.
func TestLivePage(t *testing.T) {
	d := samples(t)["now"]
	var b strings.Builder
	if err := HTML(&b, d, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "refreshed every 10s") || strings.Contains(string(asHTML(t, d)), "refreshed") {
		t.Error("the page does not say whether it lives")
	}
}
