package migrationscan

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

// file is one .sql file of the project.
type file struct {
	path, dir, base string
	text            string
	tables          []string
	ddl             bool
	query           bool
	// dialect is another database's, "" for PostgreSQL.
	dialect string
}

// candidate is a folder, or a dump, that may describe a database.
type candidate struct {
	dir, format string
	rank        int
	files       []*file
	tables      map[string]bool
}

// Ranks of evidence that a folder holds migrations.
const (
	rankPlain    = 1 // some .sql files that create tables
	rankDump     = 2 // schema.sql, structure.sql, a folder named schema
	rankNumbered = 3 // numbered files
	rankFolder   = 4 // numbered files in a folder named migrations
	rankTool     = 5 // the marks of a tool
)

var (
	createTable = regexp.MustCompile(`(?i)^create\s+(?:unlogged\s+|foreign\s+)?table\s+(?:if\s+not\s+exists\s+)?((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`)
	anyDDL      = regexp.MustCompile(`(?i)^(?:create\s+(?:or\s+replace\s+)?(?:unique\s+|unlogged\s+|materialized\s+|foreign\s+)?(?:table|index|policy|schema|type|view|function|procedure|trigger|extension|domain|sequence|role)|alter\s+(?:table|policy|type|index|function))\b`)
	queryHeader = regexp.MustCompile(`(?m)^\s*--\s*name\s*:`)
	dumpName    = regexp.MustCompile(`(?i)^(?:schema|structure|init|database|create_?schema|full_?schema|latest|tables|ddl|dump)\.sql$`)
	schemaDir   = regexp.MustCompile(`(?i)^(?:schemas?|ddl|sql|db|database)$`)
	migDir      = regexp.MustCompile(`(?i)^(?:migrations?|migrate|migrator|deltas?|upgrades?|patches|changelogs?|flyway|versions?|versioned)$|migration`)
	// initDir prepares a developer's container.
	initDir    = regexp.MustCompile(`(?i)^(?:init|initdb|docker|docker-entrypoint-initdb\.d)$`)
	versionDir = regexp.MustCompile(`(?i)^(?:v?\d+(?:\.\d+)+|\d+)$`)
	upName     = regexp.MustCompile(`(?i)[._-]up\.sql$`)
	anyNumber  = regexp.MustCompile(`^[vV]?\d`)
)

func newFile(p, text string) *file {
	f := &file{path: p, dir: path.Dir(p), base: path.Base(p), text: text}
	f.query = strings.Contains(text, "name") && queryHeader.MatchString(text)
	plain := withoutComments(text)
	lower := strings.ToLower(plain)
	if len(lower) != len(plain) { // some letters change their length
		lower = plain
	}
	for _, word := range []string{"create", "alter"} {
		for i := strings.Index(lower, word); i >= 0; {
			near := plain[i:min(len(plain), i+maxHead)]
			f.ddl = f.ddl || anyDDL.MatchString(near)
			if m := createTable.FindStringSubmatch(near); m != nil {
				f.tables = append(f.tables, tableKey(m[1]))
			}
			next := strings.Index(lower[i+len(word):], word)
			if next < 0 || word == "alter" && f.ddl {
				break
			}
			i += len(word) + next
		}
	}
	f.dialect = dialectOfText(plain, lower)
	return f
}

// maxHead is how much of a statement its kind and table are looked for in.
const maxHead = 300

// tableKey is a table's bare name: copies of a schema differ in the qualifier.
func tableKey(written string) string {
	if i := strings.LastIndexByte(written, '.'); i >= 0 {
		written = written[i+1:]
	}
	return strings.ToLower(strings.Trim(strings.TrimSpace(written), `"`))
}

// candidates groups files into candidates, sorted by folder. journals are the
// folders with drizzle's meta/_journal.json.
func candidates(files []*file, journals map[string]bool) []*candidate {
	byDir := map[string][]*file{}
	var dirs []string
	graphile := graphileFolders(files)
	for _, f := range files {
		d := cmp.Or(graphileOf(f, graphile), homeOf(f))
		if byDir[d] == nil {
			dirs = append(dirs, d)
		}
		byDir[d] = append(byDir[d], f)
	}
	slices.Sort(dirs)
	var out []*candidate
	for _, d := range dirs {
		out = append(out, classify(d, byDir[d], journals[d])...)
	}
	return out
}

// homeOf is the folder that a file's migrations live in: prisma, diesel and
// versioned layouts have a folder for each migration.
func homeOf(f *file) string {
	switch strings.ToLower(f.base) {
	case "migration.sql", "up.sql":
		return path.Dir(f.dir)
	}
	if versionDir.MatchString(path.Base(f.dir)) {
		return path.Dir(f.dir)
	}
	return f.dir
}

