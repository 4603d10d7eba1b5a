package explain

import "testing"

// A line is as wide as its step's rows are many, and the trunk beside a step as the
// widest of the lines that pass it.
func TestDrawnLines(t *testing.T) {
	p := &Plan{Analyzed: true, Root: &Step{Rows: 5, Children: []*Step{
		{Rows: 0}, {Rows: 1e9, Children: []*Step{{Rows: 10}}}, {Rows: 1}, {Rows: 9999}, {Rows: 12},
	}}}
	root := rootNode(p)
	want := []struct{ edge, trunk string }{{"edge0", "trunk8"}, {"edge8", "trunk4"}, {"edge1", "trunk4"}, {"edge4", "trunk2"}, {"edge2", ""}}
	for i, k := range root.Kids {
		if k.Edge != want[i].edge || k.Trunk != want[i].trunk {
			t.Errorf("step %d: %s %s, want %s %s", i, k.Edge, k.Trunk, want[i].edge, want[i].trunk)
		}
	}
	if root.Below != 6 || root.Kids[1].Below != 1 {
		t.Errorf("%d and %d steps below, want 6 and 1", root.Below, root.Kids[1].Below)
	}
	p.Analyzed, p.Root.Estimated = false, 1e4
	if got := rootNode(p).Edge; got != "edge5" {
		t.Errorf("10,000 estimated rows are drawn as %s", got)
	}
}
