package consumers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pattern is a problem matcher's, as tasks.json has it.
type pattern struct {
	Regexp                                      string
	File, Line, Column, Severity, Message, Code int
}

func problemPattern(t *testing.T) pattern {
	t.Helper()
	text, err := os.ReadFile("../../../docs/vscode/tasks.json")
	if err != nil {
		t.Fatal(err)
	}
	var tasks struct {
		Tasks []struct {
			Args           []string
			ProblemMatcher struct{ Pattern pattern }
		}
	}
	if err := json.Unmarshal(text, &tasks); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(tasks.Tasks[0].Args, " "); got != "check --output vscode" {
		t.Fatalf("the task runs %s", got)
	}
	return tasks.Tasks[0].ProblemMatcher.Pattern
}

// The lines are matched by Go and, as VS Code does it, by JavaScript.
func TestVSCode(t *testing.T) {
	p := problemPattern(t)
	each(t, func(t *testing.T, r *run) {
		re := regexp.MustCompile(p.Regexp)
		var matches [][]string
		for line := range strings.Lines(string(r.outputs["vscode"])) {
			matches = append(matches, re.FindStringSubmatch(strings.TrimSuffix(line, "\n")))
		}
		p.same(t, r, matches)
		t.Run("javascript", func(t *testing.T) {
			node, err := exec.LookPath("node")
			if err != nil {
				t.Skip("node is not installed")
			}
			cmd := exec.Command(node, "-e", `const r = new RegExp(process.argv[1]);
const lines = require("fs").readFileSync(0, "utf8").trimEnd().split("\n");
console.log(JSON.stringify(lines.map(l => r.exec(l))))`, p.Regexp)
			cmd.Stdin = bytes.NewReader(r.outputs["vscode"])
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var matches [][]string
			if err := json.Unmarshal(out, &matches); err != nil {
				t.Fatal(err)
			}
			p.same(t, r, matches)
		})
	})
}

func (p *pattern) same(t *testing.T, r *run, matches [][]string) {
	t.Helper()
	var got []place
	for i, m := range matches {
		if m == nil {
			t.Fatalf("line %d does not match", i+1)
		}
		line, _ := strconv.Atoi(m[p.Line])
		column, _ := strconv.Atoi(m[p.Column])
		got = append(got, place{m[p.File], line, column, m[p.Severity]})
		if f := r.standing()[i]; m[p.Code] != f.Rule || !strings.HasPrefix(m[p.Message], f.Message) {
			t.Errorf("%s: %s, want %s: %s", m[p.Code], m[p.Message], f.Rule, f.Message)
		}
	}
	same(t, got, r.places(byUTF16))
}
