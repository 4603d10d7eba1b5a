package monitor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
)

// tableLines keeps lines in a table of a team's database.
type tableLines struct {
	s     *live.Session
	table string
}

// tableOf is where the lines of a target are: a history is of one server.
func tableOf(target string) (string, error) {
	name := "lines"
	if target != "" {
		name += " " + target
	}
	if len(name) > 63 {
		return "", fmt.Errorf("the name %s is too long for a table of the history: give the server one of up to %d bytes in a file of targets", target, 63-len("lines "))
	}
	return "planvet_history." + pgx.Identifier{name}.Sanitize(), nil
}

func openTable(ctx context.Context, url, target string) (*tableLines, error) {
	table, err := tableOf(target)
	if err != nil {
		return nil, err
	}
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return nil, err
	}
	// Asked first, so that a role that may only write lines needs no right to make them.
	var there bool
	err = s.Conn().QueryRow(ctx, "select pg_catalog.to_regclass($1) is not null", table).Scan(&there)
	if err == nil && !there {
		_, err = s.Conn().PgConn().Exec(ctx, "create schema if not exists planvet_history; create table if not exists "+table+" (id bigint generated always as identity primary key, line jsonb not null)").ReadAll()
	}
	if err != nil {
		s.Close(ctx)
		return nil, fmt.Errorf("making table %s: %w", table, err)
	}
	return &tableLines{s, table}, nil
}

func (t *tableLines) each(ctx context.Context, f func([]byte) error) error {
	rows, err := t.s.Conn().Query(ctx, "select line::text from "+t.table+" order by id")
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.table, err)
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
			if _, err := tx.Exec(ctx, "insert into "+t.table+" (line) values ($1::text::jsonb)", string(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tableLines) close(ctx context.Context) error { return t.s.Close(ctx) }
