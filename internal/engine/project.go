package engine

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/source"
	"github.com/planvet/planvet/internal/stats"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Options say what to look at. The zero value looks at the working directory.
type Options struct {
	// Dir is the working directory; "" is the process's.
	Dir string
	// Paths are folders, files or ./... patterns. The first one's project is
	// analysed whole; they filter what is reported.
	Paths []string
	// ConfigFile is used instead of the one that is found.
	ConfigFile string
	// Role is the role of statements whose role nothing tells.
	Role string
	// Rules, when not empty, are the only rules that run: names of rules and groups.
	Rules []string
	// NoGo leaves Go code out: schema and query files only.
	NoGo bool
	// Workload is what a server ran, beside the code; nil where nobody asked one.
	Workload *Workload
	// Earlier is the same project as it was loaded before; its Go packages are taken
	// where no Go file changed since. nil loads them.
	Earlier *Project
	// Today is the day that suppressions are held against, as 2006-01-02; "" is today.
	Today string
	// Progress is told what goes on; nil is silent.
	Progress func(what string, done, total int)
}

// Problem is something that was listed rather than analysed.
type Problem struct {
	Location rules.Location
	Text     string
}

// Database is one logical database of a project.
type Database struct {
	Set     migrationscan.Set
	Replay  *migrationscan.Result
	Catalog *catalog.Catalog
	// Statements are those that run on it, from every source; Commands are no queries:
	// SET, LISTEN, CREATE TEMPORARY TABLE.
	Statements, Commands []*sqllint.Statement
	// Statistics are production's, where config names their file; else nil.
	Statistics *stats.File
}

// Project is a root, its config, and what was read from it.
type Project struct {
	Root   string
	Config *config.Config
	// Databases are sorted by name; there is always one.
	Databases []*Database
	Discovery *migrationscan.Discovery
	// Statements are all statements sorted by place.
	Statements []*sqllint.Statement
	// Ran is what the workload gave; nil without one.
	Ran        *Ran
	GoPackages int

	Unparsed, Unresolved, NotApplied []Problem
	// Silenced counts the findings of Check that config silences by their objects.
	Silenced int

	opts   Options
	filter []string // slash paths relative to root; empty reports all
	asked  []string // .sql files that the user named: they hold queries
	twin   *Project // the project after a change, for the one before it; else nil
	gopkgs *loadedGo
	code   *goCode
	files  []*sqllint.Statement // of query files; nil before they are read
	orders []*sqllint.Statement // commands of query files
	// pool is nil where nothing tells that connections are pooled by transaction, or
	// where nobody has asked yet.
	pool      *sqllint.Pooling
	poolKnown bool
	sqlc      []config.SQLC // PostgreSQL's entries
	other     []config.SQLC // other engines' entries
	fsys      *tree
}

// Open finds a project's root and reads its config. It touches no other file.
func Open(o Options) (*Project, error) {
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return nil, unfinishedf("finding the working directory: %w", err)
		}
	}
	paths, err := absolute(dir, o.Paths)
	if err != nil {
		return nil, err
	}
	start := dir
	if len(paths) > 0 {
		start = paths[0]
	}
	root, file := config.Find(start)
	if o.ConfigFile != "" {
		file = o.ConfigFile
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		root = filepath.Dir(file)
	}
	c, err := config.Load(file)
	if err != nil {
		return nil, &Error{Usage, err}
	}
	if err := checkRuleNames(c, o.Rules); err != nil {
		return nil, err
	}
	p := &Project{Root: root, Config: c, opts: o, fsys: newTree(root)}
	for _, a := range paths {
		rel, err := filepath.Rel(root, a)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return nil, usagef("%s is outside of the project %s: run planvet once a project", a, root)
		}
		if rel = filepath.ToSlash(rel); rel != "." {
			p.filter = append(p.filter, rel)
		}
		if strings.HasSuffix(rel, ".sql") {
			p.asked = append(p.asked, rel)
		}
	}
	return p, nil
}

// SQLC are PostgreSQL's entries of the project's sqlc configurations.
func (p *Project) SQLC() []config.SQLC { return p.sqlc }

// absolute resolves what a user typed; dir/... means dir.
func absolute(dir string, paths []string) ([]string, error) {
	var out []string
	for _, a := range paths {
		a = strings.TrimSuffix(a, "...")
		if a == "" {
			a = "."
		}
		if !filepath.IsAbs(a) {
			a = filepath.Join(dir, a)
		}
		a = filepath.Clean(a)
		if _, err := os.Stat(a); err != nil {
			return nil, usagef("%s: no such file or folder", a)
		}
		if real, err := filepath.EvalSymlinks(a); err == nil {
			a = real
		}
		out = append(out, a)
	}
	return out, nil
}

// Load reads migrations, Go code and query files.
func (p *Project) Load(ctx context.Context) error {
	p.progress("reading migrations")
	opts := migrationscan.Options{Exclude: p.Config.Exclude, Databases: map[string][]string{}}
	for name, db := range p.Config.Databases {
		paths := slices.Clone([]string(db.Migrations))
		if db.Schema != "" {
			paths = append(paths, db.Schema)
		}
		if len(paths) > 0 {
			opts.Databases[name] = paths
		}
	}
	d, err := migrationscan.Discover(p.fsys, opts)
	if err != nil {
		if p.Config.File != "" {
			return usagef("%s: %w", p.rel(p.Config.File), err)
		}
		return unfinishedf("looking for migrations: %w", err)
	}
	p.Discovery = d
	if !p.opts.NoGo {
		if err := p.loadCode(ctx); err != nil {
			return err
		}
	}
	p.readWorkload()
	if err := p.replay(ctx); err != nil {
		return err
	}
	if err := p.readStatistics(); err != nil {
		return err
	}
	if err := p.checkProfiles(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return unfinishedf("%w", err)
	}
	p.collect()
	return nil
}

