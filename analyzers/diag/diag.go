// Package diag turns findings into the diagnostics of a go/analysis pass.
package diag

import (
	"go/token"
	"os"
	"path/filepath"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/rules"
)

// ReadFile reads a file of a package, or one that it embeds. Drivers hand out the
// former; the latter they refuse, though go vet's cache looks at it.
func ReadFile(pass *analysis.Pass, name string) ([]byte, error) {
	if b, err := pass.ReadFile(name); err == nil {
		return b, nil
	}
	return os.ReadFile(name)
}

// Reporter reports findings of one pass.
type Reporter struct {
	Pass *analysis.Pass
	// Root is the folder that paths are relative to.
	Root string
	// Keep decides on each finding; nil keeps all.
	Keep func(*rules.Finding) bool

	files map[string]*token.File
}

// Report reports the findings that are kept and whose file can be read.
func (r *Reporter) Report(fs []rules.Finding) {
	for i := range fs {
		f := &fs[i]
		if r.Keep != nil && !r.Keep(f) {
			continue
		}
		pos := r.pos(f.Location, ReadFile)
		if !pos.IsValid() {
			continue
		}
		d := analysis.Diagnostic{Pos: pos, Category: f.Rule, Message: f.Rule + ": " + f.Message}
		for _, rel := range f.Related {
			// A migration's place would be one more line, and looks like one more finding.
			if p := r.pos(rel.Location, handedOut); p.IsValid() {
				d.Related = append(d.Related, analysis.RelatedInformation{Pos: p, Message: rel.Message})
			}
		}
		r.Pass.Report(d)
	}
}

// pos is the position of a place, in a file of the package or, for SQL, in one that
// is added to the file set.
func (r *Reporter) pos(l rules.Location, read reader) token.Pos {
	if l.Path == "" || l.Line < 1 {
		return token.NoPos
	}
	name := filepath.FromSlash(l.Path)
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Root, name)
	}
	f := r.file(name, read)
	if f == nil || l.Line > f.LineCount() {
		return token.NoPos
	}
	p := f.LineStart(l.Line) + token.Pos(max(l.Column-1, 0))
	if int(p) > f.Base()+f.Size() {
		return f.LineStart(l.Line)
	}
	return p
}

type reader = func(pass *analysis.Pass, name string) ([]byte, error)

func handedOut(pass *analysis.Pass, name string) ([]byte, error) { return pass.ReadFile(name) }

func (r *Reporter) file(name string, read reader) *token.File {
	if r.files == nil {
		r.files = map[string]*token.File{}
		for _, f := range r.Pass.Files {
			tf := r.Pass.Fset.File(f.FileStart)
			r.files[tf.Name()] = tf
		}
	}
	if f, ok := r.files[name]; ok {
		return f
	}
	b, err := read(r.Pass, name)
	if err != nil {
		return nil
	}
	f := r.Pass.Fset.AddFile(name, -1, len(b))
	f.SetLinesForContent(b)
	r.files[name] = f
	return f
}
