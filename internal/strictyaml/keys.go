package strictyaml

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Field is one key of a mapping: its name, and how its value is read.
type Field[T any] struct {
	Name string
	Read func(r *Reader, to *T, path string, n ast.Node)
}

// Read fills to from a mapping with the given fields.
func Read[T any](r *Reader, fields []Field[T], to *T, path string, n ast.Node) {
	what := path
	if what == "" {
		what = r.whole
	}
	r.Mapping(what, n, func(key string, at, v ast.Node) {
		for _, f := range fields {
			if f.Name == key {
				f.Read(r, to, Join(path, key), v)
				return
			}
		}
		var names []string
		for _, f := range fields {
			names = append(names, f.Name)
		}
		r.Fail(at, "unknown key %q%s%s", Join(path, key), Hint(key, names), allowed(key, names))
	})
}

// allowed lists the keys where none of them is near.
func allowed(key string, names []string) string {
	if Hint(key, names) != "" {
		return ""
	}
	return ": the keys here are " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// Join is a path with one more key.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// OneOf is a string that must be one of names.
func (r *Reader) OneOf(path string, n ast.Node, names ...string) string {
	s := r.Str(path, n)
	if r.Err == nil && !slices.Contains(names, s) {
		r.Fail(n, "%s: %q is not one of %s", path, s, strings.Join(names, ", "))
	}
	return s
}

// Hint returns "; did you mean x?" where a name is near enough.
func Hint(name string, names []string) string {
	best, dist := "", 1+len(name)/3
	for _, n := range names {
		if d := distance(name, n); d < dist || d == dist && best == "" {
			best, dist = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur := make([]int, len(b)+1)
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
		prev = cur
	}
	return prev[len(b)]
}
