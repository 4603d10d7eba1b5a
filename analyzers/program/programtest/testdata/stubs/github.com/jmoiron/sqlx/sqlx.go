package sqlx

import (
	"context"
	"database/sql"
)

type DB struct{ *sql.DB }

func (db *DB) Get(dest interface{}, query string, args ...interface{}) error    { return nil }
func (db *DB) Select(dest interface{}, query string, args ...interface{}) error { return nil }
func (db *DB) GetContext(ctx context.Context, dest interface{}, query string, args ...interface{}) error {
	return nil
}
func (db *DB) NamedExec(query string, arg interface{}) (sql.Result, error) { return nil, nil }
func (db *DB) NamedQuery(query string, arg interface{}) (*Rows, error)     { return nil, nil }
func (db *DB) Rebind(query string) string                                  { return "" }
func (db *DB) Preparex(query string) (*Stmt, error)                        { return nil, nil }

type Rows struct{ *sql.Rows }
type Stmt struct{ *sql.Stmt }

func (s *Stmt) Get(dest interface{}, args ...interface{}) error { return nil }

func In(query string, args ...interface{}) (string, []interface{}, error) { return "", nil, nil }

type Queryer interface {
	Query(query string, args ...interface{}) (*sql.Rows, error)
}

func Get(q Queryer, dest interface{}, query string, args ...interface{}) error { return nil }
