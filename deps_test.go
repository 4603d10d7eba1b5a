package planvet

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// policy says what each package may import: "package: our packages ; groups of
// third-party packages". A package of ours ending in /... stands for a tree. It is
// about the imports of code, not of tests. A package without a line fails, and so
// does a line without a package.
const policy = `
.: ;

# the vocabulary and the schema: leaves
rules: ;
catalog: ;
catalog/builtin: ;

# checkers: pure, importable by others
migrationscan: rules catalog catalog/builtin internal/pgast internal/predicate ;
sqllint: rules catalog catalog/builtin internal/pgast internal/predicate ;
rlscheck: rules catalog catalog/builtin internal/pgast internal/predicate ;
analyzers/...: rules catalog catalog/builtin sqllint migrationscan internal/pgast internal/predicate analyzers/... ; x/tools
querytrace: internal/pgast internal/slope ; pgx
rules/all: rules internal/suppress migrationscan sqllint rlscheck analyzers/... ;

# reading
# the parser that a build links, and the only importer of it
internal/pgast/grammar: ; pg_query
internal/pgast: internal/pgast/grammar ; protobuf
internal/predicate: catalog catalog/builtin internal/pgast ;
internal/slope: ;
internal/params: catalog internal/pgast ;
internal/source: rules sqllint catalog internal/pgast ;
internal/suppress: rules internal/pgast ;
internal/strictyaml: ; yaml
internal/config: internal/strictyaml ; yaml

# asking a server; live reads view and policy texts through pgast's normal form
internal/plan: ;
internal/stats: catalog ;
internal/live: catalog internal/plan internal/pgast internal/stats ; pgx
internal/shadow: catalog internal/live internal/pgast internal/plan internal/stats migrationscan ; pgx
internal/confirm: rules catalog internal/plan internal/pgast internal/predicate internal/params ;
internal/audit: ; ulid
internal/monitor: catalog internal/audit internal/companion internal/live internal/pgast internal/predicate internal/metrics internal/report internal/slope internal/strictyaml ; pgx
internal/metrics: ;
internal/otlp: internal/metrics ; otlp
internal/bench/results: ;
internal/bench/binomial: ;
internal/bench/facts: ; pgx
internal/bench/work: internal/bench/facts internal/bench/results internal/plan ;
internal/bench/slo: internal/audit internal/bench/binomial internal/bench/results internal/config internal/report ; yaml
internal/bench/gate: internal/bench/binomial ;
internal/bench/trace: internal/bench/gate ;
internal/bench/suite: internal/strictyaml ; yaml
internal/bench/versus: internal/bench/load internal/bench/suite internal/report internal/shadow ;
internal/bench/k6: internal/bench/slo internal/bench/suite ;
internal/bench/reactquery: internal/bench/load internal/bench/results internal/bench/slo ;
internal/bench/launch: internal/bench/suite internal/engine internal/shadow ; pgx
internal/bench/load: internal/audit internal/bench/binomial internal/bench/facts internal/bench/results internal/bench/suite internal/pgast internal/plan internal/report ; hdrhistogram pgx
internal/bench/verdict: internal/audit internal/bench/gate internal/bench/results internal/bench/slo internal/bench/work internal/report ;
internal/pullrequest: ;
internal/integration: ;
# what a project was, by git
internal/revision: ;
internal/scaffold: rules rules/all migrationscan internal/bench/baseline internal/bench/slo internal/config internal/engine internal/integration internal/report ;
internal/bench/junit: internal/bench/gate internal/bench/results internal/bench/slo internal/bench/verdict internal/report ;
internal/bench/page: rules internal/bench/gate internal/bench/results internal/bench/slo internal/bench/verdict internal/bench/work internal/plan internal/report ;
internal/bench/baseline: internal/bench/facts internal/bench/gate internal/bench/results internal/bench/verdict internal/bench/work ;
internal/bench/ab: internal/bench/facts internal/bench/gate internal/bench/load internal/bench/results internal/bench/suite internal/bench/verdict internal/bench/work ; pgx
internal/bench/versions: internal/engine internal/revision internal/shadow ; pgx
internal/bench/selftest: internal/bench/ab internal/bench/binomial internal/bench/gate internal/bench/load internal/bench/suite internal/bench/trace internal/report internal/shadow ; pgx
internal/bench/selftest/record: internal/bench/selftest ;
# what was tried; it reads the reports that others wrote
internal/memory: rules internal/audit internal/bench/gate internal/bench/results internal/bench/verdict internal/live internal/pgast internal/report ; pgx sqlite
internal/dashboard: rules internal/bench/results internal/bench/slo internal/explain internal/metrics internal/monitor internal/report ;
internal/investigate: internal/audit internal/bench/load internal/bench/suite internal/explain internal/live internal/monitor internal/pgast internal/report ;
internal/explain: rules rlscheck catalog internal/audit migrationscan internal/plan internal/live internal/predicate internal/params internal/pgast internal/stats internal/shadow internal/confirm internal/report ;
internal/rlsguide: internal/live internal/plan internal/report ;

# the rim
internal/report: rules ; terminal
internal/engine: rules rules/all catalog catalog/builtin migrationscan sqllint rlscheck analyzers/... internal/pgast internal/predicate internal/source internal/suppress internal/config internal/plan internal/live internal/shadow internal/stats internal/confirm internal/report internal/revision ; x/tools
internal/vetunit: analyzers/... internal/engine rules ; x/tools
gclplugin: internal/config internal/engine internal/vetunit ; x/tools golangci
internal/lsp: rules migrationscan internal/engine internal/report internal/suppress ; jsonrpc
cmd/planvet: rules rules/all catalog analyzers/... internal/... ; cli terminal

# the SQL extension, embedded, and who installs it as a schema
extension: ;
internal/companion: extension internal/live ; pgx

# programs and packages of the house
catalog/builtin/gen: catalog/builtin ; pgx
internal/shadow/shadowtest: internal/shadow ; pgx
internal/report/browsertest: ;
internal/newrule: ;
internal/casetest: ; tests
`