// classify makes the candidate of one folder. Dumps that lie beside numbered
// files are candidates of their own.
func classify(dir string, files []*file, journal bool) []*candidate {
	c := &candidate{dir: dir, files: files}
	c.format, c.rank = formatOf(dir, files, journal)
	if c.rank >= rankNumbered {
		var dumps []*candidate
		c.files = slices.DeleteFunc(slices.Clone(files), func(f *file) bool {
			nested := f.dir != dir
			if nested || !dumpName.MatchString(f.base) || anyNumber.MatchString(f.base) {
				return false
			}
			dumps = append(dumps, (&candidate{dir: f.path, format: "dump", rank: rankDump, files: []*file{f}}).finish())
			return true
		})
		return append(dumps, c.finish())
	}
	// Without numbers each file that is a dump by its name stands for itself.
	var out []*candidate
	rest := files[:0:0]
	for _, f := range files {
		if dumpName.MatchString(f.base) && len(f.tables) > 0 {
			out = append(out, (&candidate{dir: f.path, format: "dump", rank: rankDump, files: []*file{f}}).finish())
		} else if f.ddl && !f.query {
			rest = append(rest, f)
		}
	}
	if len(rest) > 0 {
		c.files = rest
		if len(rest) == 1 && len(rest[0].tables) > 0 {
			c.dir = rest[0].path
		}
		out = append(out, c.finish())
	}
	return out
}

func (c *candidate) finish() *candidate {
	slices.SortStableFunc(c.files, func(a, b *file) int {
		if c.format == "graphile" {
			return graphileOrder(a, b)
		}
		return comparePaths(strings.TrimPrefix(a.path, c.dir+"/"), strings.TrimPrefix(b.path, c.dir+"/"), c.format)
	})
	c.tables = map[string]bool{}
	for _, f := range c.files {
		for _, t := range f.tables {
			c.tables[t] = true
		}
	}
	return c
}

func (c *candidate) hasDDL() bool {
	return slices.ContainsFunc(c.files, func(f *file) bool { return f.ddl })
}

// formatOf names the tool and how good the evidence for it is.
func formatOf(dir string, files []*file, journal bool) (format string, rank int) {
	if strings.HasSuffix("/"+dir, "/supabase/migrations") {
		return "supabase", rankTool
	}
	marks, ups, numbered, flyway := map[string]int{}, 0, 0, 0
	for _, f := range files {
		if m := markerFormat(f.text); m != "" {
			marks[m]++
		}
		name := f.base
		if f.dir != dir {
			name = path.Base(f.dir)
		}
		switch {
		case flywayVersion.MatchString(name) || flywayAgain.MatchString(name):
			flyway++
		case upName.MatchString(name):
			ups++
		}
		if anyNumber.MatchString(name) {
			numbered++
		}
		switch {
		case strings.EqualFold(f.base, "migration.sql") && f.dir != dir:
			return "prisma", rankTool
		case strings.EqualFold(f.base, "up.sql") && f.dir != dir:
			return "diesel", rankTool
		}
	}
	if versionDir.MatchString(path.Base(files[0].dir)) && files[0].dir != dir {
		return "versioned", rankFolder
	}
	if marks["graphile"] > 0 {
		return "graphile", rankTool
	}
	for _, tool := range []string{"goose", "sql-migrate", "dbmate", "tern"} {
		if marks[tool] > 0 && marks[tool]*2 >= len(files) {
			return tool, rankTool
		}
	}
	if initDir.MatchString(path.Base(dir)) {
		return "plain", rankPlain
	}
	inMigrations := slices.ContainsFunc(strings.Split(dir, "/"), migDir.MatchString)
	switch {
	case journal || marks["drizzle"] > 0 && numbered*2 > len(files):
		return "drizzle", rankTool
	case flyway*2 > len(files):
		return "flyway", rankTool
	case ups > 0:
		return "golang-migrate", rankTool
	case numbered*2 > len(files) && inMigrations:
		return "numbered", rankFolder
	case numbered*2 > len(files):
		return "numbered", rankNumbered
	case inMigrations:
		return "plain", rankFolder
	case schemaDir.MatchString(path.Base(dir)):
		return "plain", rankDump
	}
	return "plain", rankPlain
}

var alteredTable = regexp.MustCompile(`(?i)\b(?:alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?|index\s+[^;()]*?\bon\s+(?:only\s+)?)((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`)
