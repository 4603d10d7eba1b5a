package load

import (
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
	dbwork "github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func inspected(t *testing.T, url, c string) *results.Work {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n  db:\n    cases:\n      - {name: c, "+c+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.DB.URL = url
	w, err := Inspect(t.Context(), f.DB, &f.DB.Cases[0], "pr-123")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// live.md rows 59 and 62: an index that goes is named with the node that took its place, by
// one execution of each.
func TestInspect(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint generated always as identity primary key, guest int, note text default repeat('x', 100))",
		"insert into visits (guest) select i % 500 from generate_series(1, 20000) i", "create index visits_guest_idx on visits (guest)", "vacuum analyze visits")
	url := conn.Config().ConnString()
	const (
		read   = "sql: 'select * from visits where guest = $1 order by id', params: [7]"
		simple = read + ", protocol: simple"
		write  = "sql: 'insert into visits (guest) values ($1)', params: [7], rows: 1"
	)
	before := map[string]*results.Work{}
	for _, c := range []string{read, simple, write} {
		w, again := inspected(t, url, c), inspected(t, url, c)
		if d := dbwork.Compare(w, again, 0.1); len(d.Worse(false)) > 0 || d.Plan != nil || d.Different != "" || len(d.Causes) > 0 {
			t.Errorf("%s: differs from itself: %+v", c, d)
		}
		if before[c] = w; w.Blocks == nil || *w.Blocks == 0 || w.Rows == nil || w.Fingerprint == "" {
			t.Errorf("%s: %+v", c, w)
		}
	}
	if w := before[read]; *w.Rows != 40 || *w.WALRecords != 0 || len(w.Scans) != 1 || w.Scans[0].Index != "public.visits_guest_idx" || w.Scans[0].Rows != 20_000 || w.Scans[0].Pages < 300 || !slices.Contains(w.Scans[0].Indexes, "public.visits_pkey") {
		t.Errorf("%+v", w)
	}
	if w := before[write]; *w.Rows != 1 || *w.WALRecords < 2 {
		t.Errorf("%+v", w)
	}
	if _, err := conn.Exec(t.Context(), "drop index visits_guest_idx"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{read, simple} {
		d := dbwork.Compare(before[c], inspected(t, url, c), 0.1)
		if worse := d.Worse(true); len(worse) != 1 || !strings.HasPrefix(worse[0], "shared blocks ") {
			t.Errorf("%s: worse by %q", c, worse)
		}
		if len(d.Causes) != 2 || d.Causes[0].Kind != dbwork.IndexGone || !strings.Contains(d.Causes[0].Text, "B has no index public.visits_guest_idx on public.visits, which A reads by Bitmap Index Scan on visits_guest_idx") ||
			d.Causes[1].Kind != dbwork.NewSeqScan || !strings.Contains(d.Causes[1].Text, "→ Seq Scan on visits") {
			t.Errorf("%s: %+v", c, d.Causes)
		}
		if back := dbwork.Compare(d.B, d.A, 0.1); len(back.Worse(false)) > 0 {
			t.Errorf("%s: and back it is worse by %q", c, back.Worse(false))
		}
	}
}
