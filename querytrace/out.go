package querytrace

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// outVersion is that of the lines below; a field that is taken away or means something
// else is a new version.
const outVersion = 1

// outRun heads the lines of one call of Slope.
type outRun struct {
	V       int    `json:"v"`
	Kind    string `json:"kind"` // run
	Package string `json:"package"`
	Test    string `json:"test"`
	Sizes   []int  `json:"sizes"`
}

// outStatement is one shape sent from one place. Lists have a figure for each size.
type outStatement struct {
	V           int     `json:"v"`
	Kind        string  `json:"kind"` // statement
	Fingerprint string  `json:"fingerprint"`
	Text        string  `json:"text"`
	File        string  `json:"file"`
	Line        int     `json:"line"`
	Func        string  `json:"func"`
	Calls       []int64 `json:"calls"`
	Rows        []int64 `json:"rows"`
	Errors      []int64 `json:"errors"`
	// Growth and Slope are of the shape, wherever it was sent.
	Growth string  `json:"growth"`
	Slope  float64 `json:"slope"`
	// Parent is the fingerprint of the statement whose rows the calls follow.
	Parent string `json:"parent,omitempty"`
}

// begun holds the files that this process has begun: the first run of a test replaces
// what an earlier process wrote.
var begun = struct {
	sync.Mutex
	files map[string]bool
}{files: map[string]bool{}}

// writeOut appends a run to the file of its package and test in dir.
func writeOut(dir, pkg, test string, sizes []int, groups []*groupOf) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(outRun{outVersion, "run", pkg, test, sizes}); err != nil {
		return err
	}
	for _, g := range groups {
		for _, s := range g.sites {
			f := s.frame()
			line := outStatement{outVersion, "statement", g.fingerprint, g.text, f.File, f.Line, f.Func,
				whole(s.calls), whole(s.rows), whole(s.errors), g.verdict.Growth.String(), g.verdict.PerItem, ""}
			if g.parent != nil {
				line.Parent = g.parent.fingerprint
			}
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing what was recorded: %w", err)
	}
	return appendOut(filepath.Join(dir, fileName(pkg+"."+test)+".jsonl"), b.String())
}

func appendOut(path, text string) error {
	begun.Lock()
	defer begun.Unlock()
	mode := os.O_APPEND
	if !begun.files[path] {
		mode, begun.files[path] = os.O_TRUNC, true
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|mode, 0o644)
	if err != nil {
		return fmt.Errorf("writing what was recorded: %w", err)
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// fileName leaves letters, digits, dots, dashes and underscores of a name.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, s)
}

func whole(list []float64) []int64 {
	out := make([]int64, len(list))
	for i, x := range list {
		out[i] = int64(x)
	}
	return out
}
