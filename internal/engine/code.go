package engine

import (
	"context"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// goCode is what the Go packages of a project hold.
type goCode struct {
	statements []*sqllint.Statement
	scripts    []migrationscan.Script
	loops      []rules.Finding
	files      []string
}

// loadCode loads the Go packages and takes the SQL out of them.
func (p *Project) loadCode(ctx context.Context) error {
	p.progress("loading Go packages")
	pkgs, problems := loadGo(ctx, p.Root, p.Config.Go, p.skip)
	if err := ctx.Err(); err != nil {
		return unfinishedf("%w", err)
	}
	p.Unresolved = append(p.Unresolved, problems...)
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
	r := embedsql.Extract(in, embedsql.Options{Root: p.Root, Named: p.namedQuery()})
	code := &goCode{statements: r.Statements, files: r.Files, loops: nplusone.Check(r, nplusone.Options{})}
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
