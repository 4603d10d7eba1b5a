package gclplugin

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// inGo moves a diagnostic of an embedded file to the variable that embeds it: issues
// of files that are not Go golangci-lint drops. The message then says the place.
func inGo(pass *analysis.Pass, d analysis.Diagnostic) analysis.Diagnostic {
	at := pass.Fset.Position(d.Pos)
	if strings.HasSuffix(at.Filename, ".go") {
		return d
	}
	d.Message = fmt.Sprintf("%s (%s:%d:%d)", d.Message, filepath.Base(at.Filename), at.Line, at.Column)
	d.Pos, d.End = embedder(pass, at.Filename), token.NoPos
	return d
}

// embedder is the variable that embeds a file, else the package's first clause: a file
// system is embedded by a folder or a pattern.
func embedder(pass *analysis.Pass, file string) token.Pos {
	for _, f := range pass.Files {
		dir := filepath.Dir(pass.Fset.Position(f.FileStart).Filename)
		for _, decl := range f.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if embeds(g.Doc, dir, file) && !g.Lparen.IsValid() || embeds(v.Doc, dir, file) {
					return v.Pos()
				}
			}
		}
	}
	return pass.Files[0].Name.Pos()
}

func embeds(doc *ast.CommentGroup, dir, file string) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		patterns, ok := strings.CutPrefix(c.Text, "//go:embed ")
		if !ok {
			continue
		}
		for _, p := range strings.Fields(patterns) {
			p = filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(strings.Trim(p, "`\""), "all:")))
			if match, _ := filepath.Match(p, file); match || strings.HasPrefix(file, p+string(filepath.Separator)) {
				return true
			}
		}
	}
	return false
}
