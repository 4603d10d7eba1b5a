// Package jobs is the work that no user asks for: it runs as the owner of the
// tables, past row level security, for all casinos.
package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Reading is what the device under a table's layout sends.
type Reading struct {
	Serial          string `json:"serial"`
	AverageBetCents int64  `json:"average_bet_cents"`
}

// SlipsOfDevice returns the slips that a device was ever paired with.
func SlipsOfDevice(ctx context.Context, pool *pgxpool.Pool, serial string) ([]string, error) {
	rows, err := pool.Query(ctx, `select id from rating_slips where device_serial = $1`, serial)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Record stores a reading of a slip, again when another transaction got in the way.
func Record(ctx context.Context, pool *pgxpool.Pool, slipID string, reading Reading) error {
	for attempt := 1; ; attempt++ {
		_, err := pool.Exec(ctx, `
			update rating_slips set average_bet_cents = $2, updated_at = now()
			where id = $1`, slipID, reading.AverageBetCents)
		var pg *pgconn.PgError
		if err == nil || attempt == 5 || !errors.As(err, &pg) || pg.Code != "40001" {
			return err
		}
		time.Sleep(time.Duration(attempt) * 10 * time.Millisecond)
	}
}

// Visit is a line of the operations board.
type Visit struct {
	ID       string
	CasinoID string
	PlayerID string
	OpenedAt time.Time
}

// LatestVisits returns the newest visits of all houses.
func LatestVisits(ctx context.Context, pool *pgxpool.Pool) ([]Visit, error) {
	rows, err := pool.Query(ctx, `
		select id, casino_id, player_id, opened_at
		from visits
		order by opened_at desc
		limit 100`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Visit])
}

// LedgerLine is a line of the ledger as the warehouse takes it.
type LedgerLine struct {
	ID        int64
	CasinoID  string
	PlayerID  string
	Points    int
	CreatedAt time.Time
}

// ExportLedger hands the ledger, from after an entry on, to emit in pages.
func ExportLedger(ctx context.Context, pool *pgxpool.Pool, after int64, emit func([]LedgerLine) error) error {
	for {
		rows, err := pool.Query(ctx, `
			select id, casino_id, player_id, points, created_at
			from loyalty_ledger
			where id > $1
			order by id
			limit 1000`, after)
		if err != nil {
			return err
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[LedgerLine])
		if err != nil || len(page) == 0 {
			return err
		}
		if err := emit(page); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}
