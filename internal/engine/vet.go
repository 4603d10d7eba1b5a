package engine

import (
	"bytes"
	"context"
	"encoding/gob"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

// VetFiles lists the files, relative to root, that the findings of every Go
// package depend on: the migrations, or the Go files that hold DDL.
func VetFiles(root, configFile string) ([]string, error) {
	p, err := openVet(root, configFile)
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for _, db := range p.Databases {
		for _, s := range db.Set.Scripts {
			set[s.Path] = true
		}
	}
	for _, db := range p.Databases {
		if file := p.Config.StatisticsOf(db.Set.Name); file != "" {
			set[path.Clean(file)] = true
		}
	}
	// What is known is judged by the baseline, and new again without it.
	if _, err := fs.Stat(p.fsys, BaselineFile); err == nil {
		set[BaselineFile] = true
	}
	var files []string
	for f := range set {
		files = append(files, f)
	}
	slices.Sort(files)
	return files, nil
}

// openVet reads the schema of a root; Go code only where no file holds DDL.
func openVet(root, configFile string) (*Project, error) {
	p, err := Open(Options{Dir: root, ConfigFile: configFile, NoGo: true})
	if err != nil {
		return nil, err
	}
	p.Root = root
	if err := p.Load(context.Background()); err != nil {
		return nil, err
	}
	if len(p.Discovery.Sets) > 0 {
		return p, nil
	}
	q, err := Open(Options{Dir: root, ConfigFile: configFile})
	if err != nil {
		return nil, err
	}
	return q, q.Load(context.Background())
}

// vetSchema is what go vet's units are given: the catalogs and assumed sizes.
type vetSchema struct {
	Databases []vetDatabase
}

type vetDatabase struct {
	Name, Dir string
	Catalog   []byte
	Rows      map[catalog.Name]int64
	Sources   map[catalog.Name]string
}

// VetSchema replays the schema of a root and encodes it for go vet's units.
func VetSchema(root, configFile string) ([]byte, error) {
	p, err := openVet(root, configFile)
	if err != nil {
		return nil, err
	}
	var v vetSchema
	for _, db := range p.Databases {
		b, err := db.Catalog.Encode()
		if err != nil {
			return nil, err
		}
		d := vetDatabase{Name: db.Set.Name, Dir: db.Set.Dir, Catalog: b, Rows: map[catalog.Name]int64{}, Sources: map[catalog.Name]string{}}
		for _, r := range db.Catalog.Relations() {
			if db.Catalog.Stats != nil {
				d.Rows[r.Name], d.Sources[r.Name] = db.Catalog.Stats.Rows(r)
			}
		}
		v.Databases = append(v.Databases, d)
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// decodeVet gives the databases of an encoded schema.
func decodeVet(encoded []byte) ([]*Database, error) {
	var v vetSchema
	if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(&v); err != nil {
		return nil, err
	}
	var out []*Database
	for _, d := range v.Databases {
		c, err := catalog.Decode(d.Catalog)
		if err != nil {
			return nil, err
		}
		c.Stats = tableSizes{d.Rows, d.Sources}
		db := &Database{Catalog: c}
		db.Set.Name, db.Set.Dir = d.Name, d.Dir
		out = append(out, db)
	}
	return out, nil
}

type tableSizes struct {
	rows   map[catalog.Name]int64
	source map[catalog.Name]string
}

// Rows implements catalog.Sizes.
func (s tableSizes) Rows(r *catalog.Relation) (int64, string) {
	if n, ok := s.rows[r.Name]; ok {
		return n, s.source[r.Name]
	}
	return 100_000, "default"
}

// VetAnalyzers are the passes that go vet runs on a package of root: findings that
// are certain and at or above the config's fail-on, free of suppressed ones.
func VetAnalyzers(root, configFile string, encoded []byte) ([]*analysis.Analyzer, error) {
	return vetAnalyzers(root, configFile, encoded, true, nil)
}

// PluginAnalyzers are those of VetAnalyzers for golangci-lint: without facts, for
// which it would analyse every dependency from its source, and with the findings that
// //nolint:planvet is about, since golangci-lint looks for those itself and reports a
// directive that hides nothing.
func PluginAnalyzers(root, configFile string, encoded []byte) ([]*analysis.Analyzer, error) {
	return vetAnalyzers(root, configFile, encoded, false, func(d suppress.Directive) bool { return d.NoLint })
}

func vetAnalyzers(root, configFile string, encoded []byte, facts bool, unheeded func(suppress.Directive) bool) ([]*analysis.Analyzer, error) {
	p, err := Open(Options{Dir: root, ConfigFile: configFile})
	if err != nil {
		return nil, err
	}
	p.Root = root
	if p.Databases, err = decodeVet(encoded); err != nil {
		return nil, err
	}
	known, err := p.Baseline("")
	if err != nil {
		return nil, err
	}
	return analyzers.New(analyzers.Options{
		Root: root, Facts: facts, Pooling: p.declaredPooling(), Enabled: p.enabled, Keep: newInVet(known, p.keepInVet(unheeded)),
		CatalogFor: func(tables []catalog.Name, file string) *catalog.Catalog {
			return p.databaseFor(tables, nil, file).Catalog
		},
	})
}

// newInVet leaves out what a baseline knows. A pass sees one finding at a time, so an entry
// covers all that say the same of the same file or of the same symbol, where planvet check
// tells a second occurrence.
func newInVet(b *suppress.Baseline, keep func(*rules.Finding) bool) func(*rules.Finding) bool {
	if b == nil {
		return keep
	}
	ids, said := map[string]bool{}, map[suppress.Entry]bool{}
	for _, e := range b.Entries {
		ids[e.ID] = true
		said[suppress.Entry{Rule: e.Rule, Path: e.Path, Message: e.Message}] = true
	}
	return func(f *rules.Finding) bool {
		if said[suppress.Entry{Rule: f.Rule, Path: f.Location.Path, Message: f.Message}] {
			return false
		}
		one := []rules.Finding{*f}
		rules.SetIDs(one)
		return !ids[one[0].ID] && keep(f)
	}
}

// keepInVet applies severities, fail-on and suppressions, but for those that are
// unheeded, to one finding at a time. Packages may ask at the same time.
func (p *Project) keepInVet(unheeded func(suppress.Directive) bool) func(*rules.Finding) bool {
	var mu sync.Mutex
	directives := map[string][]suppress.Directive{}
	known := func(r string) bool { return all.Lookup(r) != nil }
	least := 2
	if p.Config.FailOn != "" {
		least = rules.Severity(p.Config.FailOn).Rank() // 0 for never
	}
	return func(f *rules.Finding) bool {
		if !p.tiered(f, p.objects()) {
			return false
		}
		if f.Certainty != rules.Certain || least == 0 || f.Severity.Rank() < least {
			return false
		}
		mu.Lock()
		ds, ok := directives[f.Location.Path]
		if !ok {
			if text, err := p.Read(f.Location.Path); err == nil {
				ds = suppress.Collect(f.Location.Path, text, strings.HasSuffix(f.Location.Path, ".go"))
			}
			if unheeded != nil {
				ds = slices.DeleteFunc(ds, unheeded)
			}
			directives[f.Location.Path] = ds
		}
		mu.Unlock()
		kept, _ := suppress.Apply([]rules.Finding{*f}, ds, suppress.Options{Known: known, Today: p.today()})
		return slices.ContainsFunc(kept, func(k rules.Finding) bool { return k.Rule == f.Rule })
	}
}
