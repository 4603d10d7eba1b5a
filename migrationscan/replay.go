package migrationscan

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// replayer applies statements to a catalog, as a server would:
//
//  1. The platform's objects come first, flagged as such.
//  2. Each script is split and parsed; what the grammar refuses is listed.
//  3. Each statement resolves its names by the search path of that moment, gives
//     unnamed objects the names that the server makes up, and changes the catalog.
//  4. A statement that cannot apply is listed and leaves the catalog as it was.
//     A relation that nothing created becomes a stub, so that what stands on it is
//     kept.
//  5. DO blocks are opened: what stands in a branch or a loop is applied where it
//     can be and is silent where it cannot.
type replayer struct {
	cat *catalog.Catalog
	res *Result
	// start is the search path that each script begins with; path the current one.
	start, path []string
	// indexes, sequences and constraints are the name spaces of a schema.
	indexes     map[catalog.Name]*catalog.Relation
	sequences   map[catalog.Name]sequence
	constraints map[catalog.Name]int
	children    map[catalog.Name][]*catalog.Relation
	triggers    map[trigger]catalog.Name
	uses        map[any]*uses
	// indexParent is the parent's index that a partition's index belongs to.
	indexParent map[*catalog.Index]*catalog.Index

	// attributes are the column names of an index as it was made.
	attributes map[*catalog.Index][]string

	script *Script
	lines  pgast.Lines
	// base is the offset in the script of the statement that is being applied, -1
	// where it was made up.
	base int
	// inexact is set where offsets of a statement do not stand in the script.
	inexact bool
	// begin is the statement that sets a script's search path, "" where it is the
	// server's own; reset restores it after a script that changed it.
	begin, reset string
	// current is the statement's text.
	current string
	// schemas are those that CREATE SCHEMA made.
	schemas map[string]bool
	// quiet is set in the branches of a DO block.
	quiet, platform bool
	// stubbed collects the stubs that the current statement made.
	stubbed []string
	// system are the system catalogs as they stand, until the next change.
	system map[string]*sysTable
	// given are the schemas that it found missing.
	given []string
	depth int
}

// sequence is who owns a sequence; zero for nobody.
type sequence struct {
	table  catalog.Name
	column string
}

// trigger is a trigger of a table.
type trigger struct {
	table catalog.Name
	name  string
}

func newReplayer(opts ReplayOptions) *replayer {
	r := &replayer{
		cat: catalog.New(), indexes: map[catalog.Name]*catalog.Relation{}, sequences: map[catalog.Name]sequence{},
		constraints: map[catalog.Name]int{}, children: map[catalog.Name][]*catalog.Relation{},
		triggers: map[trigger]catalog.Name{}, schemas: map[string]bool{"public": true}, uses: map[any]*uses{}, indexParent: map[*catalog.Index]*catalog.Index{}, attributes: map[*catalog.Index][]string{}, start: opts.SearchPath,
	}
	if r.start == nil {
		r.start = []string{"public"}
	}
	r.res = &Result{Catalog: r.cat}
	r.reset = "RESET search_path"
	if opts.SearchPath != nil {
		r.begin = setPath(opts.SearchPath)
		r.reset = r.begin
	}
	return r
}

func replay(set Set, opts ReplayOptions) *Result {
	if opts.SearchPath == nil {
		opts.SearchPath = set.SearchPath
	}
	r := newReplayer(opts)
	if opts.Supabase == "on" || opts.Supabase == "" && NeedsSupabase(set) {
		r.loadPlatform()
	}
	for i := range set.Scripts {
		r.run(&set.Scripts[i])
		r.listIncludes(&set.Scripts[i], set)
	}
	r.cat.RemoveSchema(tempSchema)
	r.cat.SearchPath = r.start
	return r.res
}

func fromDDL(sql string) (*catalog.Catalog, error) {
	s := Set{Scripts: []Script{{Path: "schema.sql", Text: sql}}}
	res := replay(s, ReplayOptions{})
	for _, ps := range [][]Problem{res.Unparsed, res.NotApplied} {
		for _, p := range ps {
			return res.Catalog, fmt.Errorf("applying %s:%d: %s", p.Path, p.Line, p.Error)
		}
	}
	return res.Catalog, nil
}

// run applies one script.
func (r *replayer) run(s *Script) {
	r.script, r.path = s, r.start
	r.lines = pgast.NewLines(s.Text)
	set := false
	if r.begin != "" && !r.platform {
		r.res.Applied = append(r.res.Applied, Applied{Script: s, Text: r.begin, Path: s.Path, Line: 1, Column: 1, Platform: true})
	}
	for _, p := range pgast.ParseFile(s.Text) {
		if p.Err != nil {
			r.base = 0
			r.res.Unparsed = append(r.res.Unparsed, r.problem(p.Err.Offset, p.Err.Msg))
			continue
		}
		r.res.Statements++
		r.base, r.current = p.Start, p.Text
		if set = set || isSet(p.Stmt); runnable(p.Stmt) {
			r.record(p)
		}
		r.report(r.apply(p.Stmt))
	}
	if set && !r.platform {
		// The tool opens a session a script or resets it.
		r.res.Applied = append(r.res.Applied, Applied{Script: s, Text: r.reset, Path: s.Path, Line: 1, Column: 1})
	}
}

