// Package integration holds the files that join planvet to the programs around it:
// hooks, CI and linters. It is their one home: planvet init writes them out of Files,
// the pages under docs/ show them, and tests run each by the program that reads it.
//
// What such a file fetches is planvet's branch main; At names a release instead.
package integration

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed files
var files embed.FS

// File is one file of a user's repository.
type File struct {
	// Name is what the file is asked for by.
	Name string
	// Path is where the program looks for it, from the repository's root.
	Path string
	// Program reads it, as a person names it.
	Program string
	// Text is its content, with a newline at its end.
	Text string
	// Alone is set where the path is planvet's own. Where it is not, a repository may
	// have such a file already, into which the text has to be merged.
	Alone bool
}

// Files are all, in the order in which the documentation has them.
func Files() []File {
	return []File{
		file("pre-commit", ".pre-commit-config.yaml", "pre-commit", "pre-commit-config.yaml", false),
		file("lefthook", "lefthook.yml", "lefthook", "lefthook.yml", false),
		file("github", ".github/workflows/planvet.yml", "GitHub Actions", "github.yml", true),
		file("gitlab", ".gitlab-ci.yml", "GitLab CI", "gitlab-ci.yml", false),
		file("golangci-lint-build", ".custom-gcl.yml", "golangci-lint custom", "custom-gcl.yml", false),
		file("golangci-lint", ".golangci.yml", "golangci-lint", "golangci.yml", false),
	}
}

func file(name, path, program, source string, alone bool) File {
	text, err := files.ReadFile("files/" + source)
	if err != nil {
		panic(err) // it is embedded
	}
	return File{Name: name, Path: path, Program: program, Text: string(text), Alone: alone}
}

// Named is the file of a name.
func Named(name string) (File, error) {
	var names []string
	for _, f := range Files() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return File{}, fmt.Errorf("there is no file for %q: there are %s", name, strings.Join(names, ", "))
}

// ref is where a file says which planvet it takes.
var ref = regexp.MustCompile(`(?m)(planvet/planvet@|^\s+rev: |^\s+PLANVET_VERSION: |^\s+version: )main\b`)

// At is the file that takes planvet as of a release, such as v1.2.3, or another ref.
func (f File) At(version string) File {
	f.Text = ref.ReplaceAllString(f.Text, "${1}"+strings.ReplaceAll(version, "$", "$$"))
	return f
}

// In is the file for a project that is a folder of the repository, with slashes: the
// path that planvet is asked about. "" changes nothing.
func (f File) In(dir string) File {
	if dir == "" {
		return f
	}
	at := map[string][2]string{
		"pre-commit": {`(?m)^( +)- (id: planvet\b.*)$`, "${1}- ${2}\n${1}  args: [DIR]"},
		"lefthook":   {"(?m)^(.*run: planvet check --staged)$", "${1} DIR"},
		"github":     {"(?m)^(      )- (uses: planvet/planvet@.*)\n +# with:$", "${1}- ${2}\n${1}  with:\n${1}    working-directory: DIR"},
		"gitlab":     {`(?m)^( +PLANVET_ARGS: )""`, `${1}"DIR"`},
	}[f.Name]
	if at[0] != "" {
		f.Text = regexp.MustCompile(at[0]).ReplaceAllString(f.Text, strings.ReplaceAll(at[1], "DIR", strings.ReplaceAll(dir, "$", "$$")))
	}
	return f
}
