package consumers

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// An item of the list starts with severity and place, in this order.
var placeText = regexp.MustCompile(`(?s)^(.*?):(\d+)(?::(\d+))?$`)

func placeFrom(t *testing.T, severity, s string) place {
	t.Helper()
	m := placeText.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("%q is no place", s)
	}
	// A path may end in a colon and figures, but none of these does.
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	return place{m[1], line, column, severity}
}

// Markdown is read as GitHub's.
func TestMarkdown(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		for _, format := range []string{"markdown", "github-summary"} {
			src := r.outputs[format]
			doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(src))
			var got []place
			fences := 0
			err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
				if !entering {
					return ast.WalkContinue, nil
				}
				switch n := n.(type) {
				case *ast.RawHTML:
					t.Errorf("HTML gets in: %q", n.Segments.Value(src))
				case *ast.FencedCodeBlock:
					fences++
				case *ast.ListItem:
					first := n.FirstChild()
					severity, ok := first.FirstChild().(*ast.Emphasis)
					if !ok {
						return 0, fmt.Errorf("an item starts with %s", first.FirstChild().Kind())
					}
					code := severity.NextSibling().NextSibling()
					got = append(got, placeFrom(t, textOf(severity, src), textOf(code, src)))
				}
				return ast.WalkContinue, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, r.places(byByte))
			want := 0
			for _, f := range r.standing() {
				if f.Fix != nil && len(f.Fix.SQL) > 0 {
					want++
				}
			}
			if fences != want {
				t.Errorf("%d fixes, want %d", fences, want)
			}
			if confirmed := bytes.Count(src, []byte("confirmed (measured")); r.prefix == "sub dir/é/" && confirmed != 1 {
				t.Errorf("%d verdicts with their evidence, want 1", confirmed)
			}
		}
	})
}

// textOf is what stands in a node.
func textOf(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(src))
		}
	}
	return b.String()
}

// The page is of the project, whose root its places are told from.
func TestHTML(t *testing.T) {
	each(t, func(t *testing.T, r *run) {
		doc, err := html.Parse(bytes.NewReader(r.outputs["html"]))
		if err != nil {
			t.Fatal(err)
		}
		var got []place
		ids, refuted := map[string]bool{}, 0
		for n := range doc.Descendants() {
			switch class := attribute(n, "class"); {
			case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img" || n.Data == "link"):
				t.Errorf("the page has a <%s>", n.Data)
			case class == "finding":
				got = append(got, placeFrom(t, attribute(n, "data-severity"), attribute(n, "data-place")))
				ids[attribute(n, "id")] = true
			case strings.Contains(class, "refuted"):
				refuted++
			}
		}
		want := r.places(byByte)
		for i := range want {
			want[i].Path = strings.TrimPrefix(want[i].Path, r.prefix)
		}
		same(t, got, sorted(want))
		wantRefuted := 0
		for _, f := range r.findings {
			if f.Verdict.Status == rules.Refuted {
				wantRefuted++
			} else if !ids[f.ID] {
				t.Errorf("%s is not on the page", f.ID)
			}
		}
		if refuted != wantRefuted {
			t.Errorf("%d refuted findings, want %d", refuted, wantRefuted)
		}
	})
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
