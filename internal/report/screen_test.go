package report

import (
	"bytes"
	"slices"
	"testing"
)

func TestSplitKeys(t *testing.T) {
	for in, want := range map[string][]string{
		"q":              {"q"},
		"tm":             {"t", "m"},
		"\x1b[A\tc":      {"\x1b[A", "\t", "c"},
		"\x1b[3~\x1b":    {"\x1b[3~", "\x1b"},
		"\x1b[":          {"\x1b["},
		"\x1bOPq":        {"\x1bOP", "q"},
		"\x1b[1;5Cm\x03": {"\x1b[1;5C", "m", "\x03"},
	} {
		if got := splitKeys(in); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestNoScreen(t *testing.T) {
	if s, err := OpenScreen(&bytes.Buffer{}, nil); s != nil || err != nil {
		t.Errorf("a buffer is no terminal: %v, %v", s, err)
	}
}

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		values []float64
		cells  int
		want   string
	}{
		{nil, 4, "    "},
		{[]float64{0, 0}, 4, "  ▁▁"},
		{[]float64{0, 4, 8}, 4, " ▁▅█"},
		{[]float64{9, 1, 2, 4, 8}, 4, "▂▃▅█"},
		{[]float64{0.001, 1000}, 2, "▁█"},
	} {
		if got := Sparkline(c.values, c.cells); got != c.want {
			t.Errorf("%v in %d: got %q, want %q", c.values, c.cells, got, c.want)
		}
	}
}
