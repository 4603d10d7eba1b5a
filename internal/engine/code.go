package engine

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/tools/go/packages"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/analyzers/poolstate"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// goCode is what the Go packages of a project hold.
type goCode struct {
	statements []*sqllint.Statement
	commands   []*sqllint.Statement
	scripts    []migrationscan.Script
	loops      []rules.Finding
	pools      []rules.Finding
	files      []string
}

// loadedGo are the packages of a project.
type loadedGo struct {
	root     string
	pkgs     []*packages.Package
	problems []Problem
	// stamp is of the files below the root that they come from, outsideStamp of those in
	// the folders outside.
	stamp, outsideStamp string
	outside             []string
}

// loadCode loads the Go packages and takes the SQL out of them. Where another project
// with the same Go code gave its packages they are taken; the files that they embed may
// differ, and are read from this one's root.
func (p *Project) loadCode(ctx context.Context) error {
	p.progress("loading Go packages")
	if p.reuseGo(); p.gopkgs == nil {
		p.loadPackages(func() ([]*packages.Package, []Problem) { return loadGo(ctx, p.Root, p.Config.Go, p.skip) })
	}
	pkgs, from := p.gopkgs.pkgs, p.gopkgs.root
	if err := ctx.Err(); err != nil {
		return unfinishedf("%w", err)
	}
	p.Unresolved = append(p.Unresolved, p.gopkgs.problems...)
	p.GoPackages = len(pkgs)
	if len(pkgs) == 0 {
		return nil
	}
	p.progress("reading SQL in Go")
	var in []*embedsql.Package
	for _, k := range pkgs {
		if len(k.Syntax) > 0 && k.Types != nil {
			in = append(in, &embedsql.Package{Path: k.PkgPath, Fset: k.Fset, Files: k.Syntax, Types: k.Types, Info: k.TypesInfo})
		}
	}
	o := embedsql.Options{Root: from, Named: p.namedQuery()}
	if from != p.Root {
		o.ReadFile = func(name string) ([]byte, error) {
			if rel, err := filepath.Rel(from, name); err == nil {
				name = filepath.Join(p.Root, rel)
			}
			return os.ReadFile(name)
		}
	}
	r := embedsql.Extract(in, o)
	code := &goCode{statements: r.Statements, commands: r.Commands, files: r.Files, loops: nplusone.Check(r, nplusone.Options{}), pools: poolstate.Check(r, p.pooling())}
	for _, s := range r.Scripts {
		code.scripts = append(code.scripts, migrationscan.Script{
			Path: s.Location.Path, Text: s.Text, Line: s.Location.Line, Column: s.Location.Column, GoLiteral: true,
		})
	}
	for _, u := range r.Unparsed {
		p.Unparsed = append(p.Unparsed, Problem{u.Location, u.Error})
	}
	for _, u := range r.Unresolved {
		p.Unresolved = append(p.Unresolved, Problem{u.Location, u.Call + ": " + u.Reason})
	}
	p.code = code
	return nil
}

// namedQuery finds a query of a file by its name, for code that loads queries by
// name.
func (p *Project) namedQuery() func(string) *sqllint.Statement {
	byName := map[string]*sqllint.Statement{}
	for _, s := range p.fileStatements() {
		if s.Symbol != "" {
			byName[s.Symbol] = s
		}
	}
	return func(name string) *sqllint.Statement { return byName[name] }
}
