// Package vetunit speaks go vet's protocol, so that the planvet binary is a
// -vettool.
//
// go vet runs the tool once as `-flags` and once as `-V=full` in the user's
// folder, then once a package with a .cfg file, in the package's folder. It
// caches what a package printed under a key that holds the -V=full line but no
// .sql file. Therefore:
//
//  1. -V=full prints a hash of planvet itself, of the config and of every file
//     that the schema comes from, so that an edited migration runs every package
//     again;
//  2. the same step replays the schema and writes it to the cache, with an index
//     from the root to its key, so that packages do not each replay it;
//  3. a package finds its root by the same function, reads that index, checks the
//     files by size and time, and replays the schema itself when they differ.
//
// Packages outside of the workspace yield no findings and no facts: they are
// answered before they are parsed.
package vetunit
