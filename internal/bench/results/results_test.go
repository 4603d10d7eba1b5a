package results

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func recorded(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is written is what was read, and both are what the contract says.
func TestRoundTrip(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../report/testdata/contract/results.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(strings.NewReader(recorded(t)))
	if err != nil {
		t.Fatal(err)
	}
	var once, twice bytes.Buffer
	if err := Write(&once, r); err != nil {
		t.Fatal(err)
	}
	again, err := Read(bytes.NewReader(once.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&twice, again); err != nil || once.String() != twice.String() {
		t.Errorf("a second round differs: %v", err)
	}
	for _, text := range []string{recorded(t), once.String(), `{"version": 1, "started": "2026-03-02T10:05:00Z", "finished": "2026-03-02T10:05:00Z", "environment": {"os": "linux", "arch": "arm64", "cores": 2}, "suites": []}`} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Error(err)
		}
	}
	for _, c := range [][2]string{{`"version": 1`, `"version": 2`}, {`"load": "open"`, `"load": "ajar"`}, {`"latency"`, `"latencies"`}, {`"low": 0`, `"low": -1`}, {`"server-timing"`, `"guess"`}} {
		if !strings.Contains(recorded(t), c[0]) {
			t.Fatalf("%s is not in the file", c[0])
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(recorded(t), c[0], c[1])))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

// What cannot have been measured is refused, and what is wrong is said.
func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"version": 1`, `"version": 7`, "version 7, this planvet knows 1"},
		{`"count": 9,`, `"count": 7000,`, "case POST /slips/{id}/telemetry: 7000 errors of 6000 requests"},
		{`"value": 74,`, `"value": 7.4,`, "a percentile of 7.4 ms is under a lower one of 31"},
		{`"low": 70.3`, `"low": 75`, "74 ms is outside of its own interval, 75 to"},
		{`"value": 0.62`, `"value": 1.62`, "not from 0 to 1"},
		{`"finished": "2026-03-02T10:27`, `"finished": "2026-03-02T09:27`, "finish before they start"},
		{`{`, `[`, "no results of a benchmark"},
	} {
		text := recorded(t)
		if !strings.Contains(text, c.old) {
			t.Fatalf("%s is not in the file", c.old)
		}
		if _, err := Read(strings.NewReader(strings.Replace(text, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
		}
	}
	if _, err := Read(strings.NewReader(recorded(t) + "{}")); err == nil {
		t.Error("a second value is taken")
	}
}

// The example of the documentation is a file that is read.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/dashboard.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	r, err := Read(strings.NewReader(text))
	if err != nil || len(r.Suites) != 1 || len(r.Suites[0].Cases) != 1 || r.Suites[0].Cases[0].Database.Ratio.Value != 0.62 {
		t.Errorf("got %+v, %v", r, err)
	}
}
