package store

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
)

// Visit is one stay of a player in the house.
type Visit struct {
	ID       string     `json:"id"`
	PlayerID string     `json:"player_id"`
	OpenedAt time.Time  `json:"opened_at"`
	ClosedAt *time.Time `json:"closed_at"`
}

// OpenVisit returns the open visit of a player, a new one if there is none.
func OpenVisit(ctx context.Context, tx pgx.Tx, playerID string) (Visit, error) {
	rows, err := tx.Query(ctx, `
		insert into visits (casino_id, player_id)
		select casino_id, id from players where id = $1
		on conflict (casino_id, player_id) where closed_at is null
		do update set player_id = excluded.player_id
		returning id, player_id, opened_at, closed_at`, playerID)
	if err != nil {
		return Visit{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Visit])
}

// LastVisits returns the newest visits of a player.
func LastVisits(ctx context.Context, tx pgx.Tx, playerID string) ([]Visit, error) {
	rows, err := tx.Query(ctx, `
		select id, player_id, opened_at, closed_at
		from visits
		where player_id = $1
		order by opened_at desc
		limit 20`, playerID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Visit])
}

// Entry is one line of a player's ledger.
type Entry struct {
	ID        int64     `json:"id"`
	Points    int       `json:"points"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
}

// Ledger returns a page of a player's ledger, newest first, older than before.
func Ledger(ctx context.Context, tx pgx.Tx, playerID string, before time.Time) ([]Entry, error) {
	rows, err := tx.Query(ctx, `select id, points, reason, created_at from player_ledger($1, $2, 50)`, playerID, before)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}

//go:embed balance.sql
var balanceSQL string

// Balance returns the sum of a player's points.
func Balance(ctx context.Context, tx pgx.Tx, playerID string) (int64, error) {
	var points int64
	err := tx.QueryRow(ctx, balanceSQL, playerID).Scan(&points)
	return points, err
}
