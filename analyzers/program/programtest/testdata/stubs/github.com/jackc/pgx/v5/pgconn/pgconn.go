package pgconn

type CommandTag struct{}

func (CommandTag) RowsAffected() int64 { return 0 }

type StatementDescription struct{}

type PgError struct{ Code string }

func (*PgError) Error() string { return "" }
