package engine

import (
	"path"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/revision"
)

// touched is what a change means to a project.
type touched struct {
	// read counts the files that planvet reads; code is set where Go's packages may differ.
	read int
	code bool
	// renamed has the earlier path of renamed files, both relative to the project's root.
	renamed map[string]string
	// files are those of the project that differ, by the names of now and of then.
	files map[string]bool
}

// touched judges the files that differ; prefix is the root's folder in the repository. What
// no name tells is taken as read: an answer for nothing costs time, no fault.
func (p *Project) touched(cs []revision.Change, prefix string) touched {
	t := touched{renamed: map[string]string{}, files: map[string]bool{}}
	within := func(file string) (string, bool) {
		if prefix == "" {
			return file, file != ""
		}
		return strings.CutPrefix(file, prefix+"/")
	}
	for _, c := range cs {
		to, inside := within(c.Path)
		from, wasInside := within(c.Old)
		t.files[to], t.files[from] = true, true
		if inside && wasInside {
			t.renamed[to] = from
		}
		code := c.Submodule || isCode(c.Path) || isCode(c.Old)
		if !code && !(inside && p.reads(to)) && !(wasInside && p.reads(from)) {
			continue
		}
		t.read++
		t.code = t.code || code
	}
	return t
}

// isCode reports whether go's command may read a file by its name. Tests are not
// analysed. A go.work or module of a repository holds for projects in its folders.
func isCode(file string) bool {
	switch base := path.Base(file); base {
	case "go.mod", "go.sum", "go.work", "go.work.sum":
		return true
	default:
		if file == "vendor/modules.txt" || strings.HasSuffix(file, "/vendor/modules.txt") {
			return true
		}
		return strings.HasSuffix(base, ".go") && !strings.HasSuffix(base, "_test.go")
	}
}

// reads reports whether planvet may read a file of the project that is no Go code.
func (p *Project) reads(file string) bool {
	base := path.Base(file)
	switch {
	case slices.Contains(config.Names, base), file == p.rel(p.Config.File):
		return true
	case strings.HasPrefix(base, "sqlc."), strings.HasPrefix(base, ".gmrc"), base == "_journal.json":
		return true
	case p.named(file), p.showsPool(file):
		return true
	case strings.HasPrefix(base, "."), strings.HasSuffix(base, "_test.go"):
		return false
	}
	switch base {
	case "LICENSE", "CODEOWNERS", "Makefile", "Dockerfile", "README", "NOTICE", "AUTHORS":
		return false
	}
	return !unread[strings.ToLower(path.Ext(base))]
}

// named reports whether the config names a file, or a folder that it is in.
func (p *Project) named(file string) bool {
	names := slices.Concat([]string{p.Config.Statistics}, p.Config.Queries)
	for _, db := range p.Config.Databases {
		names = append(append(names, db.Schema, db.Statistics), db.Migrations...)
	}
	return slices.ContainsFunc(names, func(n string) bool {
		return n != "" && matchGlob(path.Clean(n), file)
	})
}

// unread are endings of files that hold no SQL, no Go and no config of what reads them.
var unread = func() map[string]bool {
	m := map[string]bool{}
	for _, e := range strings.Fields(".md .markdown .mdx .rst .adoc .pdf .png .jpg .jpeg .gif .svg .ico .webp .avif .mp4 .woff .woff2 .ttf " +
		".ini .cfg .conf .env .css .scss .sass .less .ts .tsx .js .jsx .mjs .cjs .vue .svelte .astro .html .htm .map .json .yaml .yml .toml .lock .proto .graphql " +
		".py .rb .java .kt .rs .swift .php .sh .bash .ps1 .bat .tf .csv .xml") {
		m[e] = true
	}
	return m
}()
