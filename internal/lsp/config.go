package lsp

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// placed is how errors about a config name their place: file:line:column: what.
var placed = regexp.MustCompile(`^(?:reading config )?(.*?\.ya?ml)(?::(\d+))?(?::(\d+))?: (.*)$`)

// blamed is the place in a config that an error names; nil where it names none.
func blamed(text string) *problem {
	m := placed.FindStringSubmatch(text)
	if m == nil || !filepath.IsAbs(m[1]) {
		return nil
	}
	if _, err := os.Stat(m[1]); err != nil {
		return nil
	}
	p := &problem{path: filepath.Clean(m[1]), line: 1, text: m[4]}
	if n, err := strconv.Atoi(m[2]); err == nil && n > 0 {
		p.line = n
	}
	p.column, _ = strconv.Atoi(m[3])
	return p
}
