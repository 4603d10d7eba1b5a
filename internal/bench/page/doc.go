// Package page draws a benchmark, and what a gate says of it, as one HTML page that needs
// nothing else: how much slower with what confidence, how the times of both versions are
// distributed, which plans changed, which objectives hold.
package page
