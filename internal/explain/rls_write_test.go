package explain

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/report"
)

func overheadSample() *OverheadReport {
	return &OverheadReport{Version: FormatVersion, Server: "15.18", Where: "shadow", Tables: []TableOverhead{
		{
			Table: "notes", SQL: "select * from notes", Settings: map[string]string{"request.jwt.claims": `{"sub":"a|b"}`},
			Overhead: Overhead{
				Role: "authenticated", Enforced: Arm{MS: 145, Blocks: 935, Rows: 100, Cost: 2800}, Ideal: Arm{MS: 8, Blocks: 935, Rows: 100, Cost: 2200},
				Naked: &Arm{MS: 7, Blocks: 935, Rows: 100_000, Cost: 1900}, Rounds: 7, SameRows: true, MS: 137, Ratio: 18.1,
				Policies: []PolicyCost{{Table: "notes", Policy: "own", Using: "user_id = auth.uid()", Functions: []PolicyCall{{"auth.uid()", PerRow, 100_000}}, ForEverybody: true}},
				Demoted:  []Demotion{{Table: "notes", Condition: "tags @> '{}'", Operator: "@> on jsonb", Index: "notes_tags", Advice: "a column of its own"}},
				Remedies: []Recommendation{{Kind: Index, Title: "an index on notes.user_id", SQL: []string{"create index concurrently on notes (user_id)"}, Why: "not verified: x"}},
			},
		},
		{SQL: "select 1", Settings: map[string]string{}, Overhead: Overhead{Role: "anon", Policies: []PolicyCost{}, Problem: "postgres://u:secret@h/db is\x1b[31m gone"}},
	}}
}

func matrixSample() *Matrix {
	one, none := int64(1), int64(0)
	cell := func(verb string, outcome string, foreign *int64, reason string) Cell {
		return Cell{Identity: 1, Role: "authenticated", Claims: `{"org":"a"}`, Table: "tick|ets", Verb: verb, MS: 1.5, Blocks: 12, Rows: 3, Tenant: "org = 'a'", Foreign: foreign, Outcome: outcome, Reason: reason}
	}
	m := &Matrix{Version: FormatVersion, Server: "15.18", Where: "shadow", Cells: []Cell{
		cell("select", Leak, &one, "1 rows"), cell("insert", Denied, nil, "no policy lets it insert"), cell("update", OK, &none, ""), cell("delete", Undecided, nil, "why"),
	}}
	m.Cells[0].WithTo = &Arm{MS: 0.001}
	return m
}

// TestRLSContract: the JSON of both commands is by its schema.
func TestRLSContract(t *testing.T) {
	for schema, write := range map[string]func(io.Writer) error{"rls-overhead": overheadSample().JSON, "rls-matrix": matrixSample().JSON} {
		s, err := jsonschema.NewCompiler().Compile("../report/testdata/contract/" + schema + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if err := validateReport(t, s, b.String()); err != nil {
			t.Errorf("%s: %v\n%s", schema, err, &b)
		}
		if err := validateReport(t, s, strings.Replace(b.String(), `"role"`, `"rule"`, 1)); err == nil {
			t.Errorf("%s takes a document without a role", schema)
		}
	}
}

// TestRLSWriters: both forms say what there is, with no control character, no password
// and no broken table.
func TestRLSWriters(t *testing.T) {
	text := func(f func(io.Writer, report.TextOptions) error) string {
		var b bytes.Buffer
		if err := f(&b, report.TextOptions{Width: 200}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	markdown := func(f func(io.Writer) error) string {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		out  string
		want []string
	}{
		"overhead text":     {text(overheadSample().Text), []string{"137 ms", "18×", "auth.uid() per row", "not leakproof", "create index concurrently on notes (user_id)", "not measured"}},
		"overhead markdown": {markdown(overheadSample().Markdown), []string{"| notes | authenticated | 100 | 145 ms | 8.00 ms | 137 ms | 18× |", "| the statement | anon |"}},
		"matrix text":       {text(matrixSample().Text), []string{"LEAK 3, 1.50 ms, 12", "denied", "leak: select on tick|ets as authenticated 1: 1 rows", "inconclusive: delete", "1 of 4 cells leak, 1 are inconclusive", "with TO"}},
		"matrix markdown":   {markdown(matrixSample().Markdown), []string{`| tick\|ets | authenticated 1 | LEAK`}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.out, w) {
				t.Errorf("%s lacks %q:\n%s", name, w, c.out)
			}
		}
		if strings.Contains(c.out, "secret") || strings.ContainsRune(c.out, 0x1b) {
			t.Errorf("%s shows what it must not:\n%s", name, c.out)
		}
	}
}