// groups name third-party modules, by the prefix of their import paths.
var groups = map[string][]string{
	"pg_query":     {"github.com/pganalyze/pg_query_go/v5", "github.com/sqlc-dev/oliphant"},
	"protobuf":     {"google.golang.org/protobuf"},
	"pgx":          {"github.com/jackc/pgx/v5"},
	"x/tools":      {"golang.org/x/tools"},
	"yaml":         {"github.com/goccy/go-yaml"},
	"cli":          {"github.com/urfave/cli/v2"},
	"jsonrpc":      {"github.com/sourcegraph/jsonrpc2"},
	"tests":        {"github.com/google/go-cmp", "golang.org/x/tools/txtar"},
	"hdrhistogram": {"github.com/HdrHistogram/hdrhistogram-go"},
	"golangci":     {"github.com/golangci/plugin-module-register"},
	"sqlite":       {"modernc.org/sqlite"},
	"ulid":         {"github.com/oklog/ulid/v2"},
	"otlp":         {"go.opentelemetry.io/proto/otlp", "google.golang.org/protobuf"},
	"terminal":     {"github.com/fatih/color", "github.com/mattn/go-isatty", "golang.org/x/term"},
}

const module = "github.com/planvet/planvet"

// allowed is one line of the policy.
type allowed struct{ ours, groups []string }

func readPolicy(t *testing.T, text string) map[string]allowed {
	t.Helper()
	lines := map[string]allowed{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pkg, rest, ok := strings.Cut(line, ":")
		ours, third, ok2 := strings.Cut(rest, ";")
		if !ok || !ok2 {
			t.Fatalf("policy: %q is not of the form package: ours ; groups", line)
		}
		if _, twice := lines[pkg]; twice {
			t.Errorf("policy: two lines for %s", pkg)
		}
		lines[pkg] = allowed{strings.Fields(ours), strings.Fields(third)}
		for _, g := range strings.Fields(third) {
			if groups[g] == nil {
				t.Errorf("policy: %s may import the unknown group %s", pkg, g)
			}
		}
	}
	return lines
}

