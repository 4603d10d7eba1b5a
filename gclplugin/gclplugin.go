// Package gclplugin is planvet as a module plugin of golangci-lint.
//
//  1. The schema is replayed once a run, from the config and migrations that
//     planvet check would find from the working directory.
//  2. One analyzer, planvet, reports what go vet would be told by planvet without
//     facts of other packages: what is certain, decidable from one package, and at or
//     above fail-on.
//  3. A second one reports nothing. golangci-lint caches issues a package under the
//     package's Go files and the names of the analyzers; the name of that one carries
//     a hash of every .sql file, so that an edited migration is judged anew.
//
// //nolint:planvet is left to golangci-lint, whose nolintlint knows by that which
// directives hide nothing.
package gclplugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/vetunit"
)

func init() { register.Plugin("planvet", New) }

// Settings are linters.settings.custom.planvet.settings of .golangci.yml.
type Settings struct {
	// Config names the planvet.yaml to read, from the folder that golangci-lint runs
	// in. Without it the nearest upward is taken.
	Config string `json:"config"`
}

// New is what golangci-lint calls. A setting that there is not is an error.
func New(raw any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](raw)
	if err != nil {
		return nil, fmt.Errorf("the settings of planvet: %w", err)
	}
	return &plugin{s}, nil
}

type plugin struct{ settings Settings }

// GetLoadMode implements register.LinterPlugin.
func (*plugin) GetLoadMode() string { return register.LoadModeTypesInfo }

// BuildAnalyzers implements register.LinterPlugin.
func (p *plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	schema, err := vetunit.Fresh(vetunit.Options{Find: p.find, Files: engine.VetFiles, Build: engine.VetSchema}, wd)
	if err != nil {
		return nil, fmt.Errorf("planvet: %w", err)
	}
	passes, err := engine.PluginAnalyzers(schema.Root, schema.Config, schema.Encoded)
	if err != nil {
		return nil, fmt.Errorf("planvet: %w", err)
	}
	queries, err := hashSQL(schema.Root)
	if err != nil {
		return nil, fmt.Errorf("planvet: %w", err)
	}
	return []*analysis.Analyzer{one(passes), marker(schema.Key + queries)}, nil
}

func (p *plugin) find(dir string) (root, file string) {
	if p.settings.Config == "" {
		return config.Find(dir)
	}
	file = p.settings.Config
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return filepath.Dir(file), file
}

// one is the passes as a single analyzer of the linter's name, which golangci-lint then
// does not put before each message.
func one(passes []*analysis.Analyzer) *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name: "planvet", Doc: "report queries in Go code that no index serves, and loops that send one for each element",
		URL: "https://github.com/planvet/planvet", RunDespiteErrors: true,
	}
	for _, p := range passes {
		for _, r := range p.Requires {
			if !slices.Contains(a.Requires, r) {
				a.Requires = append(a.Requires, r)
			}
		}
	}
	a.Run = func(pass *analysis.Pass) (any, error) {
		for _, p := range passes {
			inner := *pass
			inner.Analyzer = p
			inner.Report = func(d analysis.Diagnostic) {
				// golangci-lint makes an issue of each other end of a finding.
				d.Related = nil
				pass.Report(inGo(pass, d))
			}
			if _, err := p.Run(&inner); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return a
}

// marker is an analyzer that does nothing and has a key in its name.
func marker(key string) *analysis.Analyzer {
	sum := sha256.Sum256([]byte(key))
	return &analysis.Analyzer{
		Name: "planvetschema" + hex.EncodeToString(sum[:8]), Doc: "carries a hash of the schema in its name; reports nothing",
		Run: func(*analysis.Pass) (any, error) { return nil, nil },
	}
}
