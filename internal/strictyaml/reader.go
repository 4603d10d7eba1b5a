// Package strictyaml reads YAML by hand, so that every complaint has its place, its path
// and, of a key that nobody knows, the nearest one.
package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Reader walks a YAML tree by hand, so that every complaint has its place and its
// path, and keeps the first one.
type Reader struct {
	file    string
	whole   string
	anchors map[string]ast.Node
	visits  int
	// Err is the first complaint, with file, line and column.
	Err error
}

// NewReader reads a file; whole names what it is in complaints: the config.
func NewReader(file, whole string) *Reader {
	return &Reader{file: file, whole: whole, anchors: map[string]ast.Node{}}
}

// maxVisits bounds what aliases can expand to.
const maxVisits = 10_000

// Bounds of a config: the YAML library's time grows with the square of nesting.
const (
	maxBytes   = 256 << 10
	maxNesting = 200
)

// tooMuch says which bound a text breaks, "" for none. Brackets in strings count
// too: hundreds of them unclosed are no config either.
func tooMuch(text []byte) string {
	if len(text) > maxBytes {
		return fmt.Sprintf("the file has more than %d bytes", maxBytes)
	}
	open, dashes := 0, 0
	for i, c := range text {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open--
		case '-':
			if i+1 < len(text) && text[i+1] == ' ' {
				dashes++
			}
		case '\n':
			dashes = 0
		}
		if open > maxNesting || dashes > maxNesting {
			return fmt.Sprintf("values are nested more than %d deep", maxNesting)
		}
	}
	return ""
}

// Parse returns the document's root node, nil for an empty document.
func (r *Reader) Parse(text []byte) ast.Node {
	if why := tooMuch(text); why != "" {
		r.Fail(nil, "%s", why)
		return nil
	}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		var ye yaml.Error
		if errors.As(err, &ye) && ye.GetToken() != nil {
			p := ye.GetToken().Position
			r.Err = fmt.Errorf("%s:%d:%d: %s", r.file, p.Line, p.Column, OneLine(ye.GetMessage()))
		} else {
			r.Err = fmt.Errorf("%s: %s", r.file, OneLine(err.Error()))
		}
		return nil
	}
	var root ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if root != nil {
			r.Fail(d.Body, "a second document: planvet reads one")
			return nil
		}
		root = d.Body
	}
	if root != nil {
		ast.Walk(anchorVisitor{r.anchors}, root)
	}
	return root
}

type anchorVisitor struct{ anchors map[string]ast.Node }

// Visit records anchors.
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		v.anchors[a.Name.GetToken().Value] = a.Value
	}
	return v
}

// OneLine is the first line of a text.
func OneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// Fail keeps the first complaint, with its place.
func (r *Reader) Fail(n ast.Node, format string, args ...any) {
	if r.Err != nil {
		return
	}
	line, col := 1, 1
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		line, col = n.GetToken().Position.Line, n.GetToken().Position.Column
	}
	r.Err = fmt.Errorf("%s:%d:%d: %s", r.file, line, col, fmt.Sprintf(format, args...))
}

// Bare takes anchors, aliases and tags off a node.
func (r *Reader) Bare(n ast.Node) ast.Node {
	for r.visits++; r.visits < maxVisits; r.visits++ {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			n = r.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	r.Fail(n, "aliases expand to more than %d values", maxVisits)
	return nil
}

// IsNull reports a value that is not there, or null.
func IsNull(n ast.Node) bool {
	if n == nil {
		return true
	}
	_, ok := n.(*ast.NullNode)
	return ok
}

// Mapping calls f for each key of a mapping, and refuses a key written twice.
func (r *Reader) Mapping(path string, n ast.Node, f func(key string, at, value ast.Node)) {
	n = r.Bare(n)
	if IsNull(n) {
		return
	}
	var items []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		items = v.Values
	case *ast.MappingValueNode:
		items = []*ast.MappingValueNode{v}
	default:
		r.Fail(n, "%s must be a mapping", path)
		return
	}
	seen := map[string]bool{}
	for _, it := range items {
		key := r.text(it.Key)
		if seen[key] {
			r.Fail(it.Key, "key %q is written twice", key)
		}
		seen[key] = true
		if r.Err != nil {
			return
		}
		f(key, it.Key, it.Value)
	}
}

// text is a scalar as written, without its quotes.
func (r *Reader) text(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}

// Str is a scalar as a string.
func (r *Reader) Str(path string, n ast.Node) string {
	n = r.Bare(n)
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	r.Fail(n, "%s must be a string", path)
	return ""
}

// Strings is a list of strings, or one string for a list of one.
func (r *Reader) Strings(path string, n ast.Node) []string {
	n = r.Bare(n)
	if IsNull(n) {
		return nil
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if s := r.Str(path, n); r.Err == nil {
			return []string{s}
		}
		return nil
	}
	var out []string
	for _, v := range seq.Values {
		out = append(out, r.Str(path, v))
	}
	return out
}

// Texts is a mapping of strings.
func (r *Reader) Texts(path string, n ast.Node) map[string]string {
	out := map[string]string{}
	r.Mapping(path, n, func(key string, _, v ast.Node) { out[key] = r.Str(path+"."+key, v) })
	return out
}

// Count is a whole number that is not negative; 1_000_000 is one.
func (r *Reader) Count(path string, n ast.Node) int64 {
	n = r.Bare(n)
	if v, ok := n.(*ast.IntegerNode); ok {
		switch i := v.Value.(type) {
		case int64:
			if i >= 0 {
				return i
			}
		case uint64:
			if i < 1<<63 {
				return int64(i)
			}
		}
	}
	r.Fail(n, "%s must be a whole number, 0 or more", path)
	return 0
}

// Value is any YAML value as Go has it from JSON.
func (r *Reader) Value(path string, n ast.Node) any {
	switch v := r.Bare(n).(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return v.Value
	case *ast.IntegerNode:
		return v.Value
	case *ast.FloatNode:
		return v.Value
	case *ast.SequenceNode:
		out := []any{}
		for _, e := range v.Values {
			out = append(out, r.Value(path, e))
		}
		return out
	case *ast.MappingNode, *ast.MappingValueNode:
		out := map[string]any{}
		r.Mapping(path, n, func(key string, _, e ast.Node) { out[key] = r.Value(path+"."+key, e) })
		return out
	default:
		return r.Str(path, n)
	}
}
