package report

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Screen is a terminal that is drawn on as a whole and that gives single keys. It must
// be closed on every way out, else the terminal stays as it is.
type Screen struct {
	out   *os.File
	in    *os.File
	state *term.State // of the input before; nil where it is no terminal
	once  sync.Once
	drawn []byte
}

// Sequences of ANSI terminals: the second screen, so that what was there comes back,
// and no cursor on it.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[2J"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// OpenScreen takes a terminal over; nil where w is none, or one that cannot be drawn
// on. Keys are read from in where that is a terminal too; then an interrupt is a key,
// Ctrl-C, and no signal.
func OpenScreen(w io.Writer, in *os.File) (*Screen, error) {
	out, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, nil
	}
	s := &Screen{out: out, in: in}
	if in != nil && term.IsTerminal(int(in.Fd())) {
		var err error
		if s.state, err = term.MakeRaw(int(in.Fd())); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(out, enterScreen); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close gives the terminal back as it was. It may be called again.
func (s *Screen) Close() {
	s.once.Do(func() {
		io.WriteString(s.out, leaveScreen)
		if s.state != nil {
			term.Restore(int(s.in.Fd()), s.state)
		}
	})
}

// Size is the terminal's columns and lines; 80 and 24 where it does not say.
func (s *Screen) Size() (width, height int) {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// Draw shows lines from the top, which fit the terminal, in place of what was there. It
// writes nothing where nothing changed.
func (s *Screen) Draw(lines []string) error {
	// Lines are overwritten and then cleared at their ends, so that nothing flickers. A
	// raw terminal needs the carriage return.
	text := []byte("\x1b[H" + strings.Join(lines, "\x1b[K\r\n") + "\x1b[K\x1b[J")
	if bytes.Equal(text, s.drawn) {
		return nil
	}
	s.drawn = text
	_, err := s.out.Write(text)
	return err
}

// Redraw makes the next Draw write whatever it is given: after a change of size the
// terminal may have moved what it shows.
func (s *Screen) Redraw() { s.drawn = nil }

// Keys gives the keys that are pressed, until the program ends: a read of a terminal
// cannot be broken off. Sequences, as those of arrows, are one string. The channel is
// nil where no terminal is read, and closed where it is gone.
func (s *Screen) Keys() <-chan string {
	if s.state == nil {
		return nil
	}
	keys := make(chan string)
	go func() {
		defer close(keys)
		buf := make([]byte, 64)
		for {
			n, err := s.in.Read(buf)
			if err != nil {
				return
			}
			for _, k := range splitKeys(string(buf[:n])) {
				keys <- k
			}
		}
	}()
	return keys
}

// splitKeys takes what was read at once apart: an escape begins a sequence that ends
// with a letter or ~, other characters are keys of their own.
func splitKeys(s string) []string {
	var out []string
	for s != "" {
		n := 1
		if s[0] == 0x1b && len(s) > 1 && (s[1] == '[' || s[1] == 'O') {
			for n = 2; n < len(s) && (s[n] < '@' || s[n] > '~'); n++ {
			}
			n = min(n+1, len(s))
		}
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}
