// Package embedsql finds the SQL in Go code: the text that reaches a driver call,
// however it was put together, and the place of each of its bytes.
//
// The algorithm, for all packages at once:
//
//  1. Find the sinks: calls of a driver's method that takes SQL, by the package
//     and name of the method, or by the shape of an interface's method.
//  2. Walk the function around each sink forward, statement by statement, with
//     the possible values of its string variables; a value is a list of pieces:
//     text with its place, a parameter of the function, or a hole.
//  3. A value that holds a parameter makes its function a wrapper: its callers are
//     walked in turn, also those that call through an interface, and their
//     arguments put in the parameter's place.
//  4. Holes are filled so that the text parses; such a statement is Dynamic.
//  5. A text that parses is a statement, or a script when it defines a schema; one
//     that looks like SQL and does not parse is listed, and so is a call whose
//     text stays unknown.
package embedsql
