package report

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

func listOf(t *testing.T, d *Document) string {
	t.Helper()
	var b strings.Builder
	if err := Checklist(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTicksByHand: what a person ticks is kept while it says the same, and what is accepted fails
// no run.
func TestTicksByHand(t *testing.T) {
	d := sample()
	d.Unparsed, d.Unresolved, d.NotApplied = nil, nil, nil
	before := listOf(t, d)
	if got := ReadTicks(before); len(got.Findings) != 0 {
		t.Fatalf("nobody ticked %v", got.Findings)
	}
	ticked := strings.ReplaceAll(before, "- [ ] **No N+1**", "* [X] **No N+1**") // as an editor may leave it
	ticked = strings.Replace(ticked, "  - [ ] `db/001.sql:3:12`", "  - [x] `db/001.sql:3:12`", 1)
	d.Review = &Review{Previous: ReadTicks(ticked)}
	after := listOf(t, d)
	for _, want := range []string{"- [x] **No N+1**: 1 finding (ticked by hand)", "  - [x] `db/001.sql:3:12`", "- [ ] **Indexes exist**: 3 findings"} {
		if !strings.Contains(after, want) {
			t.Errorf("%q is not in\n%s", want, after)
		}
	}
	if was, is := len(d.Findings), len(d.Unaccepted().Findings); is != was-2 {
		t.Errorf("%d of %d findings are left, want without the ticked one and that of the ticked box", is, was)
	}
	// Another finding of its kind unticks the box.
	for i := range d.Findings {
		if d.Findings[i].Rule == "nplusone" {
			f := d.Findings[i]
			f.ID = "v1:other"
			d.Findings = append(d.Findings, f)
			break
		}
	}
	if again := listOf(t, d); !strings.Contains(again, "- [ ] **No N+1**: 2 findings") {
		t.Errorf("a new finding leaves the box ticked:\n%s", again)
	}
}

// TestPlansFit: plans are cut at what a comment holds, those that are missing first, and a
// hostile text ends no block.
func TestPlansFit(t *testing.T) {
	p := &Plans{Server: "PostgreSQL 15"}
	for range 400 {
		p.Of = append(p.Of, QueryPlan{Location: rules.Location{Path: "a.go", Line: 1}, SQL: "select 1\n```\n</details>", Lines: []string{strings.Repeat("Seq Scan ", 30)}})
	}
	p.Of = append(p.Of, QueryPlan{Location: rules.Location{Path: "<b>@team.go"}, SQL: "select 2", Problem: "no such <table>"})
	d := clean()
	d.Review = &Review{Plans: p}
	text := listOf(t, d)
	if len(text) > CommentLimit || !strings.Contains(text, "more plans are left out") || !strings.HasSuffix(text, "not applied.\n") {
		t.Errorf("%d bytes: …%s", len(text), text[max(0, len(text)-300):])
	}
	if !strings.Contains(text, "- [ ] **EXPLAIN attached**: 1 of 401 new or changed queries without a plan") {
		t.Errorf("a query without a plan is not told:\n%.600s", text)
	}
	first := text[strings.Index(text, "<details"):]
	if want := "<details open><summary>new: <code>&lt;b&gt;&#64;team.go:0</code>: no plan: no such &lt;table&gt;</summary>"; !strings.HasPrefix(first, want) {
		t.Errorf("first is %.200s", first)
	}
	if !strings.Contains(text, "````sql\nselect 1\n```\n</details>\n````\n") {
		t.Error("a fence within the text ends the block")
	}
}
