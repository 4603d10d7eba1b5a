package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Every file is YAML, ends its last line, and takes planvet from one ref, if at all.
func TestFiles(t *testing.T) {
	refs := map[string]int{"golangci-lint": 0, "lefthook": 0}
	for _, f := range Files() {
		var v map[string]any
		if err := yaml.Unmarshal([]byte(f.Text), &v); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if !strings.HasSuffix(f.Text, "\n") || strings.HasSuffix(f.Text, "\n\n") {
			t.Errorf("%s does not end in one newline", f.Name)
		}
		want, known := refs[f.Name]
		if !known {
			want = 1
		}
		at := f.At("v1.2.3").Text
		if n := strings.Count(at, "v1.2.3"); n != want {
			t.Errorf("%s names the release %d times, want %d:\n%s", f.Name, n, want, at)
		}
		if got, err := Named(f.Name); err != nil || got != f {
			t.Errorf("Named(%q) is %+v, %v", f.Name, got, err)
		}
	}
	if _, err := Named("jenkins"); err == nil || !strings.Contains(err.Error(), "lefthook") {
		t.Errorf("an unknown name gives %v", err)
	}
}

// A project in a folder of its repository is named once by whatever runs planvet, and
// the file stays YAML.
func TestIn(t *testing.T) {
	for _, f := range Files() {
		in := f.In("services/api").Text
		var v map[string]any
		if err := yaml.Unmarshal([]byte(in), &v); err != nil {
			t.Errorf("%s: %v\n%s", f.Name, err, in)
		}
		want := 1
		if strings.HasPrefix(f.Name, "golangci-lint") {
			want = 0 // it goes by packages
		}
		if n := strings.Count(in, "services/api"); n != want {
			t.Errorf("%s names the folder %d times, want %d:\n%s", f.Name, n, want, in)
		}
		if f.In("") != f {
			t.Errorf("%s changes without a folder", f.Name)
		}
	}
}

// The pages show what is written, to the letter.
func TestPages(t *testing.T) {
	for page, names := range map[string][]string{
		"hooks.md": {"pre-commit", "lefthook"},
		"ci.md":    {"github", "gitlab", "golangci-lint-build", "golangci-lint"},
	} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			f, err := Named(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "```yaml\n# "+f.Path+"\n"+f.Text+"```\n") {
				t.Errorf("docs/%s does not show %s as it is written", page, f.Path)
			}
		}
	}
}

// The action's inputs are in docs/ci.md, in their order.
func TestActionInputs(t *testing.T) {
	action, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ Inputs yaml.MapSlice }
	if err := yaml.Unmarshal(action, &a); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, in := range a.Inputs {
		about := in.Value.(map[string]any)
		initial, _ := about["default"].(string)
		if initial != "" {
			initial = "`" + initial + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", in.Key, initial, about["description"])
	}
	_, rest, _ := strings.Cut(string(page), "<!-- planvet action inputs -->\n| input | default | what it is |\n| --- | --- | --- |\n")
	got, _, ok := strings.Cut(rest, "<!-- /planvet action inputs -->")
	if !ok || got != want.String() {
		t.Errorf("docs/ci.md has of the action's inputs\n%swant\n%s", got, want.String())
	}
}
