package memory

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestImprovement(t *testing.T) {
	for _, c := range []struct{ before, after, want float64 }{
		{450, 85, 81}, {100, 50, 50}, {85, 450, -429}, {10, 10, 0}, {50000, 3, 99.99}, {1000, 999, 0.1},
	} {
		if got := Improvement(c.before, c.after); got != c.want {
			t.Errorf("%g → %g: %g, want %g", c.before, c.after, got, c.want)
		}
	}
}

// One entry as a skill gives it: the names are those of its protocol.
const asSkill = `{"skill_name": "performance-engineer", "task": "Query optimization for visits table", "outcome": "success",
	"pattern_used": "Index addition + query rewrite", "validation_results": {"p95_before_ms": 450, "p95_after_ms": 85, "improvement_pct": 81},
	"files_created": ["supabase/migrations/xxx_add_visits_index.sql"],
	"lessons_learned": ["Composite index on (casino_id, player_id) critical for RLS"]}`

func settled(t *testing.T, text string) []Entry {
	t.Helper()
	es, err := Read(strings.NewReader(text))
	if err == nil {
		es, err = Settled(es, noon)
	}
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func TestSettled(t *testing.T) {
	e := settled(t, asSkill)[0]
	if e.Category != "skills" || *e.Validation.Improvement != 81 || e.Validation.Of != "p95" || e.Source != "hand" || !e.Time.Equal(noon) || e.ID == "" {
		t.Errorf("%+v %+v", e, e.Validation)
	}
	if got, want := e.figures(), "p95 450 ms → 85.0 ms (−81 %)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	bySQL := settled(t, `{"task": "a", "outcome": "failure", "query": "select * from visits where id = 7 -- for bob", "tags": ["RLS", "rls", " b "]}`)[0]
	if bySQL.Query != "select * from visits where id = ?" || bySQL.Fingerprint != fingerprint("select * from visits where id = $1") || !cmp.Equal(bySQL.Tags, []string{"b", "rls"}) {
		t.Errorf("%+v", bySQL)
	}
	for text, want := range map[string]string{
		`{"outcome": "success"}`:           "needs its task",
		`{"task": "a"}`:                    "needs its outcome",
		`{"task": "a", "outcome": "good"}`: `outcome "good": use success`,
		`{"task": "a", "outcome": "success", "validation_results": {"improvement_pct": 90}}`:                                           "is computed",
		`{"task": "a", "outcome": "success", "validation_results": {"p95_before_ms": 450, "p95_after_ms": 85, "improvement_pct": 90}}`: "does not follow from 450 → 85: that is 81",
		`{"task": "a", "outcome": "success", "validation_results": {"p95_before_ms": -1}}`:                                             "use milliseconds over 0",
		`{"task": "a", "outcome": "success", "version": 2}`:                                                                            "this planvet knows 1",
		`{"task": "a", "outcome": "success", "source": "hearsay"}`:                                                                     "use hand",
		`{"task": "a", "outcome": "success", "lesson": "x"}`:                                                                           `unknown field "lesson"`,
		`{"task": "` + strings.Repeat("x", maxEntry) + `", "outcome": "success"}`:                                                      "are the most",
	} {
		es, err := Read(strings.NewReader(text))
		if err == nil {
			_, err = Settled(es, noon)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80s: %v, want %s", text, err, want)
		}
	}
}

// No secret is stored, and no constant is exported; what is exported can be read again.
func TestRedacted(t *testing.T) {
	es := settled(t, `{"id": "x", "task": "moved postgres://app:hunter2@db/prod", "outcome": "success",
		"lessons_learned": ["set password=hunter2", "Authorization: Bearer hunter2hunter2", "create role app password 'hunter2'", "where email = 'bob@example.com' and age > 5318008", "select name from players where ssn = '078-05-1120'", "ask alice@example.com; it's work_mem = 64MB"],
		"query": "select 1 from t where card = '4111' and n = 987654321", "fix": ["create index on t (a) where state = 'vip'"], "validation_results": {"results": {"password": "hunter2", "tests": "pass"}}}`)
	var stored, out bytes.Buffer
	if err := (&Document{Entries: es}).JSON(&stored); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"hunter2", "4111", "987654321"} {
		if strings.Contains(stored.String(), s) {
			t.Errorf("%s is stored: %s", s, stored.String())
		}
	}
	if err := Export(&out, es); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"bob@", "alice@", "5318008", "078-05-1120", "vip"} {
		if !strings.Contains(stored.String(), s) || strings.Contains(out.String(), s) {
			t.Errorf("%s in the export: %s", s, out.String())
		}
	}
	for _, s := range []string{"it's work_mem = 64MB", `"tests":"pass"`, "where state = ?", "where email = ? and age > ?"} {
		if !strings.Contains(out.String(), s) {
			t.Errorf("%s is not in the export: %s", s, out.String())
		}
	}
	var again bytes.Buffer
	if err := Export(&again, settled(t, out.String())); err != nil || again.String() != out.String() {
		t.Errorf("%v\n%s", err, cmp.Diff(out.String(), again.String()))
	}
}

const schemaFile = "../report/testdata/contract/memory.schema.json"

func TestContract(t *testing.T) {
	s, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	p := 1.5
	full, err := Settled([]Entry{{
		Task: "t", Outcome: Confirmed, Skill: "s", Pattern: "p", Files: []string{"f"}, Lessons: []string{"l"}, Tags: []string{"x"}, Category: "c", Rule: "nplusone", Fingerprint: "f", Object: "o",
		Query: "select 1", Fix: []string{"x"}, Source: "check", Finding: "v1:1",
		Validation: &Validation{P95Before: &p, P95After: &p, Level: "measured", Before: &rules.Evidence{Cost: 1, MS: 2, SharedBlocks: 3, Access: "a", RoundTrips: 4}, After: &rules.Evidence{}, Results: map[string]string{"a": "b"}},
	}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	added := 0
	valid := func(d *Document, replace ...string) error {
		var b bytes.Buffer
		if err := d.JSON(&b); err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(replace...).Replace(b.String())
		if len(replace) > 0 && text == b.String() {
			t.Fatalf("%s is not in %s", replace[0], text)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(doc)
	}
	all := &Document{Entries: append(full, settled(t, asSkill)...), Added: &added, LeftOut: []string{"x"}}
	for _, d := range []*Document{{}, all} {
		if err := valid(d); err != nil {
			t.Error(err)
		}
	}
	for _, c := range [][]string{{`"confirmed"`, `"proven"`}, {`"task": "t"`, `"task": ""`}, {`"skill_name"`, `"skillname"`}, {`"improvement_pct": 81`, `"improvement_pct": 181`}, {`"entries"`, `"entry"`}} {
		if valid(all, c...) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

func TestWriters(t *testing.T) {
	es := settled(t, asSkill)
	es[0].ID, es[0].Task = "01X", "a *task*\nof two lines\x1b[31m"
	d := &Document{Entries: es, LeftOut: []string{"b: why"}}
	var text, md bytes.Buffer
	if err := d.Text(&text, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := d.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), md.String()} {
		if strings.Contains(out, "\x1b") || !strings.Contains(out, "−81 %") || !strings.Contains(out, "left out") {
			t.Errorf("%q", out)
		}
	}
	if !strings.Contains(md.String(), `a \*task\* of two lines`) {
		t.Error(md.String())
	}
	if os.Getenv("SHOW") != "" {
		t.Log(text.String() + md.String())
	}
}
