package report

import (
	"strings"
	"testing"
)

func TestFigureFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{MS(0), "0 ms"}, {MS(0.0004), "<0.001 ms"}, {MS(0.0412), "0.041 ms"}, {MS(184.2), "184 ms"}, {MS(2310), "2.31 s"}, {MS(90_000), "1.50 min"},
		{Short(0), "0"}, {Short(7.25), "7.2"}, {Short(999), "999"}, {Short(999.9), "1k"}, {Short(12_345), "12.3k"}, {Short(999_600), "1M"}, {Short(3e9), "3G"}, {Short(123_456), "123k"},
		{Percent(0), "0 %"}, {Percent(0.0004), "<0.1 %"}, {Percent(0.016), "1.6 %"}, {Percent(0.734), "73 %"}, {Percent(0.9994), ">99 %"}, {Percent(1), "100 %"},
		{Blocks(1), "1 block"}, {Blocks(127), "127 blocks"}, {Blocks(18_722), "18,722 blocks (146 MiB)"}, {Blocks(1 << 20), "1,048,576 blocks (8.00 GiB)"},
		{Plural(1, "query"), "1 query"}, {Plural(1204, "query"), "1,204 queries"}, {Plural(2, "index"), "2 indexes"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for x := 1.0; x < 1e13; x *= 1.07 {
		if s := Short(x); len(s) > 5 {
			t.Errorf("Short(%v) = %q", x, s)
		}
	}
}

func TestMeter(t *testing.T) {
	for share, want := range map[float64]string{-1: "    ", 0: "    ", 0.0001: "▏   ", 0.5: "██  ", 0.53125: "██▏ ", 1: "████", 2: "████"} {
		if got := Meter(share, 4); got != want {
			t.Errorf("Meter(%v) = %q, want %q", share, got, want)
		}
	}
}

func TestWrapAndShorten(t *testing.T) {
	for _, c := range []struct {
		text  string
		cells int
		want  string
	}{
		{"", 10, ""},
		{"one two  three", 10, "one two|three"},
		{"abcdefghijkl m", 10, "abcdefghij|kl m"},
		{"漢字漢字漢字漢字", 9, "漢字漢字|漢字漢字"},
		{"a\nb\tc", 10, "a b c"},
	} {
		lines := Wrap(c.text, c.cells)
		if got := strings.Join(lines, "|"); got != c.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.text, c.cells, got, c.want)
		}
		for _, l := range lines {
			if Cells(l) > c.cells {
				t.Errorf("%q takes %d of %d columns", l, Cells(l), c.cells)
			}
		}
	}
	for in, want := range map[string]string{"short": "short", "rather long": "rather l…", "漢字漢字漢字": "漢字漢字…"} {
		if got := Shorten(in, 9); got != want {
			t.Errorf("Shorten(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTableFits(t *testing.T) {
	var b strings.Builder
	p := NewPrinter(&b, TextOptions{})
	p.Table("  ", 40, []Column{{Title: "name"}, {Title: "n", Right: true}, {Title: "what"}}, [][]string{
		{"a", "1", strings.Repeat("word ", 30)}, {strings.Repeat("x", 50), "1,000", "\x1b[2J"},
	})
	for line := range strings.Lines(b.String()) {
		if n := Cells(strings.TrimSuffix(line, "\n")); n > 40 || strings.Contains(line, "\x1b") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if !strings.Contains(b.String(), "      1  ") {
		t.Errorf("figures do not stand at the right:\n%s", b.String())
	}
}

func TestWidth(t *testing.T) {
	var b strings.Builder
	t.Setenv("COLUMNS", "")
	if got := Width(&b); got != DefaultWidth {
		t.Errorf("no terminal has %d columns", got)
	}
	t.Setenv("COLUMNS", "72")
	if got := Width(&b); got != 72 {
		t.Errorf("COLUMNS=72 gives %d", got)
	}
}

func TestMarkdownFence(t *testing.T) {
	for in, want := range map[string]string{
		"select 1;\n":      "```sql\nselect 1;\n```\n",
		"a ``` b\n````":    "`````sql\na ``` b\n````\n`````\n",
		"\x1b[2J\r\n\tx\n": "```sql\n\ufffd[2J\n\tx\n```\n",
	} {
		if got := MarkdownFence("sql", in); got != want {
			t.Errorf("MarkdownFence(%q) = %q, want %q", in, got, want)
		}
	}
	if got := MarkdownCode("a|`b\nc"); got != "`a\\|'b c`" {
		t.Errorf("MarkdownCode gives %q", got)
	}
}
