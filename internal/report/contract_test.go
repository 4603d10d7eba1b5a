package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validate holds what write gives against a schema of testdata/contract.
func validate(t *testing.T, schema string, write func(w io.Writer) error) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("testdata/contract/" + schema)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
}

func TestContract(t *testing.T) {
	bare := &Document{Findings: []rules.Finding{{Rule: "x", Severity: rules.Info, Certainty: rules.Certain}}, Unparsed: []Problem{{}}}
	scoped := &Document{Summary: Summary{
		Since:    &Since{Revision: "main", Commit: "0123456789abcdef", FilesChanged: 3, FilesRead: 1, Before: 7, Gone: 1, Notes: []string{"a note"}},
		Baseline: &Baseline{File: "b.json", Findings: 2, Stale: []StaleEntry{{"v1:1", "unindexed-where", "a.sql", "gone"}}},
	}}
	for name, d := range map[string]*Document{"sample": sample(), "clean": clean(), "empty": {}, "bare": bare, "hostile": hostile(), "scoped": scoped} {
		t.Run(name, func(t *testing.T) {
			validate(t, "findings.schema.json", func(w io.Writer) error { return JSON(w, d) })
			var b bytes.Buffer
			if err := JSONLines(&b, d); err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(b.Bytes()) {
				validate(t, "findings-lines.schema.json", func(w io.Writer) error { _, err := w.Write(line); return err })
			}
			want := 2 + len(d.Findings) + len(d.Unparsed) + len(d.Unresolved) + len(d.NotApplied)
			if n := bytes.Count(b.Bytes(), []byte("\n")); n != want {
				t.Errorf("%d lines, want %d", n, want)
			}
		})
	}
	for name, q := range map[string]*Queries{
		"empty": {},
		"one":   {Queries: []Query{{Source: "go", ResolvedBy: "constant"}}, Unparsed: []Problem{{}}, Unresolved: []Problem{{}}},
	} {
		t.Run("queries_"+name, func(t *testing.T) {
			validate(t, "queries.schema.json", func(w io.Writer) error { return QueriesJSON(w, q) })
		})
	}
}

// TestContractCatches shows that the schema refuses what it should: a contract
// test that takes anything proves nothing.
func TestContractCatches(t *testing.T) {
	s, err := jsonschema.NewCompiler().Compile("testdata/contract/findings.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := JSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"confirmed"`, `"proven"`}, {`"line": 4`, `"line": 0`}, {`"unparsed"`, `"unparsable"`}, {`"schema_version": "1"`, `"schema_version": "2"`},
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(b.String(), c[0], c[1])))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

func TestDeterministic(t *testing.T) {
	write := func() string {
		var b bytes.Buffer
		for _, f := range Formats() {
			if _, err := f.Write(&b, sample(), nil); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	first := write()
	for range 5 {
		if write() != first {
			t.Fatal("two runs differ")
		}
	}
}
