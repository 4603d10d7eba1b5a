// Package extension holds the PostgreSQL side of planvet, the files of the SQL
// extension planvet, so that what make install puts on a server and what planvet
// companion installs are the same text.
package extension

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:embed planvet.control planvet--*.sql
var files embed.FS

// Files are the control file and the scripts, by the names that a server looks for.
func Files() fs.FS { return files }

var defaultVersion = regexp.MustCompile(`(?m)^default_version = '([^']+)'`)

// Version is the version that create extension installs.
func Version() string {
	control, err := files.ReadFile("planvet.control")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(defaultVersion.FindSubmatch(control)[1])
}

// Script is one step of an installation: from nothing, where From is "", or from a
// version to a later one.
type Script struct {
	From, To string
	// SQL is what a server runs, psql's lines taken out.
	SQL string
}

// Path returns the scripts that lead from a version, or from nothing, to another, in
// order, by as few steps as there are. The error names both where there is no way.
func Path(from, to string) ([]Script, error) {
	all, err := scripts()
	if err != nil {
		return nil, err
	}
	reached := map[string][]Script{from: {}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			return reached[at], nil
		}
		for _, s := range all {
			if s.From == at && reached[s.To] == nil {
				reached[s.To] = append(slices.Clone(reached[at]), s)
				queue = append(queue, s.To)
			}
		}
	}
	if from == "" {
		return nil, fmt.Errorf("there is no script for planvet %s", to)
	}
	return nil, fmt.Errorf("there is no way from planvet %s to %s", from, to)
}

var echo = regexp.MustCompile(`(?m)^\\echo .*\n`)

// scripts reads planvet--TO.sql and planvet--FROM--TO.sql.
func scripts() ([]Script, error) {
	names, err := fs.Glob(files, "planvet--*.sql")
	if err != nil {
		return nil, err
	}
	var out []Script
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		versions := strings.Split(strings.TrimSuffix(strings.TrimPrefix(name, "planvet--"), ".sql"), "--")
		s := Script{To: versions[len(versions)-1], SQL: strings.TrimSpace(echo.ReplaceAllString(string(text), "")) + "\n"}
		if len(versions) > 1 {
			s.From = versions[0]
		}
		out = append(out, s)
	}
	return out, nil
}
