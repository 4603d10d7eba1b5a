package report

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress shows one line of what is being done, on a terminal only.
type Progress struct {
	mu    sync.Mutex
	w     io.Writer // nil where it is silent
	what  string
	last  time.Time
	shown bool
}

// NewProgress returns a progress line on w; it is silent where w is no terminal.
func NewProgress(w io.Writer) *Progress {
	if !isTerminal(w) {
		return &Progress{}
	}
	return &Progress{w: w}
}

// interval is the least time between two updates of one step's count.
const interval = 80 * time.Millisecond

// Step replaces the line. total 0 leaves the count out. It may be called from
// several goroutines, and often.
func (p *Progress) Step(what string, done, total int) {
	if p == nil || p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if what == p.what && done < total && now.Sub(p.last) < interval {
		return
	}
	p.what, p.last, p.shown = what, now, true
	line := Printable(firstLine(what))
	if total > 0 {
		line += fmt.Sprintf(" %d/%d", done, total)
	}
	if r := []rune(line); len(r) > 76 {
		line = string(r[:75]) + "…"
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}

// Done clears the line.
func (p *Progress) Done() {
	if p == nil || p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
