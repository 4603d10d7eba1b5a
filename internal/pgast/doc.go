// Package pgast is planvet's own view of SQL: small node types, one converter a
// parser backend, and what every checker needs around them: splitting a file,
// positions, walking, writing back, normal form, fingerprints, placeholders,
// plpgsql bodies.
//
// The parser is that of package grammar, pg_query_go or, without cgo, oliphant; no
// type of theirs crosses this package's border.
//
// Offsets are bytes from the start of the text that was handed in; -1 is unknown.
// An expression's position is where it begins, not that of its operator.
//
// # Guards
//
// Hostile SQL ends in an *Error with a place, never in a crash, a hang or a silent
// cut. Before a text reaches the C parser:
//
//   - a text above 16 MiB is refused as a whole;
//   - files are split by a splitter of our own, so that one bad statement hides no
//     other; an unclosed quote, dollar quote or comment is an error at its opening,
//     and what follows it belongs to it;
//   - a NUL byte is refused, since C would stop reading there; so is invalid UTF-8
//     outside comments;
//   - comments nested deeper than 64 are refused: the C lexer is quadratic in them;
//   - the depth of the tree is estimated from the tokens and bounded by 1,000, less
//     on a small stack: a long left-deep chain (+, ||, ::, JOIN, UNION, COLLATE …)
//     overflows the C stack, which no recover catches. Lists of any length pass: AND,
//     OR, IN, VALUES, WHEN, select lists.
//
// The parser without cgo is no C and needs a bound of its own: see measureRetries.
//
// A syntax error says that the text is not in the grammar of PostgreSQL 16, or of 18
// without cgo; it may well be valid SQL of a later version.
package pgast
