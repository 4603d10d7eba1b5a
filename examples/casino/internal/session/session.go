// Package session runs work as the user of a request, the way PostgREST does:
// a transaction with the role and the claims set for its length.
package session

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/casino/internal/token"
)

// As runs work in a transaction as the role authenticated with claims: row level
// security decides what it sees. The work of one request belongs in one call.
func As(ctx context.Context, pool *pgxpool.Pool, claims token.Claims, work func(pgx.Tx) error) error {
	text, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local role authenticated`); err != nil {
			return fmt.Errorf("taking the role of a request: %w", err)
		}
		if _, err := tx.Exec(ctx, `select set_config('request.jwt.claims', $1, true)`, string(text)); err != nil {
			return fmt.Errorf("setting the claims of a request: %w", err)
		}
		return work(tx)
	})
}
