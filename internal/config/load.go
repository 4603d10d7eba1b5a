package config

import "errors"

// Names are the file names that a config may have.
var Names = []string{"planvet.yaml", ".planvet.yaml"}

// Find returns the project's root and its config file for a folder or file:
// PLANVET_CONFIG, else the nearest planvet.yaml upward, else the nearest of
// go.work, go.mod and .git, else start itself. file is "" where there is none.
// Both are absolute.
func Find(start string) (root, file string) { return start, "" }

// Load reads a config file; "" gives the defaults. Errors are one line and name
// file and line.
func Load(file string) (*Config, error) { return nil, errors.ErrUnsupported }

// Parse reads a config's text; name stands in errors.
func Parse(name string, text []byte) (*Config, error) { return nil, errors.ErrUnsupported }

// CheckRules reports the first rule name in rules and spec_refs that known
// refuses, with its line and the nearest of names.
func (c *Config) CheckRules(names []string) error { return errors.ErrUnsupported }
