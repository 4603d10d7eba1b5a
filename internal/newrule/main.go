// Command newrule writes the files of a new rule, for make new-rule: the code and
// the page of one stem, and two cases. The page's headings are those that
// rules/all demands; what is left to write is marked TODO, and the tests fail
// until it is written.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	name := flag.String("name", "", "the rule's name, kebab-case, naming the problem: unindexed-thing")
	pkg := flag.String("pkg", "sqllint", "the folder of the checker that owns the rule")
	flag.Parse()
	written, err := scaffold(".", *name, *pkg)
	for _, path := range written {
		fmt.Println("wrote", path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "newrule:", err)
		os.Exit(1)
	}
	fmt.Printf("now add %s to the slice Rules of %s, in the order of names\n", variable(*name), *pkg)
}

var kebab = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)

// scaffold writes the files of rule name under root/pkg and returns their paths. It
// overwrites nothing.
func scaffold(root, name, pkg string) ([]string, error) {
	if !kebab.MatchString(name) {
		return nil, fmt.Errorf("the name %q is not two or more kebab-case words", name)
	}
	dir := filepath.Join(root, filepath.FromSlash(pkg))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: -pkg is the checker's, e.g. sqllint", dir)
	}
	stem := strings.ReplaceAll(name, "-", "_")
	fill := strings.NewReplacer(
		"NAME", name, "STEM", stem, "VAR", variable(name), "PKG", filepath.Base(dir),
	)
	files := []struct{ path, text string }{
		{stem + ".go", code},
		{stem + ".md", page},
		{filepath.Join("testdata", stem, "err_simple.txtar"), errCase},
		{filepath.Join("testdata", stem, "ok_simple.txtar"), okCase},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is there already", path)
		}
	}
	var written []string
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return written, err
		}
		if err := os.WriteFile(path, []byte(fill.Replace(f.text)), 0o644); err != nil {
			return written, err
		}
		written = append(written, path)
	}
	return written, nil
}

// variable is a rule's name as a Go variable: unindexedThing.
func variable(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

const code = `package PKG

import (
	_ "embed"

	"github.com/planvet/planvet/rules"
)

//go:embed STEM.md
var VARPage string

var VAR = &rules.Rule{
	Name: "NAME", Package: "PKG", Group: "TODO: one of rules/all.Groups",
	Summary:  "TODO: the fault in one line, lower case, no full stop",
	Severity: rules.Warning, Certainty: rules.Possible, Page: VARPage,
}

// TODO: the code that decides. It is pure: a catalog and a statement in, findings
// out; where the fault is not sure, the finding is possible, or there is none.
`

const page = "# NAME\n" + `
## What it finds

TODO: the fault, by what a reader sees in the code.

## Why it is slow

TODO: what the server does, with a number that a command gave.

## Bad

` + "```sql\n-- TODO: a schema and a statement that give exactly this rule\n```" + `

## Good

` + "```sql\n-- TODO: the same after the fix, which gives no finding\n```" + `

## How it is confirmed

TODO: what is asked of the planner, or why nothing can be.

## Known limits

TODO: what it misses, each with its limits_ case.
`

const errCase = `TODO: why this is the fault.
-- schema.sql --
-- query.sql --
-- want --
NAME
`

const okCase = `TODO: what looks like the fault here, and why it is none.
-- schema.sql --
-- query.sql --
-- want --
`
