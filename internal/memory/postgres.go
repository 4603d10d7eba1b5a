package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
)

// postgresSchema keeps what sqliteSchema keeps. The schema is planvet's own: the
// companion's, planvet, holds what the companion made and nothing else.
const postgresSchema = `create schema planvet_memory;
create table planvet_memory.format (version integer not null);
insert into planvet_memory.format values (1);
create table planvet_memory.entries (
  id text primary key,
  time timestamptz not null,
  category text not null, rule text not null, fingerprint text not null, skill text not null, outcome text not null,
  tags text[] not null,
  entry text not null,
  words tsvector not null
);
create index entries_rule on planvet_memory.entries (rule);
create index entries_fingerprint on planvet_memory.entries (fingerprint);
create index entries_tags on planvet_memory.entries using gin (tags);
create index entries_words on planvet_memory.entries using gin (words);
`

// making is the advisory lock under which the tables are made: "planvetm".
const making = 0x706c616e7665746d

type postgresStore struct {
	session *live.Session
	name    string
}

func openPostgres(ctx context.Context, url string) (Store, error) {
	s, err := live.Connect(ctx, url, live.Options{})
	if err != nil {
		return nil, fmt.Errorf("opening the memory: %w", err)
	}
	return &postgresStore{s, "in database " + s.Conn().Config().Database}, nil
}

func (p *postgresStore) Close() error { return p.session.Close(context.Background()) }

// within runs f in a transaction with timeouts.
func (p *postgresStore) within(ctx context.Context, mode pgx.TxAccessMode, f func(tx pgx.Tx, made bool) error) error {
	tx, err := p.session.Conn().BeginTx(ctx, pgx.TxOptions{AccessMode: mode})
	if err != nil {
		return p.plain(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, fmt.Sprintf("/* planvet */ set local lock_timeout = %d", wait.Milliseconds())); err != nil {
		return p.plain(err)
	}
	if _, err := tx.Exec(ctx, "/* planvet */ set local statement_timeout = '30s'"); err != nil {
		return p.plain(err)
	}
	if mode == pgx.ReadWrite {
		if _, err := tx.Exec(ctx, "/* planvet */ select pg_advisory_xact_lock($1)", int64(making)); err != nil {
			return p.plain(err)
		}
	}
	made, err := p.made(ctx, tx)
	if err != nil {
		return err
	}
	if err := f(tx, made); err != nil {
		return p.plain(err)
	}
	return p.plain(tx.Commit(ctx))
}

func (p *postgresStore) made(ctx context.Context, tx pgx.Tx) (bool, error) {
	var schema, format bool
	err := tx.QueryRow(ctx, `/* planvet */ select exists (select from pg_catalog.pg_namespace where nspname = 'planvet_memory'),
		exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where nspname = 'planvet_memory' and relname = 'format')`).Scan(&schema, &format)
	switch {
	case err != nil:
		return false, p.plain(err)
	case !schema:
		return false, nil
	case !format:
		return false, fmt.Errorf("memory %s: there is a schema planvet_memory that planvet did not make: rename it", p.name)
	}
	version := 0
	if err := tx.QueryRow(ctx, "/* planvet */ select max(version) from planvet_memory.format").Scan(&version); err != nil {
		return false, p.plain(err)
	}
	if version > storeVersion {
		return false, newer(p.name, version)
	}
	return true, nil
}

func (p *postgresStore) Plan(ctx context.Context) (sql string, err error) {
	err = p.within(ctx, pgx.ReadOnly, func(_ pgx.Tx, made bool) error {
		if !made {
			sql = postgresSchema
		}
		return nil
	})
	return sql, err
}

func (p *postgresStore) Add(ctx context.Context, entries []Entry) (added int, err error) {
	err = p.within(ctx, pgx.ReadWrite, func(tx pgx.Tx, made bool) error {
		if !made {
			if _, err := tx.Conn().PgConn().Exec(ctx, postgresSchema).ReadAll(); err != nil {
				return err
			}
		}
		for i := range entries {
			n, err := insertRow(ctx, tx, &entries[i])
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

func insertRow(ctx context.Context, tx pgx.Tx, e *Entry) (int, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	w := e.indexed()
	tag, err := tx.Exec(ctx, `/* planvet */ insert into planvet_memory.entries (id, time, category, rule, fingerprint, skill, outcome, tags, entry, words)
		values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9, setweight(to_tsvector('pg_catalog.english', $10), 'A') || setweight(to_tsvector('pg_catalog.english', $11), 'B') || setweight(to_tsvector('pg_catalog.english', $12), 'C'))
		on conflict (id) do nothing`,
		e.ID, e.Time, e.Category, e.Rule, e.Fingerprint, e.Skill, e.Outcome, append([]string{}, e.Tags...), string(text), w[0], w[1], w[2])
	return int(tag.RowsAffected()), err
}

func (p *postgresStore) Find(ctx context.Context, q Query) ([]Entry, error) {
	var texts []string
	var args []any
	arg := func(v any) string { args = append(args, v); return fmt.Sprintf("$%d", len(args)) }
	order, cond := q.newest(), ""
	if q.Text != "" {
		list := asked(q.Text)
		if len(list) == 0 {
			return nil, nil
		}
		each, all := arg(list), arg(strings.Join(list, " | "))
		cond = "e.words @@ to_tsquery('pg_catalog.english', " + all + ") and "
		order = "(select count(*) from unnest(" + each + "::text[]) w where e.words @@ to_tsquery('pg_catalog.english', w)) desc, ts_rank(array[0, 0.125, 0.5, 1], e.words, to_tsquery('pg_catalog.english', " + all + ")) desc, " + order
	}
	query := "/* planvet */ select e.entry from planvet_memory.entries e where " + cond + q.where(arg, func(p string) string { return "e.tags @> array[" + p + "]" }) + " order by " + order
	if q.Limit > 0 {
		query += " limit " + arg(q.Limit)
	}
	err := p.within(ctx, pgx.ReadOnly, func(tx pgx.Tx, made bool) error {
		if !made {
			return fmt.Errorf("%w %s: planvet memory add makes it", ErrNone, p.name)
		}
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		texts, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, err
	}
	return decoded(p.name, texts)
}

// plain is a server's error in a line that says what to do.
func (p *postgresStore) plain(err error) error {
	switch live.Code(err) {
	case "":
		if err == nil || errors.Is(err, ErrNone) || strings.HasPrefix(err.Error(), "memory ") {
			return err
		}
		return fmt.Errorf("memory %s: %w", p.name, err)
	case "55P03":
		return fmt.Errorf("memory %s is locked: another session has been writing it for %s", p.name, wait)
	case "42501":
		return fmt.Errorf("memory %s: %w; its owner grants usage on schema planvet_memory, and select and insert on its tables", p.name, err)
	case "25006":
		return fmt.Errorf("memory %s: the server takes no writes: name its primary", p.name)
	}
	return fmt.Errorf("memory %s: %w", p.name, err)
}
