package suppress

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

// found makes findings of "rule path:line message" with their identities.
func found(lines ...string) []rules.Finding {
	var fs []rules.Finding
	for _, l := range lines {
		f := strings.SplitN(l, " ", 3)
		path, line, _ := strings.Cut(f[1], ":")
		out := rules.Finding{Rule: f[0], Severity: rules.Warning, Certainty: rules.Certain, Message: f[2], Location: rules.Location{Path: path}}
		fmt.Sscan(line, &out.Location.Line)
		fs = append(fs, out)
	}
	rules.Sort(fs)
	rules.SetIDs(fs)
	return fs
}

func everything(Entry) bool { return true }

func TestBaselineApply(t *testing.T) {
	b, added, dropped := (&Baseline{}).Update(found("where a.sql:3 no index", "where a.sql:9 no index", "order a.sql:3 no order", "where gone.sql:1 of gone"), "backlog", everything)
	if added != 4 || dropped != 0 {
		t.Fatalf("%d added, %d dropped", added, dropped)
	}
	there := func(p string) bool { return p != "gone.sql" }
	for _, c := range []struct {
		name  string
		now   []string
		known int
		kept  []string
		stale []string
	}{
		{"the same", []string{"where a.sql:3 no index", "where a.sql:9 no index", "order a.sql:3 no order", "where b.sql:7 of gone"}, 4, nil, nil},
		{"lines move, messages change", []string{"where a.sql:30 no index on 5 rows", "where a.sql:90 no index", "order a.sql:33 no order", "where b.sql:7 of gone"}, 4, nil, nil},
		{"a third occurrence", []string{"where a.sql:3 no index", "where a.sql:9 no index", "where a.sql:12 no index", "order a.sql:3 no order", "where b.sql:7 of gone"}, 4, []string{"where a.sql:12"}, nil},
		{"one is mended", []string{"where a.sql:3 no index", "order a.sql:3 no order", "where b.sql:7 of gone"}, 3, nil, []string{"where a.sql no index"}},
		{"another file, where the first is still there", []string{"where a.sql:3 no index", "where a.sql:9 no index", "order c.sql:3 no order", "where b.sql:7 of gone"}, 3, []string{"order c.sql:3"}, []string{"order a.sql no order"}},
		{"what moved is twice there", []string{"where a.sql:3 no index", "where a.sql:9 no index", "order a.sql:3 no order", "where b.sql:7 of gone", "where c.sql:7 of gone"}, 4, []string{"where c.sql:7"}, nil},
		{"the file is gone with its finding", []string{"where a.sql:3 no index", "where a.sql:9 no index", "order a.sql:3 no order"}, 3, nil, []string{"where gone.sql of gone"}},
	} {
		a := b.Apply(found(c.now...), everything, there)
		var kept, stale []string
		for _, f := range a.Kept {
			kept = append(kept, fmt.Sprintf("%s %s:%d", f.Rule, f.Location.Path, f.Location.Line))
		}
		for _, e := range a.Stale {
			stale = append(stale, e.Rule+" "+e.Path+" "+e.Message)
		}
		if a.Baselined != c.known || !slices.Equal(kept, c.kept) || !slices.Equal(stale, c.stale) {
			t.Errorf("%s: %d known, kept %q, stale %q", c.name, a.Baselined, kept, stale)
		}
		// What this run did not judge is not stale.
		if a := b.Apply(found(c.now...), func(Entry) bool { return false }, there); len(a.Stale) > 0 {
			t.Errorf("%s: not judged, but stale: %v", c.name, a.Stale)
		}
	}
}

func TestBaselineUpdate(t *testing.T) {
	b, _, _ := (&Baseline{}).Update(found("where a.sql:3 one", "where b.sql:3 two", "order c.sql:1 three"), "old", everything)
	now := found("where a.sql:4 one", "where moved.sql:3 two", "where new.sql:1 four", "where maybe.sql:1 five", "where refuted.sql:1 six")
	for i := range now {
		switch now[i].Location.Path {
		case "maybe.sql":
			now[i].Certainty = rules.Possible
		case "refuted.sql":
			now[i].Verdict.Status = rules.Refuted
		}
	}
	next, added, dropped := b.Update(now, "new", everything)
	var got []string
	for _, e := range next.Entries {
		got = append(got, e.Path+" "+e.Reason)
	}
	slices.Sort(got)
	if want := []string{"a.sql old", "moved.sql old", "new.sql new"}; !slices.Equal(got, want) || added != 1 || dropped != 1 {
		t.Errorf("%q, %d added, %d dropped; want %q", got, added, dropped, want)
	}
	// Another rule did not run: its entry stays.
	next, _, dropped = b.Update(now, "new", func(e Entry) bool { return e.Rule != "order" })
	if len(next.Entries) != 4 || dropped != 0 {
		t.Errorf("%v, %d dropped", next.Entries, dropped)
	}
}

func TestBaselineText(t *testing.T) {
	b, _, _ := (&Baseline{}).Update(found("where b.sql:3 a < b & \"c\" — é", "where a.sql:3 one"), "why", everything)
	text := string(b.Bytes())
	want := `{
  "version": 1,
  "findings": [
    {"id":"` + b.Entries[0].ID + `","rule":"where","path":"a.sql","message":"one","reason":"why"},
    {"id":"` + b.Entries[1].ID + `","rule":"where","path":"b.sql","message":"a < b & \"c\" — é","reason":"why"}
  ]
}
`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	again, err := ReadBaseline("x.json", []byte(text))
	if err != nil || string(again.Bytes()) != text {
		t.Errorf("read back: %v\n%s", err, again.Bytes())
	}
	slices.Reverse(again.Entries)
	if string(again.Bytes()) != text {
		t.Error("the order of entries shows")
	}
	if got := string((&Baseline{}).Bytes()); got != "{\n  \"version\": 1,\n  \"findings\": []\n}\n" {
		t.Errorf("an empty one is %q", got)
	}
	for _, c := range []struct{ text, want string }{
		{"", "x.json:1: no baseline of findings: EOF"},
		{"{\n\n<<<<<<< HEAD\n", "x.json:3: no baseline of findings: invalid character '<'"},
		{`{"version": 1, "findigs": []}`, `unknown field "findigs"`},
		{`{"version": 2}`, "version 2 is not one that this planvet reads"},
		{`{"version": 1, "findings": [{"id": "", "rule": "a"}]}`, "has no id"},
		{`{"version": 1, "findings": [{"id": "1", "rule": "a"}, {"id": "1", "rule": "a"}]}`, "1 stands twice"},
		{`{"version": 1, "findings": [{"id": 1}]}`, "x.json:1: no baseline of findings"},
	} {
		if _, err := ReadBaseline("x.json", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}
