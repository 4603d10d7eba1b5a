package vetunit

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

// Options are what the protocol needs of planvet.
type Options struct {
	// Version is planvet's own.
	Version string
	// Find finds the root and the config file of a folder.
	Find func(dir string) (root, config string)
	// Files lists the files below root that the findings of every package depend
	// on, the config left out: relative, sorted.
	Files func(root, config string) ([]string, error)
	// Build replays the schema and returns it encoded.
	Build func(root, config string) ([]byte, error)
	// Analyzers returns what to run on a package; encoded is what Build returned.
	Analyzers func(root, config string, encoded []byte) ([]*analysis.Analyzer, error)
}

// IsVet reports whether arguments are go vet's and not a person's.
func IsVet(args []string) bool {
	if len(args) == 0 {
		return false
	}
	if len(args) == 1 && (args[0] == "-flags" || args[0] == "-V=full") {
		return true
	}
	if !strings.HasSuffix(args[len(args)-1], ".cfg") {
		return false
	}
	for _, a := range args[:len(args)-1] {
		if !strings.HasPrefix(a, "-") {
			return false
		}
	}
	return true
}

// Main answers one call of go vet and returns the exit code. For a package it
// may end the process itself.
func Main(args []string, o Options) int {
	if err := answer(args, o, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "planvet: %v\n", err)
		return 1
	}
	return 0
}

func answer(args []string, o Options, stdout io.Writer) error {
	switch args[0] {
	case "-V=full":
		return printVersion(o, stdout)
	case "-flags":
		_, err := io.WriteString(stdout, `[{"Name":"json","Bool":true,"Usage":"emit JSON output"}]`+"\n")
		return err
	}
	if done, err := skipForeign(args[len(args)-1]); done || err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	root, config := o.Find(wd)
	encoded, err := cached(o, root, config)
	if err != nil {
		return err
	}
	as, err := o.Analyzers(root, config, encoded)
	if err != nil {
		return err
	}
	unitchecker.Main(as...) // ends the process
	return nil
}

// unit is what is read of a .cfg file here.
type unit struct {
	ImportPath    string
	ModulePath    string
	ModuleVersion string
	Standard      map[string]bool
	VetxOnly      bool
	VetxOutput    string
	Stdout        string
}

// skipForeign answers a unit that is analysed for its facts alone and belongs to
// the standard library or a released module: planvet has no facts about those.
func skipForeign(file string) (bool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var u unit
	if err := json.Unmarshal(b, &u); err != nil {
		return false, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	if !u.VetxOnly || u.ModuleVersion == "" && u.ModulePath != "" {
		return false, nil
	}
	if u.Stdout != "" {
		if err := os.WriteFile(u.Stdout, nil, 0o666); err != nil {
			return true, err
		}
	}
	if u.VetxOutput == "" {
		return true, nil
	}
	return true, os.WriteFile(u.VetxOutput, nil, 0o666)
}
