// Package catalog is a schema as PostgreSQL would have it: relations with their
// columns, keys, indexes, policies and triggers, functions, types, extensions,
// sizes. It is filled by migrationscan from files, or from a server, and the two
// are equal in normal form.
//
// Expressions are held as SQL text in normal form (pgast.Normal), so that this
// package needs no parser.
package catalog
