package engine

import (
	"cmp"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// checker type-checks packages from source. A dependency leaves its exported types
// and nothing else: a program's dependencies are fifty times its own code, and their
// syntax and what the checker notes of it are gigabytes.
type checker struct {
	ctx   context.Context
	fset  *token.FileSet
	root  string
	slots chan struct{} // as many packages at once as there are processors

	mu   sync.Mutex
	done map[*packages.Package]*sync.Once
}

func newChecker(ctx context.Context, fset *token.FileSet, root string) *checker {
	return &checker{
		ctx: ctx, fset: fset, root: root + string(os.PathSeparator), slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		done: map[*packages.Package]*sync.Once{},
	}
}

func (c *checker) all(pkgs []*packages.Package) {
	var wg sync.WaitGroup
	for _, p := range pkgs {
		wg.Go(func() { c.check(p) })
	}
	wg.Wait()
}

// check fills the types of a package after those of its imports; for code below the
// root also its syntax and what each expression is. What does not type-check is
// filled as far as it goes.
func (c *checker) check(p *packages.Package) {
	c.mu.Lock()
	once := c.done[p]
	if once == nil {
		once = new(sync.Once)
		c.done[p] = once
	}
	c.mu.Unlock()
	once.Do(func() {
		c.all(slices.Collect(maps.Values(p.Imports)))
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		if c.ctx.Err() == nil {
			c.one(p)
		}
	})
}

func (c *checker) one(p *packages.Package) {
	if p.PkgPath == "unsafe" {
		p.Types = types.Unsafe
		return
	}
	own := false
	var files []*ast.File
	for _, name := range p.GoFiles {
		mine := strings.HasPrefix(name, c.root)
		own = own || mine
		mode := parser.SkipObjectResolution
		if mine {
			mode |= parser.ParseComments
		}
		f, _ := parser.ParseFile(c.fset, name, nil, mode)
		if f == nil {
			continue
		}
		if !mine {
			dropBodies(f)
		}
		files = append(files, f)
	}
	conf := types.Config{
		Error:            func(error) {}, // what is known is taken
		IgnoreFuncBodies: !own,
		FakeImportC:      true,
		Sizes:            cmp.Or(types.SizesFor("gc", runtime.GOARCH), types.SizesFor("gc", "amd64")),
		Importer: importer(func(path string) (*types.Package, error) {
			if i := p.Imports[path]; i != nil && i.Types != nil {
				return i.Types, nil
			}
			return nil, errors.New("no package " + path)
		}),
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	var info *types.Info
	if own {
		info = &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Implicits: map[ast.Node]types.Object{}, Instances: map[*ast.Ident]types.Instance{},
			Selections: map[*ast.SelectorExpr]*types.Selection{}, Scopes: map[ast.Node]*types.Scope{},
			FileVersions: map[*ast.File]string{},
		}
		p.Syntax, p.TypesInfo = files, info
	}
	p.Fset = c.fset
	p.Types = types.NewPackage(p.PkgPath, p.Name)
	_ = types.NewChecker(&conf, c.fset, p.Types, info).Files(files)
}

type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }

// dropBodies takes out of a dependency's file what its types do not need.
func dropBodies(f *ast.File) {
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			fd.Body = nil
		}
	}
}
