package all

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

var (
	kebab   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	heading = regexp.MustCompile(`(?m)^## (.+?)[ \t]*$`)
)

// headings are those of every page, in order. Rules on comments have no planner to
// be slow in.
func headings(r *rules.Rule) []string {
	hs := []string{"What it finds", "Why it is slow", "Bad", "Good", "How it is confirmed", "Known limits"}
	if r.Package == "suppress" {
		return slices.Delete(hs, 1, 2)
	}
	return hs
}

// Validate reports the first rule whose metadata or page breaks the house rules:
// a kebab-case name that is its own and no group's, a one-line lower-case summary, a
// package, group, severity and certainty, and a page that opens with the name and has the headings
// in order.
func Validate(rs []*rules.Rule) error {
	seen := map[string]bool{}
	for _, r := range rs {
		if err := validate(r); err != nil {
			return fmt.Errorf("rule %q: %w", r.Name, err)
		}
		if slices.Contains(GroupNames(), r.Name) {
			return fmt.Errorf("rule %q: the name is a group's", r.Name)
		}
		if seen[r.Name] {
			return fmt.Errorf("rule %q: the name is used twice", r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}

func validate(r *rules.Rule) error {
	switch {
	case !kebab.MatchString(r.Name):
		return fmt.Errorf("the name is not kebab-case")
	case r.Summary == "" || strings.ContainsAny(r.Summary, "\n") || strings.HasSuffix(r.Summary, "."):
		return fmt.Errorf("the summary %q is not one line without a full stop", r.Summary)
	case r.Summary[0] >= 'A' && r.Summary[0] <= 'Z' && !acronym(r.Summary):
		return fmt.Errorf("the summary %q does not begin in lower case", r.Summary)
	case r.Package == "":
		return fmt.Errorf("no package")
	case !slices.ContainsFunc(groups, func(g Group) bool { return g.Name == r.Group }):
		return fmt.Errorf("the group %q is none of %s", r.Group, strings.Join(GroupNames(), ", "))
	case r.Severity.Rank() == 0:
		return fmt.Errorf("unknown severity %q", r.Severity)
	case r.Certainty != rules.Certain && r.Certainty != rules.Possible:
		return fmt.Errorf("unknown certainty %q", r.Certainty)
	case !strings.HasPrefix(r.Page, "# "+r.Name+"\n"):
		return fmt.Errorf("the page does not open with %q", "# "+r.Name)
	}
	var got []string
	for _, m := range heading.FindAllStringSubmatch(r.Page, -1) {
		got = append(got, m[1])
	}
	if want := headings(r); !slices.Equal(got, want) {
		return fmt.Errorf("the page has the headings %q, not %q", got, want)
	}
	return nil
}

// acronym reports whether a text begins with a word in capitals.
func acronym(s string) bool { return len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' }

// Section returns the text under a heading of a page, "" where there is none.
func Section(page, name string) string {
	ms := heading.FindAllStringSubmatchIndex(page, -1)
	for i, m := range ms {
		if page[m[2]:m[3]] != name {
			continue
		}
		end := len(page)
		if i+1 < len(ms) {
			end = ms[i+1][0]
		}
		return strings.TrimSpace(page[m[1]:end])
	}
	return ""
}

// Block is one fenced block of a page.
type Block struct{ Lang, Text string }

// Blocks returns the fenced blocks of a section in order.
func Blocks(section string) []Block {
	var out []Block
	var open *Block
	for line := range strings.Lines(section) {
		switch fence, ok := strings.CutPrefix(line, "```"); {
		case ok && open == nil:
			open = &Block{Lang: strings.TrimSpace(fence)}
		case ok:
			out = append(out, *open)
			open = nil
		case open != nil:
			open.Text += line
		}
	}
	return out
}

// Index is the table of all rules in Markdown, the one list that there is.
func Index() string {
	var b strings.Builder
	b.WriteString("# Rules\n\nMade from the rules themselves by `make generate`; do not edit.\n\n")
	b.WriteString("| rule | what it finds | group | package | default severity | certainty | on by default |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range All() {
		on := "yes"
		if r.Off {
			on = "no"
		}
		fmt.Fprintf(&b, "| [`%s`](%s.md) | %s | `%s` | `%s` | %s | %s | %s |\n",
			r.Name, r.Name, strings.ReplaceAll(r.Summary, "|", `\|`), r.Group, r.Package, r.Severity, r.Certainty, on)
	}
	b.WriteString("\n## Groups\n\nA group stands for its rules in `rules:` of planvet.yaml and in `--rules`; `all` stands for every rule.\n\n")
	b.WriteString("| group | what it finds | rules |\n| --- | --- | --- |\n")
	for _, g := range groups {
		names := Expand([]string{g.Name})
		fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", g.Name, g.Summary, strings.Join(names, "`, `"))
	}
	return b.String()
}

// Pages are the generated files of docs/rules by name: the index as README.md, and
// a page a rule.
func Pages() map[string]string {
	out := map[string]string{"README.md": Index()}
	for _, r := range All() {
		out[r.Name+".md"] = "<!-- Made by `make generate` from the rule's page beside its code; do not edit. -->\n" + r.Page
	}
	return out
}
