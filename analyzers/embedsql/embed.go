package embedsql

import (
	"go/ast"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/planvet/planvet/rules"
)

// embedded is the text of a variable with a go:embed directive of one file.
func (x *extraction) embedded(d *declared) (value, bool) {
	patterns := embedPatterns(d.doc)
	if len(patterns) != 1 || strings.ContainsAny(patterns[0], "*?[") {
		return value{}, false
	}
	return x.embedFile(d.pkg, d.spec, patterns[0])
}

func embedPatterns(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var out []string
	for _, c := range doc.List {
		rest, ok := strings.CutPrefix(c.Text, "//go:embed ")
		if !ok {
			continue
		}
		for _, f := range strings.Fields(rest) {
			if q, err := strconv.Unquote(f); err == nil {
				f = q
			}
			out = append(out, strings.TrimPrefix(f, "all:"))
		}
	}
	return out
}

// embedFile reads a file beside the Go file that embeds it.
func (x *extraction) embedFile(pkg *Package, at ast.Node, name string) (value, bool) {
	full := filepath.Join(filepath.Dir(pkg.Fset.Position(at.Pos()).Filename), filepath.FromSlash(name))
	b, err := x.o.ReadFile(full)
	if err != nil {
		return value{}, false
	}
	v := literal(piece{
		kind: pieceText, text: string(b), exact: true,
		file: &rules.Location{Path: x.path(full), Line: 1, Column: 1},
	})
	return v.with(byEmbed), true
}

// readEmbedded is files.ReadFile("q.sql") on an embedded file system.
func (w *walker) readEmbedded(call *ast.CallExpr) value {
	var name string
	for _, a := range call.Args {
		if s, ok := w.texts1(a); ok {
			name = s
		}
	}
	if name == "" {
		return hole(holeAny, "a file whose name is not constant")
	}
	if v, ok := w.x.embedFile(w.pkg, call, name); ok {
		return v
	}
	return hole(holeAny, "a file that is not there: "+name)
}
