package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// Style is how a text stands out, where colour is on.
type Style int

// Styles that a Printer has.
const (
	Plain Style = iota
	Bold
	Dim
	Red
	Yellow
	Blue
	Green
)

var attributes = map[Style][]color.Attribute{
	Bold: {color.Bold}, Dim: {color.Faint}, Red: {color.FgRed, color.Bold}, Yellow: {color.FgYellow, color.Bold},
	Blue: {color.FgCyan}, Green: {color.FgGreen, color.Bold},
}

// Printer writes lines for people and keeps the first error.
type Printer struct {
	w       io.Writer
	err     error
	written int // bytes
	styles  map[Style]*color.Color
}

// NewPrinter returns a printer on w, in colour where the options ask for it.
func NewPrinter(w io.Writer, o TextOptions) *Printer {
	t := &Printer{w: w, styles: map[Style]*color.Color{}}
	for s, as := range attributes {
		c := color.New(as...)
		// Per instance: the library's own switch is one for the process.
		if c.DisableColor(); o.Color {
			c.EnableColor()
		}
		t.styles[s] = c
	}
	return t
}

// Err is the first error of writing.
func (t *Printer) Err() error { return t.err }

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

// Printf writes as fmt.Printf does; it does not make its arguments safe for a
// terminal.
func (t *Printer) Printf(format string, args ...any) {
	if t.err == nil {
		var n int
		n, t.err = fmt.Fprintf(t.w, format, args...)
		t.written += n
	}
}

// Styled is a text in a style, made safe for a terminal.
func (t *Printer) Styled(s Style, text string) string {
	text = Printable(text)
	if c := t.styles[s]; c != nil && text != "" {
		return c.Sprint(text)
	}
	return text
}

// Paint writes a text in a style, made safe for a terminal.
func (t *Printer) Paint(s Style, text string) { t.Printf("%s", t.Styled(s, text)) }

// Printable replaces what a terminal would act on, and bytes that are no text:
// paths, messages and sources are other people's.
func Printable(s string) string {
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
func (t *Printer) problems(what string, ps []Problem) {
	for _, p := range sortedProblems(ps) {
		t.Printf("%s: %s: %s\n", Printable(placeOf(valid(p.Location))), what, Printable(Redact(firstLine(p.Text))))
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
