// Package pgast is planvet's own view of SQL: small node types, one converter a
// parser backend, and what every checker needs around them: splitting a file,
// positions, walking, normal form, fingerprints.
//
// It is the only importer of pg_query, and no pg_query type crosses its border,
// so that a newer grammar, or a build without cgo, is one more converter.
//
// Offsets are bytes from the start of the text that was handed in; -1 is unknown.
package pgast
