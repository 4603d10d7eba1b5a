package all

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
)

func TestAll(t *testing.T) {
	if err := Validate(All()); err != nil {
		t.Error(err)
	}
	if !slices.IsSorted(Names()) {
		t.Error("the rules are not sorted by name")
	}
	for _, n := range Names() {
		if r := Lookup(n); r == nil || r.Name != n {
			t.Errorf("Lookup(%q) = %v", n, r)
		}
	}
	if r := Lookup("no-such-rule"); r != nil {
		t.Errorf("Lookup of an unknown name gave %s", r.Name)
	}
}

func TestValidate(t *testing.T) {
	page := "# a-rule\n\n## What it finds\n\n## Why it is slow\n\n## Bad\n\n## Good\n\n## How it is confirmed\n\n## Known limits\n"
	good := rules.Rule{Name: "a-rule", Summary: "a fault", Package: "sqllint", Group: "indexes", Severity: rules.Warning, Certainty: rules.Certain, Page: page}
	for _, c := range []struct {
		name, err string
		change    func(r *rules.Rule)
	}{
		{"ok", "", func(*rules.Rule) {}},
		{"ok_acronym", "", func(r *rules.Rule) { r.Summary = "RLS is off" }},
		{"err_name", "kebab", func(r *rules.Rule) { r.Name = "A_Rule" }},
		{"err_summary_stop", "full stop", func(r *rules.Rule) { r.Summary = "a fault." }},
		{"err_summary_case", "lower case", func(r *rules.Rule) { r.Summary = "A fault" }},
		{"err_package", "no package", func(r *rules.Rule) { r.Package = "" }},
		{"err_group", "group", func(r *rules.Rule) { r.Group = "indices" }},
		{"err_severity", "severity", func(r *rules.Rule) { r.Severity = "fatal" }},
		{"err_certainty", "certainty", func(r *rules.Rule) { r.Certainty = "" }},
		{"err_title", "open with", func(r *rules.Rule) { r.Page = "# other\n" }},
		{"err_heading_missing", "headings", func(r *rules.Rule) { r.Page = strings.Replace(page, "## Good\n", "", 1) }},
		{"err_heading_order", "headings", func(r *rules.Rule) {
			r.Page = strings.Replace(strings.Replace(page, "## Bad", "## X", 1), "## Good", "## Bad", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good
			c.change(&r)
			err := Validate([]*rules.Rule{&r})
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
	if err := Validate([]*rules.Rule{&good, &good}); err == nil {
		t.Error("two rules of one name pass")
	}
	loops := good
	loops.Name, loops.Page = "loops", strings.Replace(page, "a-rule", "loops", 1)
	if err := Validate([]*rules.Rule{&loops}); err == nil {
		t.Error("a rule with a group's name passes")
	}
}

func TestGroups(t *testing.T) {
	if !slices.IsSortedFunc(Groups(), func(a, b Group) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the groups are not sorted by name")
	}
	for _, g := range Groups() {
		if len(Expand([]string{g.Name})) == 0 {
			t.Errorf("group %s has no rule", g.Name)
		}
	}
	got := Expand([]string{"loops", "unindexed-where", "nplusone", "no-such-name"})
	if want := []string{"nplusone", "row-at-a-time-write", "unindexed-where"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Expand([]string{Everything}); !slices.Equal(got, Names()) {
		t.Errorf("all stands for %q", got)
	}
}

func TestBlocks(t *testing.T) {
	page := "# x\n\n## Bad\n\ntext\n\n```sql\nselect 1;\n```\n\n```go\nf()\n```\n\n## Good\n\n```sql\nselect 2;\n```\n"
	got := Blocks(Section(page, "Bad"))
	want := []Block{{"sql", "select 1;\n"}, {"go", "f()\n"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Section(page, "Missing"); got != "" {
		t.Errorf("a missing section gave %q", got)
	}
}

// TestDocs holds docs/rules against the rules; UPDATE=1 writes it.
func TestDocs(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "rules")
	want := Pages()
	if casetest.Update() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := want[filepath.Base(f)]; ok {
			continue
		}
		if !casetest.Update() {
			t.Errorf("%s belongs to no rule: run `UPDATE=1 go test ./rules/all`", f)
		} else if err := os.Remove(f); err != nil {
			t.Error(err)
		}
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != text {
			t.Errorf("docs/rules/%s is stale: run `UPDATE=1 go test ./rules/all`", name)
		}
	}
}
