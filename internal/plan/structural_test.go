package plan

import "testing"

// A policy's (select …) is an InitPlan of the heap scan, and EXPLAIN lists it
// before the bitmap.
const bitmapWithInitPlan = `[{"Plan": {"Node Type": "Bitmap Heap Scan", "Relation Name": "players", "Schema": "public", "Alias": "players",
	"Recheck Cond": "(players.casino_id = $0)", "Filter": "(players.preferences @> '{}'::jsonb)", "Plans": [
		{"Node Type": "Result", "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1 (returns $0)"},
		{"Node Type": "Bitmap Index Scan", "Parent Relationship": "Outer", "Index Name": "players_search_idx",
			"Index Cond": "(players.casino_id = $0)"}]}}]`

func TestStructuralBitmapWithInitPlan(t *testing.T) {
	p, err := Parse([]byte(bitmapWithInitPlan))
	if err != nil {
		t.Fatal(err)
	}
	rel := Relation{Schema: "public", Table: "players", Alias: "players"}
	for _, c := range []struct {
		name string
		keys []string
		path bool
	}{
		{"ok_leading", []string{"casino_id", "search_name"}, true},
		{"err_later", []string{"search_name", "casino_id"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			indexes := Indexes{"public.players_search_idx": {Name: "players_search_idx", Method: "btree", Keys: c.keys}}
			j := Structural(p, rel, indexes, false)
			if !j.Found || j.Unknown || j.Path != c.path {
				t.Errorf("got %+v, want a judgement of path %v", j, c.path)
			}
		})
	}
}
