package migrationscan

import (
	"io/fs"

	"github.com/planvet/planvet/catalog"
)

// Script is one migration file, or one piece of DDL out of Go source.
type Script struct {
	// Path is relative to the project's root, with forward slashes.
	Path string
	// Text is what is applied. Down parts, comments that a tool rewrites and
	// templates are blanked or replaced byte for byte, so that offsets are those of
	// the file.
	Text string
	// Line and Column are where Text begins in Path, from 1; 0 means the file's start.
	Line, Column int
	// GoLiteral is set for text that stands in Go source.
	GoLiteral bool
	// NoTransaction is set where the tool is told to run it outside a transaction.
	NoTransaction bool
}

// Set is the migrations of one logical database, in the order in which they run.
type Set struct {
	// Name is the logical database: "default" where there is one only.
	Name string
	// Dir is the folder that they stand in, or the file of a dump.
	Dir string
	// Format is supabase, goose, golang-migrate, dbmate, sql-migrate, tern, flyway,
	// graphile, drizzle, prisma, rails, versioned, numbered, dump, go or config.
	Format  string
	Scripts []Script
	// SearchPath is the one that the tool's own config gives its sessions, nil for
	// none.
	SearchPath []string
	// Chosen says in a few words why this set was taken.
	Chosen string
}

// Discovery is what was found in a project.
type Discovery struct {
	// Sets are sorted by name, one a logical database.
	Sets []Set
	// Ambiguous are choices that had to be made for the user.
	Ambiguous []Ambiguity
	// Skipped are folders and files with DDL that are not used, and why.
	Skipped []Skipped
}

// Ambiguity is a set of candidates of which one was taken.
type Ambiguity struct {
	// Database is the logical database.
	Database string
	// Candidates are the folders or files, sorted; Taken is one of them.
	Candidates []string
	Taken      string
	// Config is the line of planvet.yaml that settles it.
	Config string
}

// Skipped is a folder or file that holds DDL and was left out.
type Skipped struct {
	Path   string
	Reason string
}

// Options guide Discover.
type Options struct {
	// Paths are folders, files or globs from the config, in order; they replace
	// the search for the database "default".
	Paths []string
	// Databases are the same by the name of the database.
	Databases map[string][]string
	// Exclude are globs of paths that are not read.
	Exclude []string
}

// Problem is a statement that was not understood or could not be applied.
type Problem struct {
	Path         string
	Line, Column int
	Error        string
}

// Applied is one statement as a server should run it.
type Applied struct {
	Script *Script
	// Text has no templates left; a DO block is whole.
	Text         string
	Path         string
	Line, Column int
	// Guarded is set for a DO block: what it does depends on the server's state.
	Guarded bool
	// Platform is set for statements of the platform's preloaded objects.
	Platform bool
}

// ReplayOptions guide Replay.
type ReplayOptions struct {
	// SearchPath is the one that scripts start with; nil means the set's, else public.
	SearchPath []string
	// Supabase forces ("on") or forbids ("off") the platform's objects; "" looks at
	// the set.
	Supabase string
}

// Result is what a replay gave.
type Result struct {
	Catalog *catalog.Catalog
	// Applied are all statements in order, those that seed data included, without
	// BEGIN, COMMIT, COPY FROM stdin and psql commands; for a throwaway server.
	Applied []Applied
	// Unparsed are pieces that the grammar refuses; NotApplied are statements that
	// have no effect here, with the reason.
	Unparsed, NotApplied []Problem
	// Supabase is set when the platform's objects were preloaded. They are not in
	// Applied: run SupabaseSQL first.
	Supabase bool
	// Statements counts the statements that were read, those in DO blocks left out.
	Statements int
}

// Discover finds the migrations below fsys. It fails only when fsys cannot be read
// or a path of the config does not exist.
func Discover(fsys fs.FS, opts Options) (*Discovery, error) { return discover(fsys, opts) }

// Replay applies the scripts of a set in order.
func Replay(set Set, opts ReplayOptions) *Result { return replay(set, opts) }

// FromDDL is the catalog after some DDL. Its error names the first statement that
// did not parse or apply; the catalog is returned all the same.
func FromDDL(sql string) (*catalog.Catalog, error) { return fromDDL(sql) }
