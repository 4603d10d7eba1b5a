package pgast

// PLBody is what a plpgsql body holds.
type PLBody struct {
	// Vars are declared variables, loop variables and arguments.
	Vars []PLVar
	// Stmts are the SQL statements in order, those of all branches.
	Stmts []PLStmt
}

// PLVar is a variable of a plpgsql body.
type PLVar struct {
	Name string
	// Type is as written; empty for loop variables.
	Type string
	// Kind is arg, declare, for or foreach.
	Kind string
	// Query is the statement of a FOR … IN query loop, an index into Stmts; -1 else.
	Query int
}

// PLStmt is one SQL statement in a plpgsql body.
type PLStmt struct {
	// Text is the SQL: INTO targets are removed, assignments and conditions become
	// SELECT expr.
	Text string
	// Offset is the byte in the body where Text begins, -1 where it is made up.
	Offset int
	Stmt   Stmt
	Err    *Error
	// Loop and Branch tell that it stands in a loop, in an IF, CASE or handler.
	Loop, Branch bool
	// Execute is set for EXECUTE; Dynamic when its text could not be worked out
	// (Text is then the expression).
	Execute, Dynamic bool
	// Expr is set for expressions: assignments, conditions, RETURN.
	Expr bool
}

// PLpgSQL scans a plpgsql body. args may be nil (DO).
func PLpgSQL(create *CreateFunction, text string) (PLBody, error) { panic("not yet") }
