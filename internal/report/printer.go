package report

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"

	"github.com/planvet/planvet/rules"
)

// printer writes lines for people and keeps the first error.
type printer struct {
	w       io.Writer
	err     error
	written int // bytes

	bold, dim, red, yellow, blue, green *color.Color
}

func newPrinter(w io.Writer, o TextOptions) *printer {
	c := func(as ...color.Attribute) *color.Color {
		p := color.New(as...)
		// Per instance: the library's own switch is one for the process.
		if p.DisableColor(); o.Color {
			p.EnableColor()
		}
		return p
	}
	return &printer{
		w: w, bold: c(color.Bold), dim: c(color.Faint), red: c(color.FgRed, color.Bold),
		yellow: c(color.FgYellow, color.Bold), blue: c(color.FgCyan), green: c(color.FgGreen, color.Bold),
	}
}

// ColorFor decides on colour for a writer: mode is always, never or auto, which
// means a terminal without NO_COLOR and with a TERM that is not dumb.
func ColorFor(w io.Writer, mode string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

func (t *printer) printf(format string, args ...any) {
	if t.err == nil {
		var n int
		n, t.err = fmt.Fprintf(t.w, format, args...)
		t.written += n
	}
}

// paint writes a text in a colour, made safe for a terminal.
func (t *printer) paint(c *color.Color, s string) {
	t.printf("%s", c.Sprint(printable(s)))
}

// printable replaces what a terminal would act on, and bytes that are no text:
// paths, messages and sources are other people's.
func printable(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f || s[i] == '\t'
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsGraphic(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// maxLine is how many bytes of a line are shown.
const maxLine = 160

// cut shortens a long line at its end.
func cut(s string) string {
	if len(s) <= maxLine {
		return s
	}
	end := maxLine
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// problems lists items that were not analysed.
func (t *printer) problems(what string, ps []Problem) {
	for _, p := range sortedProblems(ps) {
		t.printf("%s: %s: %s\n", printable(placeOf(valid(p.Location))), what, printable(Redact(firstLine(p.Text))))
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		noun = strings.TrimSuffix(noun, "y") + "ies"
	} else if strings.HasSuffix(noun, "x") {
		noun += "es"
	} else {
		noun += "s"
	}
	return rules.Thousands(int64(n)) + " " + noun
}

// figure writes a measured number with three significant digits.
func figure(x float64) string {
	switch {
	case x >= 100 || x <= -100:
		return rules.Thousands(int64(x + 0.5))
	case x >= 10 || x <= -10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 1 || x <= -1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}
