package suppress

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
)

// TestCollect runs testdata/*.txtar: the file in.sql or in.go, and in want one
// line a directive: place, rules, reason, lines covered. UPDATE=1 rewrites want.
func TestCollect(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			in := c.Files[0]
			var b strings.Builder
			for _, d := range Collect(in.Name, in.Data, strings.HasSuffix(in.Name, ".go")) {
				lines := fmt.Sprintf("%d-%d", d.From, d.To)
				if d.To == 0 {
					lines = "file"
				}
				what := strings.Join(d.Rules, ",")
				if d.NoLint {
					what = "nolint"
				}
				fmt.Fprintf(&b, "%d:%d [%s] %q covers %s\n", d.Location.Line, d.Location.Column, what, d.Reason, lines)
			}
			c.Want(t, b.String())
		})
	}
}

func TestApply(t *testing.T) {
	at := func(rule, path string, line int) rules.Finding {
		return rules.Finding{Rule: rule, Location: rules.Location{Path: path, Line: line}}
	}
	sql := Collect("a.sql", []byte(`-- planvet:ignore unindexed-where: small
select 1
from t;
-- planvet:ignore nplusone, unindexed-join: two
select 2;
-- planvet:ignore unindexed-where
select 3;
-- planvet:ignore no-such-rule: because
select 4;
-- planvet:ignore: nothing named
select 5;
`), false)
	fs := []rules.Finding{
		at("unindexed-where", "a.sql", 3), // covered
		at("unindexed-join", "a.sql", 3),  // another rule
		at("unindexed-where", "b.sql", 3), // another file
		at("unindexed-join", "a.sql", 5),  // covered
		at("unindexed-where", "a.sql", 7), // no reason given
	}
	known := func(r string) bool { return !strings.HasPrefix(r, "no-") }
	for _, c := range []struct {
		all  bool
		want []string
	}{
		{true, []string{
			"unindexed-join a.sql:3", "unindexed-where b.sql:3", "unindexed-where a.sql:7",
			"ignore-unused a.sql:4", "ignore-without-reason a.sql:6",
			"ignore-unknown-rule a.sql:8", "ignore-unknown-rule a.sql:10",
		}},
		{false, []string{
			"unindexed-join a.sql:3", "unindexed-where b.sql:3", "unindexed-where a.sql:7",
			"ignore-without-reason a.sql:6", "ignore-unknown-rule a.sql:8", "ignore-unknown-rule a.sql:10",
		}},
	} {
		kept, n := Apply(slices.Clone(fs), sql, Options{Known: known, Ran: func(string) bool { return c.all }})
		if n != 2 {
			t.Errorf("suppressed %d, want 2", n)
		}
		var got []string
		for _, f := range kept {
			got = append(got, fmt.Sprintf("%s %s:%d", f.Rule, f.Location.Path, f.Location.Line))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("all=%v:\ngot  %q\nwant %q", c.all, got, c.want)
		}
	}
}

func TestApplyNoLint(t *testing.T) {
	ds := Collect("a.go", []byte("package a\n\nfunc f() {\n\tq() //nolint:errcheck,planvet // why\n\tq() //nolint:errcheck\n}\n"), true)
	f := func(line int) rules.Finding {
		return rules.Finding{Rule: "nplusone", Location: rules.Location{Path: "a.go", Line: line}}
	}
	kept, n := Apply([]rules.Finding{f(4), f(5)}, ds, Options{Known: func(string) bool { return true }})
	if n != 1 || len(kept) != 1 || kept[0].Location.Line != 5 {
		t.Errorf("kept %v, suppressed %d", kept, n)
	}
}

func FuzzCollect(f *testing.F) {
	f.Add("-- planvet:ignore a: b\nselect 1", "package p // planvet:ignore a: b")
	f.Add("/* planvet:ignore-file */ create function f() as $$ -- planvet:ignore x:\n$$", "package p; var x = `-- planvet:ignore`")
	f.Fuzz(func(t *testing.T, sql, src string) {
		for _, d := range append(Collect("a.sql", []byte(sql), false), Collect("a.go", []byte(src), true)...) {
			if d.Location.Line < 1 || d.From < 1 || d.To != 0 && d.To < d.From {
				t.Fatalf("a directive without a place: %+v", d)
			}
		}
	})
}

// A suppression holds through its last day. One that is past is reported, and covers
// nothing; it is not unused on top.
func TestApplyUntil(t *testing.T) {
	ds := Collect("a.sql", []byte(`-- planvet:ignore unindexed-where until=2027-01-01: goes with the importer
select 1;
-- planvet:ignore unindexed-where, unindexed-join until=2026-13-01: no day
select 2;
-- planvet:ignore-file until= unindexed-order: no day either
`), false)
	f := rules.Finding{Rule: "unindexed-where", Location: rules.Location{Path: "a.sql", Line: 2}}
	for _, c := range []struct {
		today string
		want  []string
	}{
		{"2026-12-31", []string{"a.sql:3 planvet:ignore unindexed-where, unindexed-join holds until 2026-13-01, which is no day, and is not in force", "a.sql:5 planvet:ignore unindexed-order holds until nothing, which is no day, and is not in force"}},
		{"2027-01-01", nil},
		{"2027-01-02", []string{"a.sql:1 planvet:ignore unindexed-where held until 2027-01-01; what it covers is reported again", "a.sql:2 "}},
	} {
		kept, _ := Apply([]rules.Finding{f}, ds, Options{Known: func(string) bool { return true }, Ran: func(string) bool { return true }, Today: c.today})
		got := map[string]bool{}
		for _, k := range kept {
			got[fmt.Sprintf("%s:%d %s", k.Location.Path, k.Location.Line, k.Message)] = true
			if k.Rule != "ignore-expired" && k.Rule != "unindexed-where" {
				t.Errorf("%s: %s", c.today, k.Rule)
			}
		}
		for _, w := range c.want {
			if !got[w] {
				t.Errorf("%s: %q is not among %v", c.today, w, got)
			}
		}
		// The two without a day are always among them; on the last day nothing else is.
		if c.want == nil && len(kept) != 2 {
			t.Errorf("%s: %d kept, want 2", c.today, len(kept))
		}
	}
}
