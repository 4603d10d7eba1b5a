package memory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite" // registers the driver, too
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks the file as a memory of planvet's: "pvme".
const applicationID = 0x70766d65

// sqliteSchema keeps an entry as JSON beside what it is found by. A rollback journal and
// not a write-ahead log: it works on every file system, and writes are few.
const sqliteSchema = `create table entries (
  seq integer primary key,
  id text not null unique,
  time text not null,
  category text not null, rule text not null, fingerprint text not null, skill text not null, outcome text not null,
  tags text not null,
  entry text not null
);
create index entries_rule on entries (rule);
create index entries_fingerprint on entries (fingerprint);
create virtual table words using fts5(head, lessons, rest, tokenize = 'porter unicode61 remove_diacritics 0');
pragma application_id = 1886809445;
pragma user_version = 1;
`

// timeForm sorts as text.
const timeForm = "2006-01-02T15:04:05.000000Z"

// sqliteStore is a file. It is opened when something is asked of it.
type sqliteStore struct {
	path string
	db   *sql.DB
}

func (s *sqliteStore) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// open opens the file; it is made where create says so. made says whether the tables are
// there.
func (s *sqliteStore) open(ctx context.Context, create bool) (made bool, err error) {
	st, err := os.Stat(s.path)
	switch {
	case errors.Is(err, os.ErrNotExist) && !create:
		return false, fmt.Errorf("%w at %s: planvet memory add makes it", ErrNone, s.path)
	case errors.Is(err, os.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
			return false, fmt.Errorf("making the memory: %w", err)
		}
	case err != nil:
		return false, fmt.Errorf("opening the memory: %w", err)
	case st.IsDir():
		return false, fmt.Errorf("memory %s is a folder: name a file in it", s.path)
	}
	if s.db == nil {
		mode := "rw"
		if create {
			mode = "rwc"
		}
		path, err := filepath.Abs(s.path)
		if err != nil {
			return false, err
		}
		path = filepath.ToSlash(path)
		if !strings.HasPrefix(path, "/") { // a drive
			path = "/" + path
		}
		dsn := (&url.URL{Scheme: "file", Path: path}).String()
		if s.db, err = sql.Open("sqlite", fmt.Sprintf("%s?mode=%s&_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=trusted_schema(off)", dsn, mode, wait.Milliseconds())); err != nil {
			return false, err
		}
		s.db.SetMaxOpenConns(1)
	}
	return s.made(ctx, s.db)
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// made says whether the tables are there, and refuses what is not planvet's or newer.
func (s *sqliteStore) made(ctx context.Context, q queryer) (bool, error) {
	var id, version, objects int
	err := q.QueryRowContext(ctx, "select (select application_id from pragma_application_id), (select user_version from pragma_user_version), (select count(*) from sqlite_schema)").Scan(&id, &version, &objects)
	switch {
	case err != nil:
		return false, s.plain(err)
	case objects == 0 && id == 0 && version == 0:
		return false, nil
	case id != applicationID:
		return false, fmt.Errorf("memory %s is an SQLite database of something else, not planvet's", s.path)
	case version > storeVersion:
		return false, newer(s.path, version)
	}
	return true, nil
}

func (s *sqliteStore) Plan(ctx context.Context) (string, error) {
	made, err := s.open(ctx, false)
	if made || err != nil && !errors.Is(err, ErrNone) {
		return "", err
	}
	return sqliteSchema, nil
}

func (s *sqliteStore) Add(ctx context.Context, entries []Entry) (added int, err error) {
	if _, err := s.open(ctx, true); err != nil {
		return 0, err
	}
	tx, err := s.db.BeginTx(ctx, nil) // immediate: nobody else writes from here on
	if err != nil {
		return 0, s.plain(err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	// Another process may have made the tables since.
	made, err := s.made(ctx, tx)
	if err != nil {
		return 0, err
	}
	if !made {
		if _, err := tx.ExecContext(ctx, sqliteSchema); err != nil {
			return 0, s.plain(err)
		}
	}
	for i := range entries {
		n, err := s.insert(ctx, tx, &entries[i])
		if err != nil {
			return 0, s.plain(err)
		}
		added += n
	}
	if err := tx.Commit(); err != nil {
		return 0, s.plain(err)
	}
	return added, nil
}

func (s *sqliteStore) insert(ctx context.Context, tx *sql.Tx, e *Entry) (int, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	tags, err := json.Marshal(append([]string{}, e.Tags...))
	if err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(ctx, "insert into entries (id, time, category, rule, fingerprint, skill, outcome, tags, entry) values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
		e.ID, e.Time.Format(timeForm), e.Category, e.Rule, e.Fingerprint, e.Skill, e.Outcome, string(tags), string(text))
	if err != nil {
		return 0, err
	}
	if n, err := r.RowsAffected(); n == 0 || err != nil {
		return 0, err
	}
	seq, err := r.LastInsertId()
	if err != nil {
		return 0, err
	}
	w := e.indexed()
	_, err = tx.ExecContext(ctx, "insert into words (rowid, head, lessons, rest) values (?, ?, ?, ?)", seq, w[0], w[1], w[2])
	return 1, err
}

func (s *sqliteStore) Find(ctx context.Context, q Query) ([]Entry, error) {
	made, err := s.open(ctx, false)
	if err != nil {
		return nil, err
	}
	if !made {
		return nil, fmt.Errorf("%w at %s: planvet memory add makes it", ErrNone, s.path)
	}
	var args []any
	arg := func(v any) string { args = append(args, v); return "?" }
	from, order := "entries e", q.newest()
	if q.Text != "" {
		var each, any []string
		for _, w := range asked(q.Text) {
			any = append(any, `"`+w+`"`)
			each = append(each, "select rowid from words where words match "+arg(`"`+w+`"`))
		}
		if len(any) == 0 {
			return nil, nil
		}
		from += " join (select rowid as seq, count(*) as covered from (" + strings.Join(each, " union all ") + ") group by rowid) c using (seq)" +
			" join (select rowid as seq, bm25(words, 8, 4, 1) as score from words where words match " + arg(strings.Join(any, " OR ")) + ") r using (seq)"
		order = "c.covered desc, r.score, " + order
	}
	query := "select e.entry from " + from + " where " + q.where(arg, func(p string) string { return "exists (select 1 from json_each(e.tags) where value = " + p + ")" }) + " order by " + order
	if q.Limit > 0 {
		query += " limit " + arg(q.Limit)
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.plain(err)
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, s.plain(err)
		}
		texts = append(texts, t)
	}
	if err := rows.Err(); err != nil {
		return nil, s.plain(err)
	}
	return decoded(s.path, texts)
}

// plain is an error of SQLite's in a line that says what to do.
func (s *sqliteStore) plain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("memory %s: %w", s.path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("memory %s is locked: another process has been writing it for %s", s.path, wait)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("memory %s is no SQLite database", s.path)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("memory %s is damaged: move it away, and import an export", s.path)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("memory %s cannot be written or opened: look at the rights of the file and its folder", s.path)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("memory %s: the disk is full", s.path)
	}
	return fmt.Errorf("memory %s: %w", s.path, err)
}
