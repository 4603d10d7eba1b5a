package shadow

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// blockSize is PostgreSQL's, and segment how many blocks a file of a relation holds
// at most.
const (
	blockSize = 8192
	segment   = 1 << 30 / blockSize
)

// Extend gives the files of a database's tables and indexes the lengths that
// pg_class says, without rows: the files are sparse and take no space. The planner
// then costs them as it costs production's. It makes nothing shorter.
//
// Afterwards the database is for planning only: ANALYZE, VACUUM and CREATE INDEX
// would undo it, and a copy of it would take all of that space. Blocks of zeros are
// valid to PostgreSQL, an empty page each, so that a query that runs all the same
// finds nothing.
func (s *Server) Extend(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return fmt.Errorf("extending the files of %s: %w", database, err)
	}
	defer conn.Close(ctx)
	return extendFiles(ctx, conn, s.data())
}

// extendFiles is Extend for the database of a connection, whose files lie below data.
func extendFiles(ctx context.Context, conn *pgx.Conn, data string) error {
	who, err := runAs()
	if err != nil {
		return err
	}
	database := conn.Config().Database
	// What is in buffers only must be in the file before it grows.
	if _, err := conn.Exec(ctx, "checkpoint"); err != nil {
		return fmt.Errorf("extending the files of %s: %w", database, err)
	}
	rows, err := conn.Query(ctx, `select pg_relation_filepath(c.oid), c.relpages::bigint
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'm', 'i') and c.relpages > 0 and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
		and pg_relation_filepath(c.oid) is not null and pg_relation_size(c.oid) < c.relpages::bigint * 8192`)
	if err != nil {
		return fmt.Errorf("extending the files of %s: %w", database, err)
	}
	var path string
	var pages int64
	_, err = pgx.ForEachRow(rows, []any{&path, &pages}, func() error { return extend(who, filepath.Join(data, path), pages) })
	if err != nil {
		return fmt.Errorf("extending the files of %s: %w", database, err)
	}
	return nil
}

// extend makes a relation's file so many blocks long, in segments of 1 GiB.
func extend(who account, path string, pages int64) error {
	for n := int64(0); pages > 0; n++ {
		name := path
		if n > 0 {
			name = fmt.Sprintf("%s.%d", path, n)
		}
		if err := sparse(who, name, min(pages, segment)*blockSize); err != nil {
			return err
		}
		pages -= segment
	}
	return nil
}

// sparse makes a file longer without writing to it; one that is not there yet gets
// the owner who runs the server.
func sparse(who account, name string, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() >= size {
		return nil
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return who.own(name)
}
