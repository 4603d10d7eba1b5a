// Package analyzers are planvet's go/analysis passes, for drivers such as
// golangci-lint, Bazel's nogo and go vet.
package analyzers

import (
	"io/fs"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

// Options configure the passes.
type Options struct {
	// Schema holds the migrations; they are found and replayed as planvet check
	// does.
	Schema fs.FS
	// Catalog is used instead of Schema when it is set.
	Catalog *catalog.Catalog
	// CatalogFor, when set, picks the catalog of a statement out of several; nil
	// takes Catalog.
	CatalogFor func(tables []catalog.Name, file string) *catalog.Catalog
	// Root is the folder that paths are relative to.
	Root string
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Keep decides on each finding before it is reported; nil keeps all. Files are
	// relative to Root.
	Keep func(f *rules.Finding) bool
	// Facts lets packages know what those that they import do. It is for drivers
	// that keep facts between packages, such as go vet.
	Facts bool
}

// New returns the passes; the last is planvet, which reports.
func New(o Options) ([]*analysis.Analyzer, error) { return newAnalyzers(o) }

func newAnalyzers(Options) ([]*analysis.Analyzer, error) { return nil, nil }
