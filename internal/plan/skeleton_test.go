package plan

import (
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const probed = `[{"Plan": {"Node Type": "Limit", "Total Cost": 9, "Plans": [{"Node Type": "Nested Loop", "Join Type": "Inner", "Plans": [
  {"Node Type": "Seq Scan", "Relation Name": "guests", "Schema": "public", "Alias": "g", "Filter": "(id = 7)"},
  {"Node Type": "Index Scan", "Relation Name": "visits", "Schema": "public", "Alias": "v", "Index Name": "visits_guest_idx", "Index Cond": "(guest = 7)"}]}]}}]`

func TestSkeleton(t *testing.T) {
	a := parse(t, probed)
	want := "Limit\n  Nested Loop\n    Seq Scan on guests g\n    Index Scan using visits_guest_idx on visits v"
	if got := strings.Join(a.Skeleton(), "\n"); got != want {
		t.Errorf("%s", got)
	}
	for _, c := range []struct {
		name, old, new string
		same           bool
	}{
		{"nothing", "", "", true},
		{"another value", "= 7", "= 8", true},
		{"another cost", `"Total Cost": 9`, `"Total Cost": 9000`, true},
		{"another index", "visits_guest_idx", "visits_at_idx", false},
		{"another schema", `"Schema": "public", "Alias": "v"`, `"Schema": "old", "Alias": "v"`, false},
		{"another node", "Nested Loop", "Hash Join", false},
	} {
		b := parse(t, strings.ReplaceAll(probed, c.old, c.new))
		if c.old == "" {
			b = parse(t, probed)
		}
		if (a.Fingerprint() == b.Fingerprint()) != c.same {
			t.Errorf("%s: %s and %s", c.name, a.Fingerprint(), b.Fingerprint())
		}
	}
}

func TestDiffSkeletons(t *testing.T) {
	a := parse(t, probed).Skeleton()
	b := parse(t, strings.Replace(probed, `"Index Scan", "Relation Name": "visits", "Schema": "public", "Alias": "v", "Index Name": "visits_guest_idx"`, `"Seq Scan", "Relation Name": "visits", "Alias": "v", "Schema": "public"`, 1)).Skeleton()
	var got strings.Builder
	for _, l := range DiffSkeletons(a, b) {
		got.WriteString(string(l.Op) + l.Text + "\n")
	}
	want := " Limit\n   Nested Loop\n     Seq Scan on guests g\n-    Index Scan using visits_guest_idx on visits v\n+    Seq Scan on visits v\n"
	if got.String() != want {
		t.Errorf("%s", got.String())
	}
	for _, l := range DiffSkeletons(a, a) {
		if l.Op != ' ' {
			t.Errorf("%c%s", l.Op, l.Text)
		}
	}
	if d := DiffSkeletons(nil, a); len(d) != len(a) || d[0].Op != '+' {
		t.Errorf("%v", d)
	}
}
