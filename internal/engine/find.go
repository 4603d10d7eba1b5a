package engine

import "github.com/planvet/planvet/internal/config"

// Find is the root and the config file, "" for none, of the project that a folder or file
// is in: what Open would take.
func Find(start string) (root, configFile string) { return config.Find(start) }
