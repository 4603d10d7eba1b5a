package plan

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	p, err := Parse([]byte(`[{"Plan": {"Node Type": "Nested Loop", "Join Type": "Inner", "Startup Cost": 0.5, "Total Cost": 20, "Plan Rows": 3, "Plan Width": 8, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "a", "Schema": "public", "Alias": "a", "Startup Cost": 0, "Total Cost": 10, "Plan Rows": 3, "Plan Width": 8, "Filter": "(a.x = 1)"},
		{"Node Type": "Index Scan", "Parent Relationship": "Inner", "Relation Name": "b", "Schema": "public", "Alias": "b", "Index Name": "b_pkey", "Startup Cost": 0.25, "Total Cost": 3, "Plan Rows": 1, "Plan Width": 8, "Index Cond": "(b.id = a.id)"}]}}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := `Nested Loop  (cost=0.50..20.00 rows=3 width=8)
  ->  Seq Scan on a  (cost=0.00..10.00 rows=3 width=8)
        Filter: (a.x = 1)
  ->  Index Scan using b_pkey on b  (cost=0.25..3.00 rows=1 width=8)
        Index Cond: (b.id = a.id)`
	if got := strings.Join(p.Text(), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
