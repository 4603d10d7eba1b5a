package pgast

import "sort"

// Lines turns byte offsets of a text into lines and columns.
type Lines struct{ starts []int }

// NewLines indexes the lines of src.
func NewLines(src string) Lines {
	l := Lines{starts: []int{0}}
	for i := 0; i < len(src); i++ {
		if src[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// LineCol is the 1-based line and column of a byte offset; the column counts
// bytes. A negative offset is line 1, column 1.
func (l Lines) LineCol(off int) (line, col int) {
	if off < 0 || len(l.starts) == 0 {
		return 1, 1
	}
	i := sort.SearchInts(l.starts, off+1) - 1
	return i + 1, off - l.starts[i] + 1
}
