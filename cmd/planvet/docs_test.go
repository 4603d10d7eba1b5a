package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// documents are README.md and all that it leads to, by path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel("../..", path)
		out[filepath.ToSlash(name)] = string(text)
	}
	for _, f := range []string{"README.md", "CONTRIBUTING.md", "examples/casino/README.md", "extension/README.md", "skills/planvet/SKILL.md"} {
		if _, err := os.Stat("../../" + f); err == nil {
			add("../../" + f)
		}
	}
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			add(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	fenceLine = regexp.MustCompile("^\\s*(```+)([a-z]*)")
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")
	// prompt is what may stand before a command on its line.
	prompt = regexp.MustCompile(`^\s*(\$ |- run: |run: |entry: |- |script: )?([A-Z_]+=\S* )*(\./|bin/)?planvet `)
)

// commandsOf are the commands of planvet in a document: in code spans, and in the lines of
// fenced blocks that are a shell's or a CI file's.
func commandsOf(text string) (commands []string) {
	fence, language, pending := "", "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := fenceLine.FindStringSubmatch(line); m != nil && (fence == "" || m[1] == fence) {
			if fence == "" {
				fence, language = m[1], m[2]
			} else {
				fence = ""
			}
			continue
		}
		if fence == "" {
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				commands = append(commands, segments(m[1])...)
			}
			continue
		}
		if !slices.Contains([]string{"sh", "bash", "console", "yaml", "shell"}, language) {
			continue
		}
		if language == "console" && pending == "" && !strings.HasPrefix(line, "$ ") {
			continue // what a command printed
		}
		if rest, ok := strings.CutSuffix(line, "\\"); ok {
			pending += rest + " "
			continue
		}
		commands = append(commands, segments(pending+line)...)
		pending = ""
	}
	return commands
}

// segments are the commands of planvet on a line of a shell.
func segments(line string) (out []string) {
	var quote rune
	var b strings.Builder
	end := func() {
		if m := prompt.FindString(b.String()); m != "" {
			out = append(out, strings.TrimSpace(b.String()[len(m):]))
		}
		b.Reset()
	}
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			b.WriteRune(r)
		case r == '\'' || r == '"':
			quote = r
			b.WriteRune(r)
		case strings.ContainsRune("|;&>", r), r == '#' && i > 0 && line[i-1] == ' ', r == '<' && strings.HasPrefix(line[i:], "< "):
			end()
			if r == '#' || r == '>' || r == '<' {
				return out
			}
		default:
			b.WriteRune(r)
		}
	}
	end()
	return out
}

// words splits a command as a shell does, without expanding anything.
func words(command string) (args []string) {
	var b strings.Builder
	var quote rune
	open := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if open || b.Len() > 0 {
				args = append(args, b.String())
			}
			b.Reset()
			open = false
		default:
			b.WriteRune(r)
		}
	}
	if open || b.Len() > 0 {
		args = append(args, b.String())
	}
	return args
}

// TestCommandsOfDocs: each command of planvet that a document names exists with its flags.
// What the blocks marked planvet:output print is run by TestREADME; what pages print by the
// tests of their commands.
func TestCommandsOfDocs(t *testing.T) {
	all := 0
	for name, text := range documents(t) {
		for _, command := range commandsOf(text) {
			args := words(command)
			// A form of usage ends where it names alternatives.
			if i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "[") }); i >= 0 {
				args = args[:i]
			}
			for i, a := range args { // what is left out is some value
				args[i] = strings.ReplaceAll(a, "…", "x")
			}
			if len(args) == 0 || args[0] == "vet" { // go vet's flags are go's
				continue
			}
			all++
			said := ""
			if strings.HasPrefix(args[len(args)-1], "-") { // a flag by its name alone may want a value
				said = helped(append(slices.Clone(args), "1"))
			}
			if said != "" || !strings.HasPrefix(args[len(args)-1], "-") {
				said = helped(args)
			}
			if said != "" {
				t.Errorf("%s: planvet %s: %s", name, command, said)
			}
		}
	}
	if all < 150 {
		t.Errorf("%d commands were found in the documents: the test no longer sees them", all)
	}
}

// helped asks a command for its help, which its flags must not keep it from, and returns what
// it says instead.
func helped(args []string) string {
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), append(slices.Clone(args), "--help"), &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "USAGE:") {
		return fmt.Sprintf("exit %d: %s", code, strings.TrimSpace(stderr.String()))
	}
	return ""
}

// TestCommandsAreSeen: the test above finds commands where they stand, and no others.
func TestCommandsAreSeen(t *testing.T) {
	text := "Run `planvet check --since main`, or `go vet -vettool=$(which planvet) ./...`; planvet draws.\n" +
		"```sh\nplanvet gate --base-ref main \\\n  --threshold 10 | tee x  # as it is\nFOO=1 planvet slo check; bin/planvet rules > x\n```\n" +
		"```console\n$ planvet memory list\nplanvet said this\n```\n```text\nplanvet no\n```\n- `planvet explain --sql 'select a | b'`\n"
	want := []string{"check --since main", "gate --base-ref main    --threshold 10", "slo check", "rules", "memory list", "explain --sql 'select a | b'"}
	if got := commandsOf(text); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := words(`explain --sql 'select a' "" --x`); !slices.Equal(got, []string{"explain", "--sql", "select a", "", "--x"}) {
		t.Errorf("%q", got)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksOfDocs: what a document links to is there, down to the heading.
func TestLinksOfDocs(t *testing.T) {
	docs := documents(t)
	for name, text := range docs {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") || target == "" && anchor == "" {
				continue
			}
			at := name
			if target != "" {
				at = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat("../../" + at); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
				continue
			}
			if anchor != "" && docs[at] != "" && !slices.Contains(anchors(docs[at]), anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", name, m[1], at)
			}
		}
	}
}

// anchors are a document's headings as GitHub names them.
func anchors(text string) (out []string) {
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		title := strings.TrimLeft(line, "#")
		if fenced || title == line {
			continue
		}
		var b strings.Builder
		for _, r := range strings.ToLower(strings.TrimSpace(title)) {
			switch {
			case r == ' ':
				b.WriteRune('-')
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				b.WriteRune(r)
			}
		}
		out = append(out, b.String())
	}
	return out
}
