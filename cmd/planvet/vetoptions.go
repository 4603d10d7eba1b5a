package main

import (
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/vetunit"
)

// vetOptions give go vet's protocol what it needs of the engine.
func vetOptions() vetunit.Options {
	return vetunit.Options{
		Version: version(), Find: config.Find,
		Files: engine.VetFiles, Build: engine.VetSchema, Analyzers: engine.VetAnalyzers,
	}
}
