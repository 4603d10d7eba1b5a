// Package stats is what a planner knows of tables without their rows: sizes,
// distinct counts, null fractions, frequencies. It has the file that planvet stats
// dump writes and that a shadow is given, so that an empty database plans like the
// one that the file is of.
//
// Values of columns are personal data. A file has none, except labels of enums and
// booleans, which are schema, unless the user asked for them.
package stats
