// Package analyzers are planvet's go/analysis passes, for drivers such as
// golangci-lint, Bazel's nogo and go vet.
package analyzers

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/analyzers/poolstate"
	"github.com/planvet/planvet/analyzers/sqlindex"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Options configure the passes.
type Options struct {
	// Schema holds the migrations; they are found and replayed as planvet check
	// does.
	Schema fs.FS
	// Catalog is used instead of Schema when it is set.
	Catalog *catalog.Catalog
	// CatalogFor, when set, picks the catalog of a statement out of several; it is
	// used instead of Catalog and Schema.
	CatalogFor func(tables []catalog.Name, file string) *catalog.Catalog
	// Root is the folder, absolute, that paths are relative to.
	Root string
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Pooling says how connections are pooled; nil is not by transaction.
	Pooling *sqllint.Pooling
	// Keep decides on each finding before it is reported; nil keeps all. Its paths
	// are relative to Root.
	Keep func(f *rules.Finding) bool
	// Facts lets packages know what those that they import do. It is for drivers
	// that keep facts between packages, such as go vet.
	Facts bool
}

// Rules are the rules of the passes themselves.
var Rules = nplusone.Rules

// New returns the passes that report: sqlindex, poolstate and nplusone. They require embedsql,
// which a driver runs by itself.
func New(o Options) ([]*analysis.Analyzer, error) {
	if o.CatalogFor == nil {
		c := o.Catalog
		if c == nil {
			if o.Schema == nil {
				return nil, errors.New("analyzers: neither a schema nor a catalog is given")
			}
			var err error
			if c, err = replay(o.Schema); err != nil {
				return nil, fmt.Errorf("analyzers: replaying the schema: %w", err)
			}
		}
		o.CatalogFor = func([]catalog.Name, string) *catalog.Catalog { return c }
	}
	embed := embedsql.NewAnalyzer(embedsql.Options{Root: o.Root}, o.Facts)
	return []*analysis.Analyzer{
		sqlindex.NewAnalyzer(embed, sqlindex.Options{Root: o.Root, CatalogFor: o.CatalogFor, Pooling: o.Pooling, Enabled: o.Enabled, Keep: certain(o.Keep)}),
		poolstate.NewAnalyzer(embed, poolstate.Options{Root: o.Root, Pooling: o.Pooling, Enabled: o.Enabled, Keep: certain(o.Keep)}),
		nplusone.NewAnalyzer(embed, nplusone.PassOptions{Root: o.Root, Enabled: o.Enabled, Keep: certain(o.Keep), Facts: o.Facts}),
	}, nil
}

// certain keeps possible findings out of drivers that fail on any diagnostic.
func certain(keep func(*rules.Finding) bool) func(*rules.Finding) bool {
	return func(f *rules.Finding) bool {
		return f.Certainty == rules.Certain && (keep == nil || keep(f))
	}
}

// replay is the catalog of the first set of migrations in a folder.
func replay(schema fs.FS) (*catalog.Catalog, error) {
	d, err := migrationscan.Discover(schema, migrationscan.Options{})
	if err != nil {
		return nil, err
	}
	if len(d.Sets) == 0 {
		return nil, errors.New("no migrations were found")
	}
	if len(d.Sets) > 1 {
		return nil, fmt.Errorf("%d databases were found: give one of them", len(d.Sets))
	}
	c := migrationscan.Replay(d.Sets[0], migrationscan.ReplayOptions{}).Catalog
	c.Stats = predicate.DefaultSizes(c, nil)
	return c, nil
}
