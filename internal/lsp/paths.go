package lsp

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/engine"
)

// drive is a Windows path as the path of a URI has it.
var drive = regexp.MustCompile(`^/[A-Za-z]:`)

// pathOf is the file that a URI names; ok is false for what is no file.
func pathOf(uri string) (path string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return "", false
	}
	path = u.Path
	if drive.MatchString(path) {
		path = strings.ToUpper(path[1:2]) + path[2:]
	} else if u.Host != "" && u.Host != "localhost" {
		path = "//" + u.Host + path
	}
	return cleanPath(path), true
}

func cleanPath(path string) string { return filepath.Clean(filepath.FromSlash(path)) }

// uriOf is a file's URI.
func uriOf(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// within reports whether a path is a folder, or below it.
func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// configNames are files that say how a project is read. The globs of watchers have them
// too.
var configNames = []string{
	"planvet.yaml", ".planvet.yaml", engine.BaselineFile, "go.mod", "go.work", "sqlc.yaml", "sqlc.yml", "sqlc.json",
	"config.toml", "dbconfig.yml", "tern.conf", "atlas.hcl",
}

// judged reports whether a file, when it changes, can change what is found.
func judged(path string) bool {
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		if part == "node_modules" || part == ".git" {
			return false
		}
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".go", ".sql":
		return true
	}
	return slices.Contains(configNames, filepath.Base(path))
}
