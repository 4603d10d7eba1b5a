// Package consumers reads planvet's outputs back with the programs and libraries
// that they are for, and holds what those see against the JSON. It is a module of
// its own, so that none of them is in planvet's go.mod.
package consumers
