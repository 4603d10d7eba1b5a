// Package config reads planvet.yaml and finds a project's root, and detects what
// a project says elsewhere: sqlc's own configuration.
//
// It knows no rule names: the engine passes a function that does.
package config
