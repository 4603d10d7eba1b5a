// Package scaffold makes the files with which planvet init sets a repository up:
//
//  1. Look says what is there: databases, policies, tools of hooks and CI.
//  2. Files makes, of these facts and of planvet's own rules, tiers and schemas, what
//     belongs into the repository. The same facts give the same bytes.
//  3. Write puts them there. What a person wrote or changed is kept, always; for files
//     of a person's own that need a part of planvet's, it says which.
package scaffold

import (
	"slices"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/integration"
)

// File is one file that init writes.
type File struct {
	// Path is from the project's root with slashes; where the root is a folder of a
	// repository, it may begin with "../".
	Path string
	Text string
	// What says in a few words what it is.
	What string
	// Sealed files carry a digest of themselves: one that nobody changed is made anew by
	// a later planvet. What is not sealed is written once.
	Sealed bool
	// Part is what the file of another program needs where it is there already; "" where
	// planvet owns the path.
	Part string
	// Has is set where the program runs planvet already.
	Has bool
}

// Parts are the names of what --without leaves out.
var Parts = []string{"config", "perf", "references", "hooks", "ci"}

// Options choose among the files.
type Options struct {
	// Without are names of Parts.
	Without []string
	// With are programs whose file is wanted where nothing of them was found, by the
	// names of package integration.
	With []string
	// Release is the version that files fetch, as v1.2.3; "" is the branch main.
	Release string
}

// Files are what a repository of these facts gets, in the order of Parts.
func Files(f *Facts, o Options) ([]File, error) {
	var out []File
	wanted := func(part string) bool { return !slices.Contains(o.Without, part) }
	if wanted("config") {
		out = append(out, File{Path: configPath(f), Text: Config(f), What: "what the code cannot say; every key is explained"})
		out = append(out, File{Path: schemaPath, Text: seal(string(Schema())), What: "for editors that complete planvet.yaml", Sealed: true})
	}
	if wanted("perf") {
		perf, err := perfFiles()
		if err != nil {
			return nil, err
		}
		out = append(out, perf...)
	}
	if wanted("references") {
		refs, err := references()
		if err != nil {
			return nil, err
		}
		out = append(out, refs...)
	}
	for _, part := range []string{"hooks", "ci"} {
		if !wanted(part) {
			continue
		}
		files, err := toolFiles(f, o, part)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// configPath is the config that the project has, so that a second one is never made.
func configPath(f *Facts) string {
	if f.ConfigFile != "" {
		return f.ConfigFile
	}
	return config.Names[0]
}

// toolNames are the names that Options.With knows.
func toolNames() []string {
	var names []string
	for _, f := range integration.Files() {
		names = append(names, f.Name)
	}
	return names
}
