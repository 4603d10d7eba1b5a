package engine

import (
	"context"
	"errors"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/planvet/planvet/rules"
)

// goModules returns the folders below root that hold a go.mod, root first, in
// order; root itself where it stands inside a module. stray is a Go file where there
// is no module to load it with.
func goModules(root string, skip func(rel string) bool) (dirs []string, stray string) {
	filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // an unreadable folder holds no module that we could load
		}
		rel, _ := filepath.Rel(root, p)
		if d.IsDir() {
			if p != root && skip(filepath.ToSlash(rel)) {
				return filepath.SkipDir
			}
			return nil
		}
		switch {
		case d.Name() == "go.mod":
			dirs = append(dirs, filepath.Dir(p))
		case stray == "" && strings.HasSuffix(p, ".go"):
			stray = filepath.ToSlash(rel)
		}
		return nil
	})
	slices.Sort(dirs)
	if len(dirs) > 0 || stray == "" {
		return dirs, ""
	}
	for up := filepath.Dir(root); ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return []string{root}, ""
		}
		if up == filepath.Dir(up) {
			return nil, stray
		}
	}
}

// loadGo loads the packages of every module below root with syntax and types.
//
// Dependencies are type-checked from source without their function bodies: it
// takes a fraction of what compiling them for export data takes on a cold
// machine, and needs no compiler, nor cgo's. Packages that do not type-check are returned
// with what is known of them; what could not be loaded at all is listed.
func loadGo(ctx context.Context, root string, patterns []string, skip func(rel string) bool) ([]*packages.Package, []Problem) {
	var out []*packages.Package
	var problems []Problem
	seen := map[string]bool{}
	fset := token.NewFileSet()
	dirs, stray := goModules(root, skip)
	if stray != "" {
		problems = append(problems, Problem{rules.Location{Path: stray, Line: 1}, "Go files that are in no module are not read: `go mod init` makes one"})
	}
	for _, dir := range dirs {
		pkgs, err := loadModule(ctx, fset, root, dir, patterns)
		if err != nil {
			rel, _ := filepath.Rel(root, filepath.Join(dir, "go.mod"))
			problems = append(problems, Problem{rules.Location{Path: filepath.ToSlash(rel), Line: 1}, "loading Go packages: " + err.Error()})
		}
		for _, p := range pkgs {
			if !seen[p.ID] {
				seen[p.ID] = true
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, func(a, b *packages.Package) int { return strings.Compare(a.ID, b.ID) })
	return out, problems
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule

func loadModule(ctx context.Context, fset *token.FileSet, root, dir string, patterns []string) ([]*packages.Package, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	cfg := &packages.Config{Context: ctx, Dir: dir, Mode: loadMode, Fset: fset, Env: os.Environ()}
	pkgs, err := packages.Load(cfg, patterns...)
	if outsideWorkspace(pkgs, err) {
		cfg.Env = append(cfg.Env, "GOWORK=off")
		pkgs, err = packages.Load(cfg, patterns...)
	}
	if err != nil {
		return nil, firstLine(err)
	}
	own := pkgs[:0]
	var problem error
	for _, p := range pkgs {
		if len(p.GoFiles) == 0 {
			if len(p.Errors) > 0 && problem == nil {
				problem = firstLine(p.Errors[0])
			}
			continue
		}
		own = append(own, p)
	}
	checkTypes(ctx, fset, own)
	return own, problem
}

// outsideWorkspace reports whether a load failed because the module is not one
// of the go.work that covers it.
func outsideWorkspace(pkgs []*packages.Package, err error) bool {
	const a, b = "go.work", "workspace"
	has := func(s string) bool { return strings.Contains(s, a) || strings.Contains(s, b) }
	if err != nil {
		return has(err.Error())
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			if len(p.GoFiles) == 0 && has(e.Msg) {
				return true
			}
		}
	}
	return false
}

func firstLine(err error) error {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return errors.New(line)
}
