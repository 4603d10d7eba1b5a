// Package program is Go code as the analyzers see it: typed packages, their
// functions and literals, and who calls whom. It knows no SQL.
//
// It takes packages from any loader, whole programs and single units of go vet
// alike, and tolerates packages that do not type-check: what has no type is
// matched by its name.
package program

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Package is one package with syntax and types.
type Package struct {
	Path  string
	Fset  *token.FileSet
	Files []*ast.File
	// Types and Info may lack what did not type-check; Info is never nil, its maps
	// may be.
	Types *types.Package
	Info  *types.Info
}
