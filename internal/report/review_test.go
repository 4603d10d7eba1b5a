package report

import (
	"slices"
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
	p.Of = p.Of[:400]
	if text = listOf(t, d); len(text) > CommentLimit || !strings.Contains(text, "- [ ] **EXPLAIN attached**: 400 new or changed queries planned, ") || strings.Count(text, "<details") == 0 {
		t.Errorf("%d bytes: plans that do not fit are no attached ones:\n%.600s", len(text), text)
	}
	p.Of = p.Of[:401]
	text = listOf(t, d)
	first := text[strings.Index(text, "<details"):]
	if want := "<details open><summary>new: <code>&lt;b&gt;&#64;team.go:0</code>: no plan: no such &lt;table&gt;</summary>"; !strings.HasPrefix(first, want) {
		t.Errorf("first is %.200s", first)
	}
	if !strings.Contains(text, "````sql\nselect 1\n```\n</details>\n````\n") {
		t.Error("a fence within the text ends the block")
	}
}

// TestSpecsInEveryFormat: where the user wrote down what a rule is for stands with its
// findings, whatever reads them.
func TestSpecsInEveryFormat(t *testing.T) {
	for _, f := range Formats() {
		var b strings.Builder
		if _, err := f.Write(&b, sample(), nil); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "NFR-12") {
			t.Errorf("%s does not have it", f.Name)
		}
	}
	for i := range sample().Findings {
		if f := &sample().Findings[i]; f.SpecRef != "" && !strings.Contains(Explain(f, ExplainOptions{}), "spec: NFR-12") {
			t.Error("a hover does not have it")
		}
	}
}

// TestTicksOfWhatIsCut: a finding that is accepted stays so though the list has no room for
// it, in this list and the one after.
func TestTicksOfWhatIsCut(t *testing.T) {
	d := many(200)
	ticks := Ticks{Findings: map[string]bool{}}
	for i := range d.Findings {
		if i%2 == 0 && live(&d.Findings[i]) {
			ticks.Findings[d.Findings[i].ID] = true
		}
	}
	want := len(d.Unaccepted().Findings) - len(ticks.Findings)
	for range 2 {
		d.Review = &Review{Previous: ticks}
		if got := len(d.Unaccepted().Findings); got != want || want == 0 {
			t.Fatalf("%d findings are left, want %d", got, want)
		}
		text := listOf(t, d)
		if !strings.Contains(text, " more, none of them worse (") {
			t.Fatalf("nothing is cut:\n%s", text)
		}
		ticks = ReadTicks(text)
	}
}

// TestHugeFits: whatever is huge, the list fits in a comment and has all boxes, and what is
// huge hides nothing after it.
func TestHugeFits(t *testing.T) {
	huge := strings.Repeat("<é> ", 40_000)
	d := many(3)
	d.Findings[0].Message, d.Findings[0].SpecRef, d.Findings[0].Severity = huge, huge, rules.Error
	d.Findings[0].Fix = &rules.Fix{SQL: []string{huge}}
	d.Review = &Review{Gate: &GateResult{Failed: true, Headline: huge}, Plans: &Plans{Of: []QueryPlan{
		{SQL: huge, Lines: []string{huge}, Symbol: "Huge"}, {SQL: "select 1", Lines: slices.Repeat([]string{"Seq Scan"}, 5000), Symbol: "Long"}, {SQL: "select 2", Symbol: "Last"},
	}}}
	for range 1000 {
		d.Review.Gate.Lines = append(d.Review.Gate.Lines, huge)
	}
	text := listOf(t, d)
	if len(text) > CommentLimit || strings.Count(text, "<!-- planvet:v1 box=") != len(boxes) || !strings.HasSuffix(text, "not applied.\n") {
		t.Errorf("%d bytes, %d boxes: …%s", len(text), strings.Count(text, "box="), text[len(text)-200:])
	}
	for _, want := range []string{"its fix is left out", "<br>and 990 more", "… 4940 more lines", "Last</summary>", "3 new or changed queries with the plan below"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the list", want)
		}
	}
	for i := range d.Findings {
		if !strings.Contains(text, "id="+d.Findings[i].ID) {
			t.Errorf("%s is hidden", d.Findings[i].ID)
		}
	}
	d.Review = &Review{NoPlans: huge}
	if text := listOf(t, d); len(text) > CommentLimit {
		t.Errorf("%d bytes with a reason that is huge", len(text))
	}
}

// TestGateFailed: a regression fails the run until a person takes it.
func TestGateFailed(t *testing.T) {
	d := clean()
	for _, c := range []struct {
		gate *GateResult
		want bool
	}{{nil, false}, {&GateResult{Passed: true, Headline: "pass"}, false}, {&GateResult{Headline: "inconclusive"}, false}, {&GateResult{Failed: true, Headline: "fail: 1 fail"}, true}} {
		d.Review = &Review{Gate: c.gate}
		if got := d.GateFailed(); got != c.want {
			t.Errorf("%+v: %v", c.gate, got)
		}
	}
	d.Review.Previous = ReadTicks(strings.Replace(listOf(t, d), "- [ ] **Benchmark", "- [x] **Benchmark", 1))
	if d.GateFailed() {
		t.Error("a person took it, and it fails")
	}
	d.Review.Gate.Headline = "fail: 2 fail"
	if !d.GateFailed() {
		t.Error("another regression is taken for the one that a person took")
	}
}
