package embedsql

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// orderedScript is a script with what its order follows from: where the function
// that runs it is listed, else where the text stands.
type orderedScript struct {
	Script
	pkg    string
	in     *program.Func
	listed rules.Location
	n      int
}

// addScript keeps a text that defines a schema.
func (x *extraction) addScript(site program.Site, r rendered) {
	at := x.callPlace(site)
	if at2 := r.locate(0, at); at2.Path != "" {
		at = at2
	}
	sc := orderedScript{
		Script: Script{
			Location: at, Text: r.text, Symbol: symbol(site.In), Segments: r.segs,
			Exact: len(r.segs) == 1 && r.segs[0].Exact,
		},
		pkg: site.In.Pkg.Path, in: site.In, n: len(x.scripts), listed: x.callPlace(site),
	}
	if p, ok := x.listedAt(site.In); ok {
		sc.listed = p
	}
	x.scripts = append(x.scripts, sc)
}

// listedAt is the place where a declared function is an element of a package's
// list: migrations run in the order of that list, not of their declarations.
func (x *extraction) listedAt(f *program.Func) (rules.Location, bool) {
	x.indexLists()
	p, ok := x.listed[f.Top().Key]
	return p, ok
}

func (x *extraction) indexLists() {
	if x.listed != nil {
		return
	}
	x.listed = map[string]rules.Location{}
	for _, pkg := range x.prog.Packages {
		for _, file := range pkg.Files {
			for _, d := range file.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				ast.Inspect(g, func(n ast.Node) bool {
					if _, ok := n.(*ast.FuncLit); ok {
						return false
					}
					id, ok := n.(*ast.Ident)
					if !ok {
						return true
					}
					if o, ok := pkg.Info.Uses[id].(*types.Func); ok {
						k := x.prog.Key(o)
						if _, twice := x.listed[k]; !twice {
							x.listed[k] = x.place(pkg, id.Pos())
						}
					}
					return true
				})
			}
		}
	}
}

// sortScripts orders scripts by package, list and place. Those of one call keep the
// order in which their texts were found, which is that of the list they stand in.
func (x *extraction) sortScripts() {
	slices.SortStableFunc(x.scripts, func(a, b orderedScript) int {
		return cmp.Or(cmp.Compare(a.pkg, b.pkg), compare(a.listed, b.listed), cmp.Compare(a.n, b.n))
	})
	seen := map[string]bool{}
	for _, s := range x.scripts {
		if s.in != nil && x.undoes(s.in) {
			continue
		}
		k := s.Location.Path + "\x00" + s.Text
		if seen[k] && s.Exact {
			continue
		}
		seen[k] = true
		x.res.Scripts = append(x.res.Scripts, s.Script)
	}
}

// memoryMigrations takes the texts of sql-migrate's migrations in Go: the elements
// of the field Up of a struct that has Down beside it.
func (x *extraction) memoryMigrations() {
	for _, f := range x.prog.Packages {
		for _, file := range f.Files {
			if x.prog.Skipped(f, file) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				l, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				t := f.Info.TypeOf(l)
				path, name := program.TypeName(t)
				if t == nil || name != "Migration" || !strings.HasSuffix(path, "/sql-migrate") {
					return true
				}
				x.upTexts(f, file, l)
				return false
			})
		}
	}
}

func (x *extraction) upTexts(pkg *Package, file *ast.File, l *ast.CompositeLit) {
	for _, e := range l.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if id, ok := kv.Key.(*ast.Ident); !ok || id.Name != "Up" {
			continue
		}
		w := &walker{x: x, pkg: pkg, env: env{}}
		for _, v := range w.eval(kv.Value).items {
			for _, t := range v.texts {
				if t.empty() {
					continue
				}
				r := x.fill(t, &sink{}, nil)
				sc := orderedScript{
					Script: Script{
						Location: r.locate(0, x.place(pkg, kv.Pos())), Text: r.text, Segments: r.segs,
						Exact: len(r.segs) == 1 && r.segs[0].Exact, Symbol: file.Name.Name,
					},
					pkg: pkg.Path, n: len(x.scripts), listed: x.place(pkg, kv.Pos()),
				}
				x.scripts = append(x.scripts, sc)
			}
		}
	}
}

// dropMigrations takes out the statements of functions that define a schema too:
// they run once, on whatever rows there are. A list of migrations has a literal
// each, so that in a file named for migrations one script speaks for all.
func (x *extraction) dropMigrations() {
	files, funcs := map[string]bool{}, map[*program.Func]bool{}
	for _, s := range x.scripts {
		if s.in == nil {
			continue
		}
		funcs[s.in.Top()] = true
		files[x.path(s.in.Pkg.Fset.Position(s.in.File.FileStart).Filename)] = true
	}
	migrates := func(s *sqllint.Statement) bool {
		f := x.sites[s].In.Top()
		file := x.path(f.Pkg.Fset.Position(f.File.FileStart).Filename)
		drop := funcs[f] || files[file] && strings.Contains(strings.ToLower(file), "migrat")
		if drop {
			x.noQuery[x.sites[s].Call] = true
		}
		return drop
	}
	x.res.Statements = slices.DeleteFunc(x.res.Statements, migrates)
	x.res.Commands = slices.DeleteFunc(x.res.Commands, migrates)
}
