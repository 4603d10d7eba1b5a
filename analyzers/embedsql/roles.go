package embedsql

import "github.com/planvet/planvet/internal/pgast"

func roleSet(pgast.Stmt) (string, bool) { return "", false }

func (x *extraction) roles() {}
