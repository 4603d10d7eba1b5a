package monitor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// ReadTraces reads what querytrace recorded in a folder (QUERYTRACE_OUT) and gives the
// places of the code that sent each statement, by fingerprint: file:line, and how many
// more there are. The error names the file and line that is no record, or says that
// there are no records.
func ReadTraces(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.jsonl"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s has no records of querytrace: run the tests with QUERYTRACE_OUT set to it", dir)
	}
	places := map[string][]string{}
	for _, file := range files {
		if err := readTrace(file, places); err != nil {
			return nil, err
		}
	}
	out := map[string]string{}
	for fp, at := range places {
		if out[fp] = at[0]; len(at) > 1 {
			out[fp] += fmt.Sprintf(" and %d more", len(at)-1)
		}
	}
	return out, nil
}

// escapeGlob keeps a folder's name from being taken for a pattern.
func escapeGlob(dir string) string {
	var out []rune
	for _, r := range dir {
		if slices.Contains([]rune(`*?[`), r) {
			out = append(out, '[', r, ']')
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

func readTrace(file string, places map[string][]string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading records of querytrace: %w", err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20) // texts have no limit of their own
	for n := 1; in.Scan(); n++ {
		var l struct {
			V           int    `json:"v"`
			Kind        string `json:"kind"`
			Fingerprint string `json:"fingerprint"`
			File        string `json:"file"`
			Line        int    `json:"line"`
		}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return fmt.Errorf("%s:%d is no record of querytrace: %w", file, n, err)
		}
		if l.V != 1 {
			return fmt.Errorf("%s:%d is a record of version %d, this planvet knows 1", file, n, l.V)
		}
		if l.Kind != "statement" || l.Fingerprint == "" || l.File == "" {
			continue
		}
		if at := fmt.Sprintf("%s:%d", l.File, l.Line); !slices.Contains(places[l.Fingerprint], at) {
			places[l.Fingerprint] = append(places[l.Fingerprint], at)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}
