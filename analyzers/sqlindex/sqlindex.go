// Package sqlindex judges the statements of a Go package against a catalog.
package sqlindex
