package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// reuseGo takes the Go packages of the project that Options.Earlier is, where none of
// the files that they come from changed since, and notes what these files are now. It
// is for programs that judge a project again and again: loading is most of the time.
func (p *Project) reuseGo() {
	earlier := p.opts.Earlier
	p.opts.Earlier = nil // it has an earlier one itself
	if p.gopkgs != nil || earlier == nil || earlier.gopkgs == nil || earlier.Root != p.Root {
		return
	}
	if l := earlier.gopkgs; l.whole() && l.stamp == p.goStamp() && l.outsideStamp == stampOf(l.outside) {
		p.gopkgs = l
	}
}

// loadPackages loads the Go packages, stamped for projects that come later.
func (p *Project) loadPackages(load func() ([]*packages.Package, []Problem)) {
	// What is written while packages are loaded is not in them: the stamp is taken before.
	p.gopkgs = &loadedGo{root: p.Root, stamp: p.goStamp()}
	p.gopkgs.pkgs, p.gopkgs.problems = load()
	p.gopkgs.outside = outsideOf(p.Root, p.gopkgs.pkgs)
	p.gopkgs.outsideStamp = stampOf(p.gopkgs.outside)
}

// whole reports whether everything was loaded: what is missing may come, by a download,
// without a file of the project's being touched.
func (l *loadedGo) whole() bool {
	return len(l.problems) == 0 && !slices.ContainsFunc(l.pkgs, func(k *packages.Package) bool { return len(k.Errors) > 0 })
}

// outsideOf are the folders of packages that are loaded from outside of the root and can
// change: modules that a replace or a workspace points to.
func outsideOf(root string, pkgs []*packages.Package) []string {
	seen := map[string]bool{}
	packages.Visit(pkgs, nil, func(k *packages.Package) {
		if k.Module == nil || len(k.GoFiles) == 0 {
			return // the standard library
		}
		dir := filepath.Dir(k.GoFiles[0])
		if !strings.HasPrefix(dir+string(filepath.Separator), root+string(filepath.Separator)) && !inModuleCache(dir) {
			seen[dir] = true
		}
	})
	out := make([]string, 0, len(seen))
	for dir := range seen {
		out = append(out, dir)
	}
	slices.Sort(out)
	return out
}

func inModuleCache(dir string) bool {
	caches := []string{os.Getenv("GOMODCACHE")}
	for _, p := range filepath.SplitList(build.Default.GOPATH) {
		caches = append(caches, filepath.Join(p, "pkg", "mod"))
	}
	return slices.ContainsFunc(caches, func(c string) bool {
		return c != "" && strings.HasPrefix(dir, c+string(filepath.Separator))
	})
}

// goStamp changes with every file below the root that Go packages are loaded from, with
// the modules above it, and with which packages are wanted.
func (p *Project) goStamp() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q\n", p.Config.Go, p.Config.Exclude)
	filepath.WalkDir(p.Root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // what cannot be read is not loaded either
		case d.IsDir() && file != p.Root && ignoredDir(d.Name()):
			return filepath.SkipDir
		case !d.IsDir():
			stamp(h, file)
		}
		return nil
	})
	for up := filepath.Dir(p.Root); ; up = filepath.Dir(up) {
		stamp(h, filepath.Join(up, "go.mod"))
		stamp(h, filepath.Join(up, "go.work"))
		if up == filepath.Dir(up) {
			return hex.EncodeToString(h.Sum(nil))
		}
	}
}

// stampOf changes with the Go files of folders.
func stampOf(dirs []string) string {
	h := sha256.New()
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, d := range entries {
			stamp(h, filepath.Join(dir, d.Name()))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// stamp writes what changes when a file that packages come from is written.
func stamp(w io.Writer, file string) {
	switch name := filepath.Base(file); {
	case strings.HasSuffix(name, ".go"), name == "go.mod", name == "go.sum", name == "go.work", name == "go.work.sum":
		if st, err := os.Stat(file); err == nil {
			fmt.Fprintf(w, "%q %d %d\n", file, st.Size(), st.ModTime().UnixNano())
		}
	}
}
