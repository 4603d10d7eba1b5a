package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/integration"
)

// Tool is a program of hooks or CI that a repository uses.
type Tool struct {
	// Name is package integration's.
	Name string
	// File is what showed it, relative to the repository's top.
	File string
	// Has is set where that file names planvet.
	Has bool
}

// marks are the files that show a program, globs from the top; hooks first.
var marks = []struct {
	name, part string
	files      []string
}{
	{"pre-commit", "hooks", []string{".pre-commit-config.yaml"}},
	{"lefthook", "hooks", []string{"lefthook.*", ".lefthook.*", ".config/lefthook.*"}},
	{"github", "ci", []string{".github"}},
	{"gitlab", "ci", []string{".gitlab-ci.yml"}},
}

func tools(top string) (out []Tool) {
	for _, m := range marks {
		for _, pattern := range m.files {
			found, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(pattern)))
			if err != nil || len(found) == 0 {
				continue
			}
			rel, err := filepath.Rel(top, found[0])
			if err != nil {
				continue
			}
			out = append(out, Tool{Name: m.name, File: filepath.ToSlash(rel), Has: namesPlanvet(found[0])})
			break
		}
	}
	return out
}

// namesPlanvet reports whether a file, or a workflow below .github, runs planvet.
func namesPlanvet(file string) bool {
	files := []string{file}
	if st, err := os.Stat(file); err == nil && st.IsDir() {
		// A folder's glob fails on a malformed pattern only.
		files, _ = filepath.Glob(filepath.Join(file, "workflows", "*.y*ml"))
	}
	return slices.ContainsFunc(files, func(name string) bool {
		text, err := os.ReadFile(name)
		return err == nil && strings.Contains(string(text), "planvet")
	})
}

// toolFiles are the files of hooks, or of CI: of programs that were found, and of those
// that are wanted all the same.
func toolFiles(f *Facts, o Options, part string) ([]File, error) {
	for _, name := range o.With {
		if !slices.Contains(toolNames(), name) {
			return nil, fmt.Errorf("there is no file for %q%s; there are %s", name, config.Hint(name, toolNames()), strings.Join(toolNames(), ", "))
		}
	}
	var out []File
	for _, file := range integration.Files() {
		if partOf(file.Name) != part {
			continue
		}
		at := slices.IndexFunc(f.Tools, func(t Tool) bool { return t.Name == file.Name })
		if at < 0 && !slices.Contains(o.With, file.Name) {
			continue
		}
		text := file.At(o.ref()).In(f.within()).Text
		if f.Branch != "main" {
			text = strings.ReplaceAll(text, "branches: [main]", "branches: ["+f.Branch+"]")
		}
		made := File{Path: f.fromRoot(file.Path), Text: text, What: "for " + file.Program}
		if !file.Alone {
			made.Part = withoutHead(text)
		}
		if at >= 0 {
			made.Has = f.Tools[at].Has
			if !file.Alone {
				made.Path = f.fromRoot(f.Tools[at].File)
			}
		}
		out = append(out, made)
	}
	return out, nil
}

// ref is what files fetch planvet as.
func (o Options) ref() string {
	if o.Release != "" {
		return o.Release
	}
	return "main"
}

// partOf is the part that a program's file belongs to; linters come with hooks.
func partOf(name string) string {
	for _, m := range marks {
		if m.name == name {
			return m.part
		}
	}
	return "hooks"
}

// withoutHead drops the comments above what a file says.
func withoutHead(text string) string {
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}
