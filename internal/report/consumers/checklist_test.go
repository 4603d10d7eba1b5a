package consumers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	htmlout "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// comments answers as GitHub's REST API does for those of pull request 7 of o/r.
type comments struct {
	readOnly bool
	bodies   []string
}

func (c *comments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, message string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message": %q}`, message)
	}
	var in struct{ Body string }
	switch r.Method + " " + r.URL.Path {
	case "GET /user":
		refuse(http.StatusForbidden, "Resource not accessible by integration")
	case "GET /repos/o/r/issues/7/comments":
		all := []any{}
		for i, body := range c.bodies {
			all = append(all, map[string]any{"id": i + 1, "body": body, "user": map[string]any{"login": "github-actions[bot]", "type": "Bot"}})
		}
		json.NewEncoder(w).Encode(all)
	case "POST /repos/o/r/issues/7/comments", "PATCH /repos/o/r/issues/comments/1":
		switch err := json.NewDecoder(r.Body).Decode(&in); {
		case c.readOnly:
			refuse(http.StatusForbidden, "Resource not accessible by integration")
		case err != nil:
			refuse(http.StatusBadRequest, err.Error())
		default:
			if r.Method == http.MethodPatch {
				c.bodies = nil
			}
			c.bodies = append(c.bodies, in.Body)
			fmt.Fprint(w, `{"html_url": "https://github.com/o/r/pull/7"}`)
		}
	default:
		refuse(http.StatusNotFound, "Not Found")
	}
}

// TestChecklistScript runs the action's script that comments, twice: there is one comment.
// Where the token may not write one, the list is on the page of the run.
func TestChecklistScript(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	script, err := filepath.Abs("../../../tools/action/checklist.sh")
	if err != nil {
		t.Fatal(err)
	}
	p := newPullRequest(t, dropped)
	for _, readOnly := range []bool{false, true} {
		api := &comments{readOnly: readOnly}
		server := httptest.NewServer(api)
		defer server.Close()
		temp := t.TempDir()
		summary := filepath.Join(temp, "summary")
		step := *p.clone
		step.env = append(slices.Clone(p.env), "RUNNER_TEMP="+temp, "GITHUB_STEP_SUMMARY="+summary, "GITHUB_API_URL="+server.URL, "GITHUB_REPOSITORY=o/r",
			"GITHUB_TOKEN=a token", "GITHUB_REF=refs/pull/7/merge", "SINCE=main", "INPUT_ARGS=--confirm none", "INPUT_WORKING_DIRECTORY=svc")
		p.git("checkout", "-q", "--detach", p.merge)
		var out string
		for range 2 {
			if out, err = step.run("bash", script); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		page, _ := os.ReadFile(summary)
		switch {
		case !readOnly && (len(api.bodies) != 1 || !strings.Contains(api.bodies[0], "players.name has no index") || len(page) > 0):
			t.Errorf("the comments are %q, the page %q\n%s", api.bodies, page, out)
		case readOnly && (len(api.bodies) != 0 || strings.Count(string(page), "players.name has no index") == 0 || !strings.Contains(out, "::notice title=planvet::the token may not comment")):
			t.Errorf("the page is %q, the log %s", page, out)
		}
	}
	// What cannot be judged fails the step.
	step := *p.clone
	step.env = append(slices.Clone(p.env), "RUNNER_TEMP="+t.TempDir(), "SINCE=no-such-revision", "GITHUB_REPOSITORY=o/r", "GITHUB_TOKEN=a token", "GITHUB_REF=refs/pull/7/merge", "GITHUB_API_URL=http://127.0.0.1:1")
	if out, err := step.run("bash", script); err == nil {
		t.Errorf("a revision that there is not passes: %s", out)
	}
}

// TestChecklistRendered renders a list as GitHub does, from GFM to HTML, and reads that back:
// seven boxes, each finding a task below its box, plans in blocks that are folded, texts of
// the project nowhere markup.
func TestChecklistRendered(t *testing.T) {
	d := document()
	d.Rules, d.Summary.Tables, d.Summary.Statements, d.Summary.GoPackages = nil, 2, 3, 1
	const sql = "select 1 -- </details> ```\n<!-- --> @team"
	d.Review = &report.Review{
		Plans: &report.Plans{Server: "PostgreSQL <b>", Of: []report.QueryPlan{
			{Location: rules.Location{Path: "a<b>|`.go", Line: 1}, Symbol: "<i>", SQL: sql, Lines: []string{"Seq Scan on \"</pre>\"", "  Filter: (x = '```')"}},
			{Location: rules.Location{Path: "b.go", Line: 2}, Changed: true, SQL: "select 2", Role: "app", Lines: []string{"Result"}},
			{Location: rules.Location{Path: "c.go", Line: 3}, SQL: "select 3", Problem: "no </summary> here"},
		}},
		Gate:     &report.GateResult{Failed: true, Headline: "fail: 1 <fail>", Lines: []string{"api | " + nasty, "second"}},
		Previous: report.Ticks{Findings: map[string]bool{d.Findings[0].ID: true}},
	}
	var src, page bytes.Buffer
	if err := report.Checklist(&src, d); err != nil {
		t.Fatal(err)
	}
	gfm := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(htmlout.WithUnsafe()))
	if err := gfm.Convert(src.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	boxes, tasks, ticked, standing := 0, 0, 0, 0
	var folded []string
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "b", "i", "img", "script", "table", "a", "s", "del":
			t.Errorf("markup gets in: <%s>", n.Data)
		case "input":
			depth := 0
			for p := range n.Ancestors() {
				if p.Data == "ul" {
					depth++
				}
			}
			if depth == 1 {
				boxes++
			} else if tasks++; slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }) {
				ticked++
			}
		case "details":
			text := ""
			for c := range n.ChildNodes() {
				if c.Data == "summary" || c.Data == "pre" {
					text += c.Data + " " + strings.TrimSpace(content(c)) + "\n"
				}
			}
			folded = append(folded, text)
		}
	}
	for i := range d.Findings {
		if d.Findings[i].Verdict.Status != rules.Refuted {
			standing++
		}
	}
	if boxes != 7 || tasks != standing || ticked != 1 {
		t.Errorf("%d boxes, %d findings below them, %d ticked, want 7, %d and 1\n%s", boxes, tasks, ticked, standing, src.String())
	}
	want := []string{
		"summary new: c.go:3: no plan: no </summary> here\npre select 3\n",
		"summary new: a<b>|`.go:1 <i>\npre " + sql + "\npre Seq Scan on \"</pre>\"\n  Filter: (x = '```')\n",
		"summary changed: b.go:2, as app\npre select 2\npre Result\n",
	}
	if !slices.Equal(folded, want) {
		t.Errorf("folded are %q\nwant %q", folded, want)
	}
}

// content is the text of a node and all below it.
func content(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
