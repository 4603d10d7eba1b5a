package engine

import (
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/source"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// fileStatements reads the query files, once.
func (p *Project) fileStatements() []*sqllint.Statement {
	if p.files != nil {
		return p.files
	}
	p.files = []*sqllint.Statement{}
	for _, f := range p.queryFiles() {
		text, err := fs.ReadFile(p.fsys, f)
		if err != nil {
			continue // the tree lists it
		}
		r := source.File(f, text)
		p.files = append(p.files, r.Statements...)
		p.orders = append(p.orders, r.Commands...)
		p.addUnparsed(r)
	}
	return p.files
}

// queryFiles are those that config names, those of sqlc, and those whose headers
// mark them.
func (p *Project) queryFiles() []string {
	migration := map[string]bool{}
	for _, s := range p.Discovery.Sets {
		for _, f := range s.Scripts {
			migration[f.Path] = true
		}
	}
	skip := func(rel string) bool { return p.skip(rel) || migration[rel] }
	set := map[string]bool{}
	for _, g := range p.Config.Queries {
		for _, m := range globFiles(p.fsys, g) {
			set[m] = true
		}
	}
	var err error
	p.sqlc, p.other, err = config.FindSQLC(p.fsys, skip)
	if err != nil { // one file of several; the others' entries are there
		p.Unparsed = append(p.Unparsed, Problem{rules.Location{Path: ".", Line: 1}, err.Error()})
	}
	for _, c := range p.sqlc {
		for _, q := range c.Queries {
			set[q] = !skip(q)
		}
	}
	if found, err := source.FindQueryFiles(p.fsys, skip); err == nil {
		for _, f := range found {
			set[f] = true
		}
	}
	for _, c := range p.other { // MySQL's and SQLite's have the same headers
		for _, f := range slices.Concat(c.Queries, c.Schema) {
			set[f] = false
		}
	}
	for _, f := range p.asked {
		if !migration[f] {
			set[f] = true
		}
	}
	var out []string
	for f, ok := range set {
		if ok {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// withoutTwins drops Go statements that repeat a statement of a query file: sqlc
// writes each query into Go once more, once a generated package. The copy has the
// query's name, not always its text: * is spelled out. Code generated for another
// engine goes too.
func (p *Project) withoutTwins(code []*sqllint.Statement) []*sqllint.Statement {
	files := p.fileStatements()
	return slices.DeleteFunc(slices.Clone(code), func(s *sqllint.Statement) bool {
		if !s.Generated {
			return false
		}
		into := func(c config.SQLC) bool { return c.Out != "" && c.Out == path.Dir(s.Location.Path) }
		if slices.ContainsFunc(p.other, into) && !slices.ContainsFunc(p.sqlc, into) {
			return true
		}
		return slices.ContainsFunc(files, func(f *sqllint.Statement) bool {
			if f.Fingerprint == s.Fingerprint {
				return true
			}
			return f.Symbol == s.Symbol && slices.ContainsFunc(p.sqlc, func(c config.SQLC) bool {
				return into(c) && slices.Contains(c.Queries, f.Location.Path)
			})
		})
	})
}

// Owners are the places that statements are sent from, file:line by fingerprint; of
// several places the first, and how many more there are.
func Owners(p *Project) map[string]string {
	places := map[string][]string{}
	for _, s := range p.Statements {
		at := fmt.Sprintf("%s:%d", s.Location.Path, s.Location.Line)
		if !slices.Contains(places[s.Fingerprint], at) {
			places[s.Fingerprint] = append(places[s.Fingerprint], at)
		}
	}
	out := map[string]string{}
	for fp, at := range places {
		if out[fp] = at[0]; len(at) > 1 {
			out[fp] += fmt.Sprintf(" and %d more", len(at)-1)
		}
	}
	return out
}
