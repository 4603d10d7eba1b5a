package pgast

// Error is a fault of a text: a syntax error, or a limit of the parser.
type Error struct {
	// Offset is the byte offset of the fault in the text that was handed in.
	Offset int
	// Msg is one line, lower case.
	Msg string
}

func (e *Error) Error() string { return e.Msg }

// Parsed is one statement of a file.
type Parsed struct {
	// Stmt is nil when Err is set. Its positions are relative to Text.
	Stmt Stmt
	// Text is src[Start:End], without leading comments and the semicolon.
	Text       string
	Start, End int
	// Err has its offset in the file, not in Text.
	Err *Error
}

// Piece is one statement's place in a file, as Split finds it.
type Piece struct {
	// Start and End are byte offsets: leading whitespace and comments, and the
	// semicolon, are outside.
	Start, End int
	// Err is set when the piece cannot be a statement (an unclosed quote …); its
	// offset is in the file.
	Err *Error
	// Meta is set for a psql meta-command and for the data of COPY FROM stdin.
	Meta bool
}

// Comment is a comment of a source text; Text has its markers.
type Comment struct {
	Start, End int
	Text       string
}

// Env answers what names mean to the server; Normal and NormalStmt ask it. Schema
// is empty when the name was written without one.
type Env interface {
	// Relation resolves a table, view or sequence.
	Relation(schema, name string) (resolvedSchema string, ok bool)
	// Function resolves a function by name alone.
	Function(schema, name string) (resolvedSchema string, ok bool)
	// Type resolves a type.
	Type(schema, name string) (resolvedSchema string, ok bool)
	// ColumnType is the column's type as format_type prints it; empty when unknown.
	ColumnType(relSchema, rel, col string) string
}

// PlaceholderStyle says which placeholders a text has.
type PlaceholderStyle int

// The placeholder styles; they can be or-ed.
const (
	// Dollar is PostgreSQL's own: $1.
	Dollar PlaceholderStyle = 0
	// Question is ?; ?? is an escaped question mark.
	Question PlaceholderStyle = 1 << iota
	// Colon is :name, of sqlx.Named and the like.
	Colon
	// AtSign is @name, of pgx.NamedArgs and sqlc.
	AtSign
	// Sqlc is sqlc.arg(x), sqlc.narg(x), sqlc.slice(x), sqlc.embed(t) and @name.
	Sqlc
)
