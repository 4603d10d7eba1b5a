package scaffold

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/migrationscan"
)

// Facts are what the files depend on.
type Facts struct {
	// Root is the project's, Repository the folder with .git at or above it, "" where
	// there is none. Both are absolute.
	Root, Repository string
	// ConfigFile is the config that is there, relative to Root; "" for none.
	ConfigFile string
	Databases  []Database
	// Chosen are choices between folders that the config has to settle.
	Chosen   []migrationscan.Ambiguity
	Tables   int
	Policies int
	Supabase bool
	// SQLC are the configurations of sqlc, relative to Root.
	SQLC []string
	// Go is set where there is a module or a workspace, or a module one folder below.
	Go bool
	// Postgres is the version that the project's own files name, and PostgresFrom the
	// first of them; 0 where there is none, or where they differ.
	Postgres     int
	PostgresFrom string
	// Large and Small name tables for the config's examples.
	Large, Small string
	// Branch is the default branch.
	Branch string
	// Tools are hooks and CI that were found.
	Tools []Tool
}

// Database is one whose migrations, or whose dump, were found.
type Database struct {
	Name, Dir, Format string
	Files             int
}

func (d Database) String() string {
	return fmt.Sprintf("%s in %s (%s)", report.Plural(d.Files, "file"), d.Dir, d.Format)
}

// Look gathers the facts of a project that was read, with or without its Go code.
func Look(p *engine.Project) *Facts {
	f := &Facts{Root: p.Root, Go: hasGo(p.Root)}
	if file := p.Config.File; file != "" {
		if rel, err := filepath.Rel(p.Root, file); err == nil {
			f.ConfigFile = filepath.ToSlash(rel)
		}
	}
	f.databases(p)
	for _, e := range p.SQLC() {
		if !slices.Contains(f.SQLC, e.File) {
			f.SQLC = append(f.SQLC, e.File)
		}
	}
	f.Repository = repositoryOf(p.Root)
	f.Branch = "main"
	if f.Repository != "" {
		f.Branch = defaultBranch(f.Repository)
	}
	f.Postgres, f.PostgresFrom = postgresOf(f.Root, f.places())
	f.Tools = tools(f.top())
	return f
}

func (f *Facts) databases(p *engine.Project) {
	f.Chosen = p.Discovery.Ambiguous
	for _, db := range p.Databases {
		f.Supabase = f.Supabase || db.Replay.Supabase
		for _, r := range db.Catalog.Relations() {
			f.Policies += len(r.Policies)
			if r.IsTable() && !r.Stub && !r.Platform {
				f.Tables++
				f.example(r.Name.Name, r.SeededRows > 0)
			}
		}
		if n := db.Files(); n > 0 {
			f.Databases = append(f.Databases, Database{db.Set.Name, db.Set.Dir, db.Set.Format, n})
		}
	}
}

// example keeps a table that looks large and one that migrations fill.
func (f *Facts) example(table string, seeded bool) {
	switch {
	case seeded && f.Small == "":
		f.Small = table
	case !seeded:
		f.Large = cmp.Or(f.Large, table)
	}
}

// top is where hooks and CI stand.
func (f *Facts) top() string { return cmp.Or(f.Repository, f.Root) }

// places are the folders in which a project says what it runs on: those of Supabase's
// projects, its own, and its repository's.
func (f *Facts) places() (out []string) {
	for _, d := range f.Databases {
		if d.Format == "supabase" {
			out = append(out, filepath.Join(f.Root, filepath.FromSlash(d.Dir), "..", ".."))
		}
	}
	out = append(out, f.Root)
	if f.Repository != "" && f.Repository != f.Root {
		out = append(out, f.Repository)
	}
	return out
}

// within is the project's folder in its repository, "" where they are one.
func (f *Facts) within() string {
	rel, err := filepath.Rel(f.top(), f.Root)
	if err != nil || rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

// fromRoot is a path of the repository's top, relative to the project's root.
func (f *Facts) fromRoot(file string) string {
	if in := f.within(); in != "" {
		return path.Join(strings.Repeat("../", strings.Count(in, "/")+1), file)
	}
	return file
}

func repositoryOf(root string) string {
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// defaultBranch is the one that a clone's remote names, else main.
func defaultBranch(repository string) string {
	out, err := exec.Command("git", "-C", repository, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").Output()
	if _, name, ok := strings.Cut(strings.TrimSpace(string(out)), "/"); err == nil && ok && name != "" {
		return name
	}
	return "main"
}

var (
	// supabaseMajor is the [db] section's; no other key of the file has the name.
	supabaseMajor = regexp.MustCompile(`(?m)^\s*major_version\s*=\s*(\d+)`)
	// image is postgres:16-alpine, pgvector/pgvector:pg16, timescaledb:2.15-pg16 and the
	// like, of compose files and of CI services.
	image = regexp.MustCompile(`(?m)^\s*-?\s*image:\s*["']?(?:[\w.-]+/)*(?:postgres|postgis|pgvector|timescaledb(?:-ha)?):(?:[\w.]+-)?(?:pg)?(\d{2})\b`)
)

// postgresOf is the major version that the files of these folders agree on, and the
// first file that says so, from the root. Supabase's own configuration stands above all.
func postgresOf(root string, dirs []string) (version int, from string) {
	named := func(file string) string {
		if rel, err := filepath.Rel(root, file); err == nil {
			return filepath.ToSlash(rel)
		}
		return file
	}
	for _, dir := range dirs {
		file := filepath.Join(dir, "supabase", "config.toml")
		if v := numbers(supabaseMajor, file); len(v) == 1 {
			return supported(v[0]), named(file)
		}
	}
	var files []string
	for _, dir := range dirs {
		for _, pattern := range []string{"docker-compose*.y*ml", "compose*.y*ml", ".github/workflows/*.y*ml", ".gitlab-ci.yml"} {
			found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
			if err == nil {
				files = append(files, found...)
			}
		}
	}
	for _, file := range files {
		for _, v := range numbers(image, file) {
			if version != 0 && v != version {
				return 0, ""
			}
			if version == 0 {
				version, from = v, named(file)
			}
		}
	}
	return supported(version), from
}

// supported drops versions that the config does not take.
func supported(v int) int {
	if v < 13 || v > 18 {
		return 0
	}
	return v
}

// numbers are the first groups of an expression in a file; a file that cannot be read
// has none.
func numbers(re *regexp.Regexp, file string) (out []int) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for _, m := range re.FindAllStringSubmatch(string(text), -1) {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// hasGo reports a module or a workspace, or a module in one of the folders.
func hasGo(root string) bool {
	nested, err := filepath.Glob(filepath.Join(root, "*", "go.mod"))
	return isFile(filepath.Join(root, "go.mod")) || isFile(filepath.Join(root, "go.work")) || err == nil && len(nested) > 0
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
