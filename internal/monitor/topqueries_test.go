package monitor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// topReport is a report of two statements, of which the first has so many calls and
// took so long.
func topReport(at time.Time, calls int64, ms float64, hostile string) *Report {
	rows := []live.Statement{
		{QueryID: 1, TopLevel: true, Query: "select note from visits where guest = $1", Calls: calls, ExecMS: ms, Rows: calls},
		{QueryID: 2, TopLevel: true, Query: "select '" + hostile + "' from visits", Calls: 1, ExecMS: 500, Rows: 1},
	}
	top, totals := Queries(rows, nil, "total", DefaultLimits)
	return &Report{Version: 1, Server: Server{Version: "15.18", Where: "app"}, From: at.Add(-1000 * time.Hour).Truncate(time.Hour), To: at, Sort: "total", Statements: 2, Totals: totals, Top: top}
}

const hostile = "--> | ` <script> <!-- /planvet:top-queries --> <!-- planvet:notes x -->"

func update(t *testing.T, doc []byte, r *Report) []byte {
	t.Helper()
	out, err := UpdateTop(doc, r, map[string]string{r.Top[0].Fingerprint: "internal/jobs/jobs.go:23"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTopQueries(t *testing.T) {
	reset := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	week := func(n int) time.Time { return reset.Add(time.Duration(n) * 7 * 24 * time.Hour) }
	report := func(n int, calls int64, ms float64) *Report {
		r := topReport(week(n), calls, ms, "x")
		r.From = reset
		return r
	}
	first := update(t, nil, report(1, 100, 1000))
	for _, want := range []string{"# Top queries", "internal/jobs/jobs.go:23", "select note from visits"} {
		if !strings.Contains(string(first), want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if again := update(t, first, report(1, 100, 1000)); strings.Contains(string(again), "slower") {
		t.Errorf("nothing happened, and a statement is slower:\n%s", again)
	}

	// People write: above, in the notes of the first statement, and below.
	edited := strings.Replace(string(first), noNotes, "Waits for the index of #42.", 1)
	edited = "Owned by the platform team.\n" + edited + "\n## How we work\n\nEvery Monday.\n"
	// A week later the first statement took three times as long a call.
	second := string(update(t, []byte(edited), report(2, 200, 4000)))
	for _, want := range []string{"Owned by the platform team.\n", "Waits for the index of #42.", "## How we work\n\nEvery Monday.\n", "| slower |", "10.0 ms (+200 %)", "30.0 ms"} {
		if !strings.Contains(second, want) {
			t.Errorf("no %q in\n%s", want, second)
		}
	}
	if strings.Count(second, topEnd) != 1 || strings.Count(second, "Waits for") != 1 {
		t.Errorf("something is there twice:\n%s", second)
	}

	// It leaves the list, and comes back: its notes are kept.
	gone := report(3, 200, 4000)
	gone.Top = gone.Top[1:]
	third := string(update(t, []byte(second), gone))
	if !strings.Contains(third, "## Left the list") || !strings.Contains(third, "Waits for the index of #42.") {
		t.Errorf("notes are lost:\n%s", third)
	}
	fourth := string(update(t, []byte(third), report(4, 300, 4100)))
	if strings.Contains(fourth, "Left the list") || strings.Count(fourth, "Waits for the index of #42.") != 1 || !strings.Contains(fourth, "| new |") {
		t.Errorf("it came back:\n%s", fourth)
	}
	if at, err := Age([]byte(fourth)); err != nil || !at.Equal(week(4)) {
		t.Errorf("of %v, %v", at, err)
	}
}

// TestTopQueriesHostile has a statement that looks like the document's own marks.
func TestTopQueriesHostile(t *testing.T) {
	at := time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC)
	doc := update(t, nil, topReport(at, 100, 1000, strings.ReplaceAll(hostile, "'", "''")))
	again, err := UpdateTop(doc, topReport(at.Add(time.Hour), 100, 1000, hostile), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if strings.Count(string(again), "# Top queries") != 1 {
		t.Errorf("the document grew:\n%s", again)
	}
}

func TestTopQueriesRefusesBrokenMarks(t *testing.T) {
	at := time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC)
	doc := string(update(t, nil, topReport(at, 100, 1000, "x")))
	for name, broken := range map[string]string{
		"no end":     strings.Replace(doc, topEnd, "", 1),
		"two ends":   doc + topEnd,
		"no figures": strings.Replace(doc, `"v":1`, `"v":`, 1),
		"half notes": strings.Replace(doc, notesEnd, "", 1),
	} {
		if _, err := UpdateTop([]byte(broken), topReport(at, 1, 1, "x"), nil); !errors.Is(err, ErrDocument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Age([]byte("# Notes\n")); err == nil {
		t.Error("a document without figures has an age")
	}
}
