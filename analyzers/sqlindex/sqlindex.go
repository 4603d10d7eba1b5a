// Package sqlindex judges the statements of a Go package against a catalog.
package sqlindex

import (
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers/diag"
	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Options configure the pass.
type Options struct {
	Root string
	// CatalogFor picks the catalog of a statement; nil results leave it out.
	CatalogFor func(tables []catalog.Name, file string) *catalog.Catalog
	// Pooling says how connections are pooled; nil is not by transaction.
	Pooling *sqllint.Pooling
	Enabled func(rule string) bool
	Keep    func(*rules.Finding) bool
}

// NewAnalyzer returns the pass. It reports what is certain from one package: not a
// statement of generated code, whose query file is reported instead, and one on a
// table with policies only where no other package can set its role: on a pool.
func NewAnalyzer(embed *analysis.Analyzer, o Options) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:             "sqlindex",
		Doc:              "report queries in Go code that no index serves",
		URL:              "https://github.com/planvet/planvet",
		Requires:         []*analysis.Analyzer{embed},
		RunDespiteErrors: true,
		Run: func(pass *analysis.Pass) (any, error) {
			r := pass.ResultOf[embed].(*embedsql.Result)
			rep := diag.Reporter{Pass: pass, Root: o.Root, Keep: o.Keep}
			rep.Report(Check(r, o))
			return nil, nil
		},
	}
}

// Check judges the statements of a package.
func Check(r *embedsql.Result, o Options) []rules.Finding {
	byCatalog := map[*catalog.Catalog][]*sqllint.Statement{}
	var order []*catalog.Catalog
	for _, s := range r.Statements {
		if s.Generated {
			continue
		}
		tables := Tables(s.Stmt)
		cat := o.CatalogFor(tables, s.Location.Path)
		if cat == nil || guarded(cat, tables, s.SearchPath) && !r.OnPool(s) {
			continue
		}
		if byCatalog[cat] == nil {
			order = append(order, cat)
		}
		byCatalog[cat] = append(byCatalog[cat], s)
	}
	commands := slices.DeleteFunc(slices.Clone(r.Commands), func(s *sqllint.Statement) bool { return s.Generated })
	if len(order) == 0 && len(commands) > 0 {
		if cat := o.CatalogFor(nil, commands[0].Location.Path); cat != nil {
			order = append(order, cat)
		}
	}
	var out []rules.Finding
	for i, cat := range order {
		opts := sqllint.Options{Enabled: o.Enabled, Policies: true, Pooling: o.Pooling}
		if i == 0 { // commands name no table that would tell which
			opts.Commands = commands
		}
		for _, f := range sqllint.Check(cat, byCatalog[cat], opts) {
			if f.Query != nil { // what the catalog alone tells is not this package's
				out = append(out, f)
			}
		}
	}
	rules.Sort(out)
	return out
}

// Tables are the relations that a statement names.
func Tables(s pgast.Stmt) []catalog.Name {
	var out []catalog.Name
	pgast.Walk(s, func(n pgast.Node) bool {
		if t, ok := n.(*pgast.Table); ok {
			out = append(out, catalog.Name{Schema: t.Schema, Name: t.Name})
		}
		return true
	})
	return out
}

// guarded reports whether a policy may add conditions to one of the tables.
func guarded(cat *catalog.Catalog, tables []catalog.Name, path []string) bool {
	for _, t := range tables {
		if rel := cat.Resolve(t.Schema, t.Name, path); rel != nil && rel.RLSEnabled && len(rel.Policies) > 0 {
			return true
		}
	}
	return false
}
