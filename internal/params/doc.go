// Package params tells what the parameters of a statement are compared with, so that
// values can be found for them: in the rows of a table, or in its statistics.
package params
