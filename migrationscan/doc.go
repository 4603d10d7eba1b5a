// Package migrationscan finds the migrations of a project, orders them as their
// tool would, and replays their DDL into a catalog that equals the one a server
// would hold after them.
//
// Nothing aborts: an unknown table becomes a stub, a statement that the grammar
// refuses or that cannot apply is listed with its place.
package migrationscan
