package report

import (
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// DefaultWidth is how many columns a text has that goes to no terminal.
const DefaultWidth = 100

// Width is how many columns a text written to w may take: COLUMNS where it is set,
// else the terminal's, else DefaultWidth.
func Width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok && isTerminal(w) {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return DefaultWidth
}

// runeCells is how many columns of a terminal a character takes.
func runeCells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x1f300 && r < 0x1fb00 || r >= 0xff01 && r <= 0xff60:
		return 2
	}
	return 1
}

// Cells is how many columns of a terminal a text takes.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// Pad fills a text with blanks up to so many columns.
func Pad(s string, cells int) string { return s + strings.Repeat(" ", max(0, cells-Cells(s))) }

// PadLeft puts the blanks before it.
func PadLeft(s string, cells int) string { return strings.Repeat(" ", max(0, cells-Cells(s))) + s }

// Shorten cuts a text at its end to so many columns.
func Shorten(s string, cells int) string {
	if Cells(s) <= cells {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeCells(r); n > cells-1 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

// Wrap breaks a text, its white space folded, into lines of so many columns:
// between words where that is possible. It returns at least one line.
func Wrap(s string, cells int) []string {
	cells = max(cells, 8)
	lines, line, n := []string{}, "", 0
	for _, word := range strings.Fields(s) {
		k := Cells(word)
		if n > 0 && n+1+k > cells {
			lines, line, n = append(lines, line), "", 0
		}
		for k > cells { // a word longer than a line
			at, w := 0, 0
			for i, r := range word {
				if w += runeCells(r); w > cells {
					at = i
					break
				}
			}
			lines, word = append(lines, word[:at]), word[at:]
			k = Cells(word)
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+k
	}
	return append(lines, line)
}

// Meter draws a share of 1 as a bar of so many columns, in eighths of one; what is
// over nothing shows.
func Meter(share float64, cells int) string {
	share = min(max(share, 0), 1)
	n := int(math.Round(share * float64(cells) * 8))
	if n == 0 && share > 0 {
		n = 1
	}
	s := strings.Repeat("█", n/8)
	if n%8 > 0 {
		s += string([]rune(" ▏▎▍▌▋▊▉")[n%8])
	}
	return Pad(s, cells)
}

// Column is one of a table's.
type Column struct {
	Title string
	// Right aligns figures at their ends.
	Right bool
}

// Table writes rows under headings with an indentation: columns padded, the last
// one not, and cut where the table would not fit the width; 0 is no limit.
func (t *Printer) Table(indent string, width int, columns []Column, rows [][]string) {
	widths := make([]int, len(columns))
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Title
	}
	all := append([][]string{head}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], Cells(cell))
		}
	}
	fit(widths, width-Cells(indent)-2*(len(columns)-1), width > 0)
	for n, row := range all {
		var b strings.Builder
		for i, cell := range row {
			cell = Shorten(strings.Join(strings.Fields(cell), " "), widths[i])
			if columns[i].Right {
				cell = PadLeft(cell, widths[i])
			}
			if i < len(row)-1 {
				cell = Pad(cell, widths[i]+2)
			}
			b.WriteString(cell)
		}
		style := Plain
		if n == 0 {
			style = Dim
		}
		t.Printf("%s%s\n", indent, t.Styled(style, strings.TrimRight(b.String(), " ")))
	}
}

// fit takes columns off the widest until the sum is there.
func fit(widths []int, sum int, limited bool) {
	const least = 8
	total := 0
	for _, w := range widths {
		total += w
	}
	for limited && total > sum {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= least {
			return
		}
		widths[widest]--
		total--
	}
}

// Sparkline draws the last values in so many columns, the newest at the right, from 0
// at the bottom to the largest of those shown at the top.
func Sparkline(values []float64, cells int) string {
	values = values[max(0, len(values)-cells):]
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		k := 0
		if most > 0 {
			k = int(math.Round(max(v, 0) / most * float64(len(levels)-1)))
		}
		b.WriteRune(levels[k])
	}
	return PadLeft(b.String(), cells)
}
