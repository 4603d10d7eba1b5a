package monitor_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestTrends keeps three readings, in a file and in a database; between the last two
// one statement takes twice its time, and it alone is listed (row 16).
func TestTrends(t *testing.T) {
	conn := shadowtest.Connect(t, schema, "create table pace (seconds float8)", "insert into pace values (0.015)",
		"create function nap() returns void language plpgsql as $$ begin perform pg_sleep(seconds) from pace; end $$")
	s := open(t, conn)
	team := shadowtest.URL(t)
	file := filepath.Join(t.TempDir(), "history.jsonl")
	append3 := func(where string) *monitor.History {
		h, err := monitor.OpenHistory(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close(t.Context()) })
		return h
	}
	var sizes []int64
	for i := range 3 {
		r := read(t, s)
		// Opened anew each time, as runs of a program are.
		for _, where := range []string{file, team} {
			h := append3(where)
			if err := h.Append(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if err := h.Append(t.Context(), r); err == nil {
				t.Error("the same reading was taken twice")
			}
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, st.Size())
		if i == 1 {
			run(t, conn, "update pace set seconds = 0.080")
		}
		for range 12 {
			run(t, conn, "select nap()")
			run(t, conn, "select name, pg_sleep(0.005) from players where id = $1", 7)
		}
	}
	r := read(t, s)
	for _, where := range []string{file, team} {
		h := append3(where)
		if err := h.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		// A loaded machine makes any statement slower by a half.
		o := monitor.DefaultTrendOptions
		o.Change = 1
		got, err := monitor.FindTrends(t.Context(), h, o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Readings != 4 || len(got.Changed) != 1 {
			t.Fatalf("%s: %d readings, changed %+v", where, got.Readings, got.Changed)
		}
		c := got.Changed[0]
		if c.SQL != "select nap()" || c.Ratio < 1.5 || len(c.Points) != 3 || !c.At.Equal(c.Points[0].To) || c.CostPerDay <= 0 {
			t.Errorf("%s: got %+v", where, c)
		}
	}
	if grown := sizes[2] - sizes[1]; grown > sizes[0]/2 {
		t.Errorf("readings of %v bytes: statements that did nothing are written again", sizes)
	}
}

// TestHistoryHoldsReadings replays what was appended.
func TestHistoryHoldsReadings(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	s := open(t, conn)
	path := filepath.Join(t.TempDir(), "history.jsonl")
	h, err := monitor.OpenHistory(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	var want []*monitor.Reading
	for i := range 3 {
		run(t, conn, "select name from players where id = $1", i)
		r := read(t, s)
		want = append(want, r)
		if err := h.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	err = h.Readings(t.Context(), func(got *monitor.Reading) error {
		o := options(t, s, "total", 0)
		a, b := find(t, want[i].Report(o), "select name from players"), find(t, got.Report(o), "select name from players")
		if fmt.Sprint(a.Calls, a.Rows, a.ExecMS, a.Hit, a.SQL) != fmt.Sprint(b.Calls, b.Rows, b.ExecMS, b.Hit, b.SQL) || !got.Server.Started.Equal(want[i].Server.Started) {
			t.Errorf("reading %d: %+v, was %+v", i, b, a)
		}
		i++
		return nil
	})
	if err != nil || i != 3 {
		t.Errorf("%d readings, %v", i, err)
	}
}

func TestHistoryRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, says string }{
		"torn":    {`{"v":1,"text":"select 1","id":1}` + "\n" + `{"v":1,"te`, "cut off"},
		"foreign": {"id,name\n1,x\n", "line 1"},
		"newer":   {`{"v":9}` + "\n", "version 9"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := monitor.OpenHistory(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", name, err)
		}
		if text, _ := os.ReadFile(path); !bytes.Equal(text, []byte(c.text)) {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := monitor.OpenHistory(t.Context(), "postgres://u:s3cret@127.0.0.1:1/db"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}
