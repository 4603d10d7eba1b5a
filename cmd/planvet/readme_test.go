package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules/all"
)

// A block of a document that is the output of a command:
//
//	<!-- planvet:output exit=1 cmd="planvet check examples/casino" -->
//	```text
//	…
//	```
//	<!-- /planvet:output -->
var outputBlock = regexp.MustCompile("(?s)(<!-- planvet:output exit=(\\d) cmd=\"planvet ([^\"\\n]*)\" -->\n```[a-z]*\n)(.*?)(```\n<!-- /planvet:output -->)")

// figure is a number, or one before and one after.
const figure = `\d[\d,.]*( → \d[\d,.]*)?`

// measured are the figures that differ between two runs or two machines.
var measured = []struct {
	re   *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(figure + ` (ms|blocks)\b`), "# $2"},
	{regexp.MustCompile(`\bcost ` + figure), "cost #"},
	{regexp.MustCompile(`PostgreSQL \d[\d.]*`), "PostgreSQL #"},
}

func mask(text string) string {
	for _, m := range measured {
		text = m.re.ReplaceAllString(text, m.mask)
	}
	return text
}

// TestOutputsOfDocs holds the output blocks of README.md and the pages in docs against what
// the commands print now, measured figures masked; UPDATE=1 writes them.
func TestOutputsOfDocs(t *testing.T) {
	docs := documents(t)
	t.Chdir("../..")
	seen := 0
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		text := docs[name]
		n := len(outputBlock.FindAllString(text, -1))
		if want := strings.Count(text, "<!-- planvet:output"); n != want {
			t.Fatalf("%s opens %d output blocks, of which %d are well-formed", name, want, n)
		}
		if n == 0 {
			continue
		}
		seen++
		t.Run(name, func(t *testing.T) { outputsOfDoc(t, name, text) })
	}
	if docs["README.md"] == "" || seen < 2 {
		t.Errorf("%d documents have output blocks", seen)
	}
}

func outputsOfDoc(t *testing.T, name, text string) {
	t.Helper()
	fresh := outputBlock.ReplaceAllStringFunc(text, func(block string) string {
		m := outputBlock.FindStringSubmatch(block)
		got, err := outputOf(t, m[3], m[2])
		if err != nil {
			t.Error(err)
			return block
		}
		if !casetest.Update() {
			if d := cmp.Diff(mask(m[4]), mask(got)); d != "" {
				t.Errorf("%s: the output of planvet %s is stale; run UPDATE=1 go test ./cmd/planvet -run OutputsOfDocs\n%s", name, m[3], d)
			}
			return block
		}
		return m[1] + got + m[5]
	})
	if casetest.Update() && fresh != text {
		if err := os.WriteFile(name, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// outputOf runs a command of a document and returns what it prints.
func outputOf(t *testing.T, command, exit string) (string, error) {
	t.Helper()
	if strings.Contains(command, "--confirm shadow") {
		shadowtest.Server(t) // skips where there is none to be had
	}
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), strings.Fields(command), &stdout, &stderr)
	if want, _ := strconv.Atoi(exit); code != want {
		return "", fmt.Errorf("planvet %s: exit %d, want %d\n%s", command, code, want, stderr.Bytes())
	}
	return strings.TrimRight(stdout.String(), "\n") + "\n", nil
}

// yamlBlock is a fenced block, at any indentation.
var yamlBlock = regexp.MustCompile("(?s)( *)```yaml\n(.*?)\n *```")

// TestConfigExamples parses each planvet.yaml of the documents, and holds the table
// of keys against the schema.
func TestConfigExamples(t *testing.T) {
	for _, doc := range []string{"../../README.md", "../../docs/configuration.md", "../../docs/shadow.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		parsed := 0
		for _, m := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			example := regexp.MustCompile("(?m)^"+m[1]).ReplaceAllString(m[2], "")
			if !strings.HasPrefix(example, "version: 1\n") {
				continue // a CI file
			}
			parsed++
			c, err := config.Parse(doc, []byte(example))
			if err == nil {
				err = c.CheckRules(all.Names(), all.GroupNames())
			}
			if err != nil {
				t.Error(err)
			}
		}
		if parsed == 0 {
			t.Errorf("%s has no example of planvet.yaml", doc)
		}
	}
	schema, err := os.ReadFile("../../internal/config/planvet.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var keys struct{ Properties map[string]any }
	if err := json.Unmarshal(schema, &keys); err != nil || len(keys.Properties) == 0 {
		t.Fatalf("the schema has %d keys: %v", len(keys.Properties), err)
	}
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for key := range keys.Properties {
		if !strings.Contains(string(doc), "| `"+key+"` |") {
			t.Errorf("docs/configuration.md has no row for %s", key)
		}
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"seq scan, 12.31 ms, 1,962 blocks", "seq scan, # ms, # blocks"},
		{"cost 3,639 → 8.44; 2,389 → 4 blocks; 25.6 → 0.019 ms", "cost #; # blocks; # ms"},
		{"cost 3212.00 on PostgreSQL 15.18", "cost # on PostgreSQL #"},
		{"64 → 1 round trips", "64 → 1 round trips"},
		{"at 100,000 assumed rows", "at 100,000 assumed rows"},
	} {
		if got := mask(c.in); got != c.want {
			t.Errorf("mask(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
