// Package programtest loads Go code out of txtar archives for tests, offline: the
// standard library from the toolchain, drivers from stubs of their signatures.
package programtest

import (
	"embed"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/planvet/planvet/analyzers/program"
)

//go:embed testdata/stubs
var stubs embed.FS

// Root is the absolute folder that the files of an archive seem to stand in.
const Root = "/src"

// Module is the path of the archive's root package.
const Module = "example.com/app"

var (
	mu    sync.Mutex
	fset  = token.NewFileSet()
	std   = importer.ForCompiler(fset, "gc", nil)
	cache = map[string]*types.Package{}
)

// Load type-checks the .go files of an archive; a file's folder is its package.
// Type errors are tolerated when broken is set, and fatal otherwise.
func Load(t testing.TB, a *txtar.Archive, broken bool) []*program.Package {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	l := &loader{t: t, own: map[string][]*ast.File{}, done: map[string]*program.Package{}, broken: broken}
	for _, f := range a.Files {
		if !strings.HasSuffix(f.Name, ".go") {
			continue
		}
		file, err := parser.ParseFile(fset, Root+"/"+f.Name, f.Data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		p := Module
		if dir := path.Dir(f.Name); dir != "." {
			p += "/" + dir
		}
		l.own[p] = append(l.own[p], file)
	}
	var out []*program.Package
	for _, p := range sortedKeys(l.own) {
		if _, err := l.Import(p); err != nil {
			t.Fatal(err)
		}
		out = append(out, l.done[p])
	}
	return out
}

// Files reads the other files of an archive, as a program reads those that it embeds.
func Files(a *txtar.Archive) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		for _, f := range a.Files {
			if Root+"/"+f.Name == name {
				return f.Data, nil
			}
		}
		return nil, fmt.Errorf("no file %s", name)
	}
}

type loader struct {
	t      testing.TB
	own    map[string][]*ast.File
	done   map[string]*program.Package
	broken bool
}

// Import implements types.Importer.
func (l *loader) Import(p string) (*types.Package, error) {
	if d := l.done[p]; d != nil {
		return d.Types, nil
	}
	if files, ok := l.own[p]; ok {
		pkg, info, err := l.check(p, files)
		if err != nil && !l.broken {
			return nil, err
		}
		l.done[p] = &program.Package{Path: p, Fset: fset, Files: files, Types: pkg, Info: info}
		return pkg, nil
	}
	if pkg := cache[p]; pkg != nil {
		return pkg, nil
	}
	entries, err := stubs.ReadDir("testdata/stubs/" + p)
	if err != nil {
		if strings.Contains(p, ".") {
			return nil, fmt.Errorf("no stub of %s", p)
		}
		return std.Import(p)
	}
	var files []*ast.File
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := stubs.ReadFile("testdata/stubs/" + p + "/" + e.Name())
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(fset, p+"/"+e.Name(), b, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	pkg, _, err := l.check(p, files)
	cache[p] = pkg
	return pkg, err
}

func (l *loader) check(p string, files []*ast.File) (*types.Package, *types.Info, error) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Implicits: map[ast.Node]types.Object{},
	}
	var first error
	conf := types.Config{Importer: l, Error: func(err error) {
		if first == nil {
			first = err
		}
	}}
	pkg, _ := conf.Check(p, fset, files, info)
	return pkg, info, first
}

func sortedKeys(m map[string][]*ast.File) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
