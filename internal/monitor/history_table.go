package monitor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
)

// tableLines keeps lines in a table of a team's database.
type tableLines struct {
	s *live.Session
}

const makeTable = `create schema if not exists planvet_history;
	create table if not exists planvet_history.lines (id bigint generated always as identity primary key, line jsonb not null)`

func openTable(ctx context.Context, url string) (*tableLines, error) {
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return nil, err
	}
	// Asked first, so that a role that may only write lines needs no right to make them.
	var there bool
	err = s.Conn().QueryRow(ctx, "select pg_catalog.to_regclass('planvet_history.lines') is not null").Scan(&there)
	if err == nil && !there {
		_, err = s.Conn().PgConn().Exec(ctx, makeTable).ReadAll()
	}
	if err != nil {
		s.Close(ctx)
		return nil, fmt.Errorf("making table planvet_history.lines: %w", err)
	}
	return &tableLines{s}, nil
}

func (t *tableLines) each(ctx context.Context, f func([]byte) error) error {
	rows, err := t.s.Conn().Query(ctx, "select line::text from planvet_history.lines order by id")
	if err != nil {
		return fmt.Errorf("reading planvet_history.lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := f([]byte(text)); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *tableLines) add(ctx context.Context, texts [][]byte) error {
	return pgx.BeginFunc(ctx, t.s.Conn(), func(tx pgx.Tx) error {
		for _, text := range texts {
			if _, err := tx.Exec(ctx, "insert into planvet_history.lines (line) values ($1::text::jsonb)", string(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tableLines) close(ctx context.Context) error { return t.s.Close(ctx) }
