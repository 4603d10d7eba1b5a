package live

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Survives runs one statement without parameters in a transaction of a session of its
// own, commits, and then asks the session: observe returns one row of one boolean. The
// session is closed, and with it goes what the statement left there. It is refused on a
// server that is not planvet's own, as what the statement wrote stays.
func (s *Session) Survives(ctx context.Context, sql, observe string) (there bool, err error) {
	if !s.own {
		return false, errors.New("a session of another server is not tried out")
	}
	conn, err := pgx.ConnectConfig(ctx, s.conn.Config().Copy())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	exec := func(sql string) error {
		_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		return err
	}
	if err := exec("begin; set local statement_timeout = 5000; set local lock_timeout = 2000"); err != nil {
		return false, err
	}
	if err := exec(sql); err != nil {
		return false, err
	}
	if err := exec("commit"); err != nil {
		return false, err
	}
	err = conn.QueryRow(ctx, observe).Scan(&there)
	return there, err
}