// replay builds one catalog a database. DDL in Go strings is used where no file
// makes a table, unless config names the files; after it the schema of the server whose
// workload is judged.
func (p *Project) replay(ctx context.Context) error {
	for _, s := range p.Discovery.Sets {
		p.replaySet(s)
	}
	made := slices.ContainsFunc(p.Databases, func(db *Database) bool {
		return slices.ContainsFunc(db.Catalog.Relations(), func(r *catalog.Relation) bool { return r.IsTable() })
	})
	switch {
	case made || len(p.Config.Databases) > 0:
	case p.code != nil && len(p.code.scripts) > 0:
		p.Databases = nil
		p.replaySet(migrationscan.Set{
			Name: "default", Format: "go", Dir: path.Dir(p.code.scripts[0].Path),
			Scripts: p.code.scripts, Chosen: "DDL in Go strings; no file makes a table",
		})
	case p.Ran != nil && p.opts.Workload.Schema != nil:
		return p.replayServer(ctx)
	}
	if len(p.Databases) == 0 {
		p.replaySet(migrationscan.Set{Name: "default", Chosen: "no migrations were found"})
	}
	return nil
}

func (p *Project) replaySet(s migrationscan.Set) {
	p.progress("replaying " + s.Name)
	r := migrationscan.Replay(s, migrationscan.ReplayOptions{SearchPath: p.Config.SearchPath})
	if len(p.Config.SearchPath) > 0 {
		r.Catalog.SearchPath = p.Config.SearchPath
	}
	p.Databases = append(p.Databases, &Database{Set: s, Replay: r, Catalog: r.Catalog})
	p.Unparsed = append(p.Unparsed, migrationProblems(r.Unparsed)...)
	p.NotApplied = append(p.NotApplied, migrationProblems(r.NotApplied)...)
}

func migrationProblems(ps []migrationscan.Problem) []Problem {
	var out []Problem
	for _, q := range ps {
		out = append(out, Problem{rules.Location{Path: q.Path, Line: max(q.Line, 1), Column: q.Column}, q.Error})
	}
	return out
}

// collect gathers statements from every source and gives each to its database.
func (p *Project) collect() {
	p.progress("reading statements")
	p.Statements = append(p.Statements, p.fileStatements()...)
	if p.code != nil {
		p.Statements = append(p.Statements, p.withoutTwins(p.code.statements)...)
	}
	p.applyRoles(p.Statements)
	p.assign(p.Statements)
	for _, db := range p.Databases {
		o := source.BodyOptions{}
		if db.Replay.Supabase {
			o.RPCRole = "authenticated"
		}
		r := source.Bodies(db.Catalog, o)
		p.Statements = append(p.Statements, r.Statements...)
		p.addUnparsed(r)
		db.Statements = append(db.Statements, r.Statements...)
		db.Commands = append(db.Commands, r.Commands...)
	}
	p.collectCommands()
	p.addWorkload()
	byPlace := func(a, b *sqllint.Statement) int { return compareLocations(a.Location, b.Location) }
	slices.SortStableFunc(p.Statements, byPlace)
	for _, db := range p.Databases {
		slices.SortStableFunc(db.Statements, byPlace)
		db.Catalog.Stats = p.sizes(db)
	}
	p.Unparsed = append(p.Unparsed, p.fsys.problems()...)
	sortProblems(&p.Unparsed)
	sortProblems(&p.Unresolved)
	sortProblems(&p.NotApplied)
}

func (p *Project) addUnparsed(r source.Result) {
	for _, u := range r.Unparsed {
		p.Unparsed = append(p.Unparsed, Problem{u.Location, u.Error})
	}
	for _, u := range r.Unresolved {
		p.Unresolved = append(p.Unresolved, Problem{u.Location, u.Error})
	}
}

// skip reports whether a path is left out of every search.
func (p *Project) skip(rel string) bool {
	if ignoredDir(path.Base(rel)) {
		return true
	}
	for _, g := range p.Config.Exclude {
		if matchGlob(g, rel) {
			return true
		}
	}
	return false
}

func ignoredDir(base string) bool {
	switch base {
	case "vendor", "node_modules", "testdata":
		return true
	}
	return len(base) > 1 && (base[0] == '.' || base[0] == '_')
}

// shows reports whether a place is among the paths that the user named.
func (p *Project) shows(file string) bool {
	if len(p.filter) == 0 {
		return true
	}
	for _, f := range p.filter {
		if file == f || strings.HasPrefix(file, f+"/") {
			return true
		}
	}
	return false
}

func (p *Project) rel(file string) string {
	if rel, err := filepath.Rel(p.Root, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

// Read returns a file of the project by its relative path.
func (p *Project) Read(rel string) ([]byte, error) {
	switch {
	case p.Ran == nil:
	case rel == rules.WorkloadPath:
		return p.Ran.statements.Excerpt(), nil
	case rel == serverSchema && p.Ran.schema != "":
		return []byte(p.Ran.schema), nil
	}
	b, err := fs.ReadFile(p.fsys, rel)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", rel, err)
	}
	return b, nil
}

func (p *Project) today() string {
	return cmp.Or(p.opts.Today, time.Now().Format(time.DateOnly))
}

func (p *Project) progress(what string) {
	if p.opts.Progress != nil {
		p.opts.Progress(what, 0, 0)
	}
}
