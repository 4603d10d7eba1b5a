package config

import (
	"errors"
	"io/fs"
)

// SQLC is one entry of a sqlc configuration for PostgreSQL. Paths are relative to
// the file system's root, folders and globs expanded to sorted .sql files.
type SQLC struct {
	// File is the sqlc configuration.
	File string
	// Schema are the schema's files and Queries the query files.
	Schema, Queries []string
	// Out is the folder of the generated Go package.
	Out string
}

// FindSQLC reads every sqlc.yaml, sqlc.yml and sqlc.json below the root, hidden
// folders, node_modules, vendor and what skip refuses left out.
func FindSQLC(fsys fs.FS, skip func(path string) bool) ([]SQLC, error) {
	return nil, errors.ErrUnsupported
}
