package config

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/strictyaml"
)

// Names are the file names that a config may have.
var Names = []string{"planvet.yaml", ".planvet.yaml"}

// Schema is the JSON Schema of planvet.yaml, for editors.
//
//go:embed planvet.schema.json
var Schema []byte

// Find returns the project's root and its config file for a folder or file:
// PLANVET_CONFIG, else the nearest planvet.yaml upward, else the nearest of
// go.work, go.mod and .git (the nearest folder that has go.work, else the nearest
// with go.mod, else with .git), else start itself. file is "" where there is
// none. Both are absolute. With PLANVET_CONFIG the root is the file's folder.
func Find(start string) (root, file string) {
	if env := os.Getenv("PLANVET_CONFIG"); env != "" {
		if abs, err := filepath.Abs(env); err == nil {
			return filepath.Dir(abs), abs
		}
	}
	dir, err := filepath.Abs(start)
	if err != nil {
		return start, ""
	}
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		dir = filepath.Dir(dir)
	}
	for d := range upward(dir) {
		for _, name := range Names {
			if f := filepath.Join(d, name); isFile(f) {
				return d, f
			}
		}
	}
	for _, mark := range []string{"go.work", "go.mod", ".git"} {
		for d := range upward(dir) {
			if _, err := os.Stat(filepath.Join(d, mark)); err == nil {
				return d, ""
			}
		}
	}
	return dir, ""
}

// upward yields a folder and its parents, nearest first.
func upward(dir string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for {
			if !yield(dir) {
				return
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				return
			}
			dir = parent
		}
	}
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// Load reads a config file; "" gives the defaults. Errors are one line and name
// file and line.
func Load(file string) (*Config, error) {
	if file == "" {
		return Parse("", nil)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("reading config %s: %w", file, err)
	}
	c, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	c.File = file
	return c, nil
}

// CheckRules reports the first name in rules and spec_refs, by line, that is not
// among names, with the nearest of them. In rules it may be one of groups too.
func (c *Config) CheckRules(names, groups []string) error {
	best, at, what, near := "", 0, "", []string(nil)
	for _, s := range []struct {
		section, what string
		known         []string
	}{
		{"rules", "rule or group", slices.Concat(names, groups)},
		{"spec_refs", "rule", names},
	} {
		for key, line := range c.places {
			name, ok := strings.CutPrefix(key, s.section+".")
			if !ok || slices.Contains(s.known, name) {
				continue
			}
			if at == 0 || line < at || line == at && name < best {
				best, at, what, near = name, line, s.what, s.known
			}
		}
	}
	if at == 0 {
		return nil
	}
	return fmt.Errorf("%s:%d: unknown %s %q%s; `planvet rules` lists them", c.File, at, what, best, Hint(best, near))
}

// Hint returns "; did you mean x?" where a name is near enough.
func Hint(name string, names []string) string { return strictyaml.Hint(name, names) }
