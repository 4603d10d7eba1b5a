package engine

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rlscheck"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
	"github.com/planvet/planvet/sqllint"
)

// Check runs the checkers over a loaded project. Findings are sorted, have their
// identities, and are free of what comments suppress, the count of which is returned
// beside them, and of what config silences of single objects, which Silenced counts.
func (p *Project) Check() (fs []rules.Finding, suppressed int) {
	p.progress("checking")
	pool := p.pooling()
	for _, db := range p.Databases {
		from := len(fs)
		stmts := slices.DeleteFunc(slices.Clone(db.Statements), runsOnce)
		fs = append(fs, sqllint.Check(db.Catalog, stmts, sqllint.Options{
			Enabled: p.enabled, Policies: true, Pooling: pool, Commands: db.Commands,
		})...)
		fs = append(fs, rlscheck.Check(db.Catalog, policyWorkload(stmts), rlscheck.Options{Enabled: p.enabled})...)
		tag(fs[from:], db)
	}
	if p.code != nil {
		fs = append(append(fs, p.loops()...), p.code.pools...)
	}
	judged := suppress.Options{Known: func(r string) bool { return all.Lookup(r) != nil }, Today: p.today()}
	ran := func(r string) bool { return p.enabled(r) && p.wholeRuleSet() }
	judged.Ran = ran
	fs, suppressed = suppress.Apply(fs, p.directives(), judged)
	fs = p.settings(fs, func(r string) bool { return ran(r) && !p.LostGo() })
	fs = slices.DeleteFunc(fs, func(f rules.Finding) bool { return !p.shows(f.Location.Path) || !p.enabled(f.Rule) })
	for i := range fs {
		if fs[i].Verdict.Status == "" {
			fs[i].Verdict.Status = rules.NotRun
		}
	}
	rules.Sort(fs)
	fs = onePlaceOnce(fs)
	rules.SetIDs(fs)
	p.weigh(fs)
	return fs, suppressed
}

// onePlaceOnce keeps one of the findings that say the same of the same place: a
// text that is built in several ways is judged in each, and the surest judgement
// stands. Findings are sorted.
func onePlaceOnce(fs []rules.Finding) []rules.Finding {
	type key struct {
		rule, table, columns, policy string
		at                           rules.Location
	}
	at := map[key]int{}
	out := fs[:0]
	for _, f := range fs {
		k := key{f.Rule, f.Object.Schema + "." + f.Object.Table, strings.Join(f.Object.Columns, ","), f.Object.Policy, f.Location}
		if i, ok := at[k]; ok {
			if out[i].Certainty == rules.Possible && f.Certainty == rules.Certain {
				out[i] = f
			}
			continue
		}
		at[k] = len(out)
		out = append(out, f)
	}
	return out
}

// runsOnce reports whether a statement belongs to a migration written in Go: it
// runs once, and an index for it alone would never pay.
func runsOnce(s *sqllint.Statement) bool {
	if s.Source != sqllint.FromGo {
		return false
	}
	for part := range strings.SplitSeq(s.Location.Path, "/") {
		switch strings.TrimSuffix(strings.ToLower(part), ".go") {
		case "migrations", "migration", "migrate", "migrator", "upgrades":
			return true
		}
	}
	return false
}

// tag tells the confirmation which database findings are about.
func tag(fs []rules.Finding, db *Database) {
	for i := range fs {
		if fs[i].Probe != nil {
			fs[i].Probe.Database = db.Set.Name
		}
	}
}

// loops are the findings on Go loops, each with the database of its statement.
func (p *Project) loops() []rules.Finding {
	of := map[string]*Database{}
	for _, db := range p.Databases {
		for _, s := range db.Statements {
			of[s.Text] = db
		}
	}
	out := slices.Clone(p.code.loops)
	for i := range out {
		db := p.Databases[0]
		if out[i].Query != nil && of[out[i].Query.Text] != nil {
			db = of[out[i].Query.Text]
		}
		tag(out[i:i+1], db)
		qualify(&out[i], db.Catalog)
		nplusone.Complete(&out[i], db.Catalog)
	}
	return out
}

// qualify names the schema of the table that a loop's query is about: Go code alone
// does not tell it.
func qualify(f *rules.Finding, c *catalog.Catalog) {
	if f.Object.Table == "" || f.Object.Schema != "" {
		return
	}
	if r := c.Resolve("", f.Object.Table, nil); r != nil {
		f.Object.Schema = r.Schema
		if f.Probe != nil {
			probe := *f.Probe
			probe.Schema = r.Schema
			f.Probe = &probe
		}
	}
}

func policyWorkload(stmts []*sqllint.Statement) []rlscheck.Workload {
	var out []rlscheck.Workload
	for _, s := range stmts {
		if s.RoleKnown {
			out = append(out, rlscheck.Workload{
				Stmt: s.Stmt, Role: s.Role, Query: *s.Query(), Locate: s.Locate,
				SearchPath: s.SearchPath, Variables: s.Variables, Dynamic: s.Dynamic,
			})
		}
	}
	return out
}

// platformPath is where migrationscan places the platform's own objects: no file.
const platformPath = "supabase platform"

// settings applies config's severities, what it says of single objects, and references,
// and drops related places that are in no file. ran reports whether a rule ran on
// everything.
func (p *Project) settings(fs []rules.Finding, ran func(rule string) bool) []rules.Finding {
	objects := p.objects()
	kept := fs[:0]
	p.Silenced = 0
	for _, f := range fs {
		if !p.tiered(&f, objects) {
			if p.shows(f.Location.Path) && p.enabled(f.Rule) {
				p.Silenced++
			}
			continue
		}
		f.SpecRef = p.Config.SpecRefs[f.Rule]
		f.Related = slices.DeleteFunc(f.Related, func(r rules.Related) bool {
			return strings.HasPrefix(r.Location.Path, platformPath) || p.Ran != nil && p.Ran.schema != "" && r.Location.Path == serverSchema
		})
		kept = append(kept, f)
	}
	for _, f := range objects.faults(ran) {
		if s := p.setting(f.Rule).Severity; s != "" {
			f.Severity = rules.Severity(s)
		}
		kept = append(kept, f)
	}
	return kept
}

// tiered gives a finding the severity of config; false silences it.
func (p *Project) tiered(f *rules.Finding, o *objects) bool {
	s := p.setting(f.Rule).Severity
	if c := o.of(f); c != nil {
		if c.Off {
			return false
		}
		s = c.Severity
	}
	if s != "" {
		f.Severity = rules.Severity(s)
	}
	return true
}

// directives are the suppression comments of every file that was read.
func (p *Project) directives() []suppress.Directive {
	files := map[string]bool{}
	for _, db := range p.Databases {
		for _, s := range db.Set.Scripts {
			if !s.GoLiteral {
				files[s.Path] = false
			}
		}
	}
	for _, s := range p.Statements {
		if s.Source == sqllint.FromSQL {
			files[s.Location.Path] = false
		}
	}
	if p.code != nil {
		for _, f := range p.code.files {
			files[f] = true
		}
	}
	names := make([]string, 0, len(files))
	for f := range files {
		names = append(names, f)
	}
	slices.Sort(names)
	var out []suppress.Directive
	for _, f := range names {
		if text, err := p.Read(f); err == nil {
			out = append(out, suppress.Collect(f, text, files[f])...)
		}
	}
	return out
}
