// Package supabase holds the project's migrations, so that the program and its
// tests apply the same files that `supabase db push` does.
package supabase

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed platform.sql
var platform string

// Platform makes the roles and the auth schema that a Supabase server has, on a
// plain PostgreSQL.
func Platform(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, platform); err != nil {
		return fmt.Errorf("making the platform's objects: %w", err)
	}
	return nil
}

// Migrate applies the migrations, in the order of their names, that the database
// has not seen: all of them or none. It returns the names of those that it applied.
func Migrate(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	_, err := conn.Exec(ctx, `
		create schema if not exists app_meta;
		create table if not exists app_meta.migrations (name text primary key, at timestamptz not null default now())`)
	if err != nil {
		return nil, fmt.Errorf("preparing the list of migrations: %w", err)
	}
	rows, err := conn.Query(ctx, `select name from app_meta.migrations`)
	if err != nil {
		return nil, fmt.Errorf("reading the list of migrations: %w", err)
	}
	seen, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("reading the list of migrations: %w", err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	pending := slices.DeleteFunc(files, func(file string) bool { return slices.Contains(seen, file) })
	return pending, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, file := range pending {
			text, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, string(text)); err != nil {
				return fmt.Errorf("applying %s: %w", file, err)
			}
		}
		_, err := tx.Exec(ctx, `insert into app_meta.migrations (name) select unnest($1::text[])`, pending)
		return err
	})
}
