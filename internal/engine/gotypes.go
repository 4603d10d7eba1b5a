package engine

import (
	"cmp"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/tools/go/packages"
)

// checker type-checks packages from source. A dependency leaves its exported types
// and nothing else: a program's dependencies are fifty times its own code, and their
// syntax and what the checker notes of it are gigabytes.
type checker struct {
	ctx   context.Context
	fset  *token.FileSet
	own   map[*packages.Package]bool
	deps  map[*packages.Package][]*packages.Package
	slots chan struct{} // as many packages at once as there are processors

	mu   sync.Mutex
	done map[*packages.Package]*sync.Once
}

// checkTypes fills the types of packages after those of their imports, and for these
// packages themselves also their syntax and what each expression is. What does not
// type-check is filled as far as it goes, and listed with the package.
func checkTypes(ctx context.Context, fset *token.FileSet, own []*packages.Package) {
	c := &checker{
		ctx: ctx, fset: fset, own: map[*packages.Package]bool{}, deps: map[*packages.Package][]*packages.Package{}, slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		done: map[*packages.Package]*sync.Once{},
	}
	for _, p := range own {
		c.own[p] = true
		c.follow(p, map[*packages.Package]bool{})
	}
	c.all(own)
}

// follow notes the imports of a package and of those, without what closes a circle:
// the compiler refuses it, and nobody may wait for himself.
func (c *checker) follow(p *packages.Package, above map[*packages.Package]bool) {
	if _, ok := c.deps[p]; ok {
		return
	}
	above[p] = true
	deps := []*packages.Package{}
	for _, i := range p.Imports {
		if !above[i] {
			c.follow(i, above)
			deps = append(deps, i)
		}
	}
	c.deps[p] = deps
	delete(above, p)
}

func (c *checker) all(pkgs []*packages.Package) {
	var wg sync.WaitGroup
	for _, p := range pkgs {
		wg.Go(func() { c.check(p) })
	}
	wg.Wait()
}

func (c *checker) check(p *packages.Package) {
	c.mu.Lock()
	once := c.done[p]
	if once == nil {
		once = new(sync.Once)
		c.done[p] = once
	}
	c.mu.Unlock()
	once.Do(func() {
		c.all(c.deps[p])
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
	own := c.own[p]
	mode := parser.SkipObjectResolution
	if own {
		mode |= parser.ParseComments
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(c.fset, name, nil, mode)
		if err != nil && own {
			p.Errors = append(p.Errors, packages.Error{Msg: firstLine(err).Error(), Kind: packages.ParseError})
		}
		if f == nil {
			continue
		}
		if !own {
			dropBodies(f)
		}
		files = append(files, f)
	}
	conf := types.Config{
		Error: func(err error) { // what is known is taken
			var te types.Error
			if own && errors.As(err, &te) && !te.Soft {
				p.Errors = append(p.Errors, packages.Error{Pos: c.fset.Position(te.Pos).String(), Msg: te.Msg, Kind: packages.TypeError})
			}
		},
		IgnoreFuncBodies: !own,
		FakeImportC:      true,
		Sizes:            cmp.Or(types.SizesFor("gc", runtime.GOARCH), types.SizesFor("gc", "amd64")),
		Importer: importer(func(path string) (*types.Package, error) {
			if i := p.Imports[path]; i != nil && slices.Contains(c.deps[p], i) && i.Types != nil {
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
