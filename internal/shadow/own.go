package shadow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/stats"
)

// ErrNotOwn says that a server is none of planvet's.
var ErrNotOwn = errors.New("statistics are only loaded into a throwaway server of planvet's, and this is none: start one with `planvet shadow` and use the URL that it prints")

// mark is the setting that a throwaway server is started with, and markFile holds the
// same beside its data: a copy of either is not the server.
const (
	mark     = "planvet.shadow"
	markFile = "mark"
)

// folder is the name of a throwaway server's directory.
var folder = regexp.MustCompile(`^planvet-pg-[0-9a-f]{12}$`)

// writeMark makes the mark and returns it as an argument of the server.
func (s *Server) writeMark() (string, error) {
	text := filepath.Base(s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, markFile), []byte(text), 0o600); err != nil {
		return "", err
	}
	return mark + "=" + text, nil
}

// dataOf is the data directory of the server at the other end, where it is a throwaway
// server of this machine: its data, its directory's name and the mark of both agree.
// Else the error is ErrNotOwn.
func dataOf(ctx context.Context, conn *pgx.Conn) (string, error) {
	var said, data *string
	err := conn.QueryRow(ctx, "select current_setting($1, true), current_setting('data_directory', true) where inet_server_addr() is null", mark).Scan(&said, &data)
	if err != nil || said == nil || data == nil || *said == "" {
		return "", ErrNotOwn
	}
	dir := filepath.Dir(*data)
	text, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil || filepath.Base(*data) != "d" || !folder.MatchString(filepath.Base(dir)) || string(text) != *said || *said != filepath.Base(dir) {
		return "", ErrNotOwn
	}
	return *data, nil
}

// LoadInto gives a database of a running throwaway server statistics, sizes and files
// of the lengths that they say; see LoadStatistics. It refuses other servers with
// ErrNotOwn. Tables that are larger already, because they have rows, are among what is
// missing.
func LoadInto(ctx context.Context, conn *pgx.Conn, f *stats.File, now time.Time) (Loaded, error) {
	data, err := dataOf(ctx, conn)
	if err != nil {
		return Loaded{}, err
	}
	loaded, err := LoadStatistics(ctx, conn, f, now)
	if err == nil {
		err = SizeIndexes(ctx, conn, nil)
	}
	if err != nil {
		return loaded, err
	}
	rows, err := conn.Query(ctx, `select 'table ' || c.oid::regclass || ' has ' || pg_relation_size(c.oid) / 8192 || ' blocks already, the file says ' || c.relpages
		from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and pg_relation_size(c.oid) / 8192 > greatest(c.relpages, 1)
		and n.nspname <> 'information_schema' and n.nspname !~ '^pg_' order by 1`)
	if err != nil {
		return loaded, fmt.Errorf("loading statistics: %w", err)
	}
	large, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return loaded, fmt.Errorf("loading statistics: %w", err)
	}
	loaded.Missing = append(loaded.Missing, large...)
	return loaded, extendFiles(ctx, conn, data)
}
