package ab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/facts"
)

// FactsAt reads the facts of an arm's database.
func FactsAt(urls func(arm int) string) func(ctx context.Context, arm int) (*facts.Facts, error) {
	return func(ctx context.Context, arm int) (*facts.Facts, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		cfg, err := pgx.ParseConfig(urls(arm))
		if err != nil {
			// What the parser says may quote a password.
			return nil, errors.New("the database URL cannot be read: write postgres://user@host:port/database")
		}
		cfg.RuntimeParams["application_name"] = "planvet"
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("connecting to database %s at %s:%d as %s: %w", cfg.Database, cfg.Host, cfg.Port, cfg.User, cause(err))
		}
		defer conn.Close(context.WithoutCancel(ctx))
		return facts.Read(ctx, conn)
	}
}

// cause is an error without those that wrap it, which quote the connection's settings.
func cause(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}
