package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules/all"
)

func ruleProject(t *testing.T, conf string, asked ...string) (*Project, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "planvet.yaml"), []byte("version: 1\n"+conf), 0o644); err != nil {
		t.Fatal(err)
	}
	return Open(Options{Dir: dir, Rules: asked})
}

// TestRuleSettings: a rule's own setting stands before its group's, that before what is
// said of all, and the command line before config.
func TestRuleSettings(t *testing.T) {
	loops := all.Expand([]string{"loops"})
	for _, c := range []struct {
		name, conf string
		asked      []string
		on         []string // of the rules that follow
		of         []string
	}{
		{"defaults", "", nil, loops, loops},
		{"group_off", "rules: {loops: off}", nil, nil, loops},
		{"rule_over_group", "rules: {loops: off, nplusone: on}", nil, []string{"nplusone"}, loops},
		{"rule_off_over_group", "rules: {loops: error, nplusone: off}", nil, []string{"row-at-a-time-write"}, loops},
		{"few_of_all", "rules: {all: off, loops: on, unindexed-where: error}", nil, append(slices.Clone(loops), "unindexed-where"), all.Names()},
		{"asked_group", "rules: {loops: off}", []string{"loops"}, loops, all.Names()},
		{"asked_both", "", []string{"loops", "unindexed-where"}, append(slices.Clone(loops), "unindexed-where"), all.Names()},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ruleProject(t, c.conf+"\n", c.asked...)
			if err != nil {
				t.Fatal(err)
			}
			var on []string
			for _, r := range c.of {
				if p.enabled(r) {
					on = append(on, r)
				}
			}
			if !slices.Equal(on, c.on) {
				t.Errorf("on are %q, want %q", on, c.on)
			}
		})
	}
}

func TestGroupSeverity(t *testing.T) {
	p, err := ruleProject(t, "rules: {all: info, loops: error, nplusone: warning}\n")
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{"nplusone": "warning", "row-at-a-time-write": "error", "unindexed-where": "info"} {
		if got := p.setting(rule).Severity; got != want {
			t.Errorf("%s is %s, want %s", rule, got, want)
		}
	}
}

func TestUnknownGroup(t *testing.T) {
	for _, c := range []struct{ conf, asked, want string }{
		{"rules: {lops: off}", "", `planvet.yaml:2: unknown rule or group "lops"; did you mean "loops"?`},
		{"", "suppressionz", `unknown rule or group "suppressionz"; did you mean "suppressions"?`},
		{"spec_refs: {loops: N-1}", "", `unknown rule "loops"`},
	} {
		var asked []string
		if c.asked != "" {
			asked = append(asked, c.asked)
		}
		if _, err := ruleProject(t, c.conf+"\n", asked...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %s", c.conf, c.asked, err, c.want)
		}
	}
}
