package embedsql

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers/diag"
)

// Facts are the wrappers of a package, for those that import it. They are free of
// maps, so that their encoding is stable.
type Facts struct{ Functions []Summary }

// AFact marks Facts as a fact.
func (*Facts) AFact() {}

func (f *Facts) String() string {
	names := make([]string, len(f.Functions))
	for i, s := range f.Functions {
		names[i] = s.Key
	}
	return "wraps " + strings.Join(names, " ")
}

// NewAnalyzer returns the pass that yields a *Result and reports nothing. With facts
// set, packages learn which functions of others hand a text on.
func NewAnalyzer(o Options, facts bool) *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name:             "embedsql",
		Doc:              "find the SQL in Go code",
		URL:              "https://github.com/planvet/planvet",
		ResultType:       reflect.TypeFor[*Result](),
		RunDespiteErrors: true,
	}
	if facts {
		a.FactTypes = []analysis.Fact{(*Facts)(nil)}
	}
	a.Run = func(pass *analysis.Pass) (any, error) {
		o := o
		o.ReadFile = func(name string) ([]byte, error) { return diag.ReadFile(pass, name) }
		if facts {
			known := map[string]*Summary{}
			for _, pf := range pass.AllPackageFacts() {
				if f, ok := pf.Fact.(*Facts); ok && pf.Package != pass.Pkg {
					for i := range f.Functions {
						known[f.Functions[i].Key] = &f.Functions[i]
					}
				}
			}
			o.Imported = func(key string) *Summary { return known[key] }
		}
		r := Extract([]*Package{{
			Path: pass.Pkg.Path(), Fset: pass.Fset, Files: pass.Files, Types: pass.Pkg, Info: pass.TypesInfo,
		}}, o)
		if facts {
			f := &Facts{}
			for _, s := range r.x.wrappers {
				f.Functions = append(f.Functions, *s)
			}
			slices.SortFunc(f.Functions, func(a, b Summary) int { return strings.Compare(a.Key, b.Key) })
			if len(f.Functions) > 0 {
				pass.ExportPackageFact(f)
			}
		}
		return r, nil
	}
	return a
}

// File is the absolute name of a path of a result's locations.
func (o Options) File(path string) string {
	if filepath.IsAbs(path) || o.Root == "" {
		return path
	}
	return filepath.Join(o.Root, filepath.FromSlash(path))
}
