package nplusone

import (
	"golang.org/x/tools/go/analysis"

	"github.com/planvet/planvet/analyzers/diag"
	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/rules"
)

// Facts are the functions of a package that send a query at each call, and those that
// may wait for something outside of the process.
type Facts struct {
	Functions []Queries
	Waiting   []Waiting
}

// Waiting is a function, by its key, and what it waits for.
type Waiting struct{ Key, For string }

// AFact marks Facts as a fact.
func (*Facts) AFact() {}

func (f *Facts) String() string {
	s := "queries"
	for _, q := range f.Functions {
		s += " " + q.Key
	}
	return s
}

// PassOptions configure the pass.
type PassOptions struct {
	Root    string
	Enabled func(rule string) bool
	Keep    func(*rules.Finding) bool
	// Facts lets packages know which functions of others send a query.
	Facts bool
}

// NewAnalyzer returns the pass, which reports what is certain.
func NewAnalyzer(embed *analysis.Analyzer, o PassOptions) *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name:             "nplusone",
		Doc:              "report loops that read or write a row for each element",
		URL:              "https://github.com/planvet/planvet",
		Requires:         []*analysis.Analyzer{embed},
		RunDespiteErrors: true,
	}
	if o.Facts {
		a.FactTypes = []analysis.Fact{(*Facts)(nil)}
	}
	a.Run = func(pass *analysis.Pass) (any, error) {
		r := pass.ResultOf[embed].(*embedsql.Result)
		opts := Options{CertainOnly: true}
		if o.Facts {
			known, waiting := map[string]*Queries{}, map[string]string{}
			for _, pf := range pass.AllPackageFacts() {
				if f, ok := pf.Fact.(*Facts); ok && pf.Package != pass.Pkg {
					for i := range f.Functions {
						known[f.Functions[i].Key] = &f.Functions[i]
					}
					for _, w := range f.Waiting {
						waiting[w.Key] = w.For
					}
				}
			}
			opts.Imported = func(key string) *Queries { return known[key] }
			opts.Outside = func(key string) string { return waiting[key] }
			if f := (&Facts{Summaries(r, opts), waits(r, opts)}); len(f.Functions)+len(f.Waiting) > 0 {
				pass.ExportPackageFact(f)
			}
		}
		opts.Enabled = o.Enabled
		if opts.any() {
			rep := diag.Reporter{Pass: pass, Root: o.Root, Keep: o.Keep}
			rep.Report(Check(r, opts))
		}
		return nil, nil
	}
	return a
}