func isSet(s pgast.Stmt) bool {
	switch x := s.(type) {
	case *pgast.Set:
		return x.Name == "search_path"
	case *pgast.Select:
		_, ok := setConfig(x)
		return ok
	}
	return false
}

// runnable leaves out what a throwaway server cannot run statement by statement.
func runnable(s pgast.Stmt) bool {
	switch x := s.(type) {
	case *pgast.Transaction:
		return false
	case *pgast.Copy:
		return !x.From
	case *pgast.OtherStmt:
		return x.Kind != "LockStmt" // needs the transaction
	}
	return true
}

func (r *replayer) record(p pgast.Parsed) {
	if r.platform {
		return
	}
	at := r.place(0)
	_, do := p.Stmt.(*pgast.Do)
	text := p.Text
	if s, ok := p.Stmt.(*pgast.Set); ok && s.Local && s.Name == "search_path" {
		// Without the transaction around it SET LOCAL would be lost.
		text = setLocal.ReplaceAllString(text, "SET ")
	}
	r.res.Applied = append(r.res.Applied, Applied{
		Script: r.script, Text: text, Path: at.Path, Line: at.Line, Column: at.Column, Guarded: do,
	})
}

// place is the file position of an offset in the current statement.
func (r *replayer) place(off int) catalog.Location {
	if r.script == nil {
		return catalog.Location{}
	}
	if r.inexact {
		off = 0
	}
	line, col := r.lines.LineCol(r.base + max(off, 0))
	if r.script.Line > 0 {
		if line == 1 && r.script.Column > 0 {
			col += r.script.Column - 1
		}
		line += r.script.Line - 1
	}
	return catalog.Location{Path: r.script.Path, Line: line, Column: col}
}

func (r *replayer) problem(off int, msg string) Problem {
	l := r.place(off)
	return Problem{Path: l.Path, Line: l.Line, Column: l.Column, Error: msg}
}

// report lists why the current statement did not apply as it stands.
func (r *replayer) report(err error) {
	switch {
	case r.platform || r.quiet:
	case err != nil:
		r.res.NotApplied = append(r.res.NotApplied, r.problem(0, err.Error()))
	case len(r.stubbed) > 0:
		r.res.NotApplied = append(r.res.NotApplied, r.problem(0,
			fmt.Sprintf("%s is not created before this; its columns are unknown", strings.Join(r.stubbed, ", "))))
	}
	for _, g := range r.given {
		if !r.platform {
			r.res.NotApplied = append(r.res.NotApplied, r.problem(0, fmt.Sprintf("schema %s is not created before this; it is taken as given", g)))
		}
	}
	r.stubbed, r.given = nil, nil
}

// fail builds the reason why a statement does not apply.
func fail(format string, args ...any) error { return fmt.Errorf(format, args...) }

// maxDepth bounds DO blocks whose EXECUTE holds DO blocks.
const maxDepth = 8

// apply changes the catalog by one statement.
func (r *replayer) apply(s pgast.Stmt) error {
	if _, do := s.(*pgast.Do); !do {
		r.system = nil
	}
	switch x := s.(type) {
	case *pgast.CreateTable:
		return r.createTable(x)
	case *pgast.CreateTableAs:
		return r.createTableAs(x)
	case *pgast.CreateView:
		return r.createView(x)
	case *pgast.AlterTable:
		return r.alterTable(x)
	case *pgast.CreateIndex:
		return r.createIndex(x)
	case *pgast.Drop:
		return r.drop(x)
	case *pgast.Rename:
		return r.rename(x)
	case *pgast.SetSchema:
		return r.setSchema(x)
	case *pgast.CreatePolicy:
		return r.createPolicy(x)
	case *pgast.AlterPolicy:
		return r.alterPolicy(x)
	case *pgast.CreateFunction:
		return r.createFunction(x)
	case *pgast.AlterFunction:
		return r.alterFunction(x)
	case *pgast.CreateTrigger:
		return r.createTrigger(x)
	case *pgast.Do:
		return r.do(x)
	case *pgast.Set:
		return r.set(x)
	case *pgast.Select:
		return r.sel(x)
	case *pgast.Insert:
		return r.insert(x)
	}
	return r.applyOther(s)
}

// applyOther holds the statements about schemas, types, extensions and roles.
func (r *replayer) applyOther(s pgast.Stmt) error {
	switch x := s.(type) {
	case *pgast.CreateType:
		return r.createType(x)
	case *pgast.AlterEnum:
		return r.alterEnum(x)
	case *pgast.CreateDomain:
		return r.createDomain(x)
	case *pgast.CreateSchema:
		return r.createSchema(x)
	case *pgast.CreateExtension:
		return r.createExtension(x)
	case *pgast.CreateSequence:
		return r.createSequence(x)
	case *pgast.CreateRole:
		r.cat.Roles[x.Name] = catalog.Role{BypassRLS: x.BypassRLS, Superuser: x.Superuser}
	}
	return nil
}
