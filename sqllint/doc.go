// Package sqllint judges statements against a catalog: for each relation of each
// query block it asks whether there is an access path.
package sqllint