// permits says whether the line allows an import path.
func (a allowed) permits(path string) bool {
	if inside, ours := strings.CutPrefix(path, module+"/"); ours {
		return slices.ContainsFunc(a.ours, func(p string) bool { return matches(p, inside) })
	}
	return slices.ContainsFunc(a.groups, func(g string) bool {
		return slices.ContainsFunc(groups[g], func(prefix string) bool { return under(path, prefix) })
	})
}

func matches(pattern, pkg string) bool {
	tree, isTree := strings.CutSuffix(pattern, "/...")
	return isTree && under(pkg, tree) || pattern == pkg
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// lineOf finds the line of a package: its own, else that of the tree it is in.
func lineOf(lines map[string]allowed, pkg string) (string, bool) {
	if _, ok := lines[pkg]; ok {
		return pkg, true
	}
	for name := range lines {
		if strings.HasSuffix(name, "/...") && matches(name, pkg) {
			return name, true
		}
	}
	return "", false
}

func TestImports(t *testing.T) {
	lines := readPolicy(t, policy)
	used := map[string]bool{}
	for _, p := range listPackages(t) {
		name, ok := lineOf(lines, p.path)
		if !ok {
			t.Errorf("package %s has no line in the policy: add one, and a row to the table of packages", p.path)
			continue
		}
		used[name] = true
		for _, path := range p.imports {
			if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
				continue // the standard library
			}
			if !lines[name].permits(path) {
				t.Errorf("package %s may not import %s: see its line in the policy", p.path, path)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if !used[name] {
			t.Errorf("the policy has a line for %s, which is no package", name)
		}
	}
}

// TestNames keeps packages from being named after nothing.
func TestNames(t *testing.T) {
	for _, p := range listPackages(t) {
		last := path.Base(p.path)
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc"}, last) {
			t.Errorf("package %s: the name says nothing of its duty", p.path)
		}
	}
}

// goPackage is a folder of Go files and what they import, tests left out.
type goPackage struct {
	path    string // "." for the root
	imports []string
}

// listPackages reads the imports of this module's packages. It reads the files
// itself, whatever their build constraints: what a test opens is part of the key
// that go test caches its result under, and what go list opens is not.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	var pkgs []goPackage
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != "." {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		}
		p := goPackage{path: filepath.ToSlash(path)}
		files, err := filepath.Glob(filepath.Join(path, "*.go"))
		if err != nil {
			return err
		}
		has := false
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			has = true
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range parsed.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
				p.imports = append(p.imports, name)
			}
		}
		if has {
			slices.Sort(p.imports)
			p.imports = slices.Compact(p.imports)
			pkgs = append(pkgs, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// TestPolicyReads keeps the reader of the policy honest.
func TestPolicyReads(t *testing.T) {
	lines := readPolicy(t, "a: b tree/... ; pgx\ntree/...: ;\n")
	for _, c := range []struct {
		path string
		ok   bool
	}{
		{module + "/b", true},
		{module + "/b/c", false},
		{module + "/tree", true},
		{module + "/tree/deep", true},
		{module + "/treehouse", false},
		{"github.com/jackc/pgx/v5/pgconn", true},
		{"github.com/jackc/pgx/v55", false},
		{"github.com/goccy/go-yaml", false},
	} {
		if got := lines["a"].permits(c.path); got != c.ok {
			t.Errorf("permits(%s) = %v, want %v", c.path, got, c.ok)
		}
	}
	if name, ok := lineOf(lines, "tree/leaf"); !ok || name != "tree/..." {
		t.Errorf("lineOf(tree/leaf) = %q, %v", name, ok)
	}
}
