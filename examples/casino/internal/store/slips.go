package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Slip is a rating slip: a player's play at one seat.
type Slip struct {
	ID              string    `json:"id"`
	VisitID         string    `json:"visit_id"`
	TableID         string    `json:"table_id"`
	Seat            int       `json:"seat"`
	BuyInCents      int64     `json:"buy_in_cents"`
	AverageBetCents int64     `json:"average_bet_cents"`
	OpenedAt        time.Time `json:"opened_at"`
}

// OpenSlip seats the player of a visit.
func OpenSlip(ctx context.Context, tx pgx.Tx, visitID, tableID string, seat int, buyInCents int64) (Slip, error) {
	rows, err := tx.Query(ctx, `
		insert into rating_slips (casino_id, visit_id, table_id, seat, buy_in_cents)
		select casino_id, id, $2, $3, $4 from visits where id = $1 and closed_at is null
		returning id, visit_id, table_id, seat, buy_in_cents, average_bet_cents, opened_at`,
		visitID, tableID, seat, buyInCents)
	if err != nil {
		return Slip{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Slip])
}

// UpdateSlip records what the floor sees of a player's play.
func UpdateSlip(ctx context.Context, tx pgx.Tx, slipID string, buyInCents, averageBetCents int64) error {
	tag, err := tx.Exec(ctx, `
		update rating_slips
		set buy_in_cents = $2, average_bet_cents = $3, updated_at = now()
		where id = $1 and closed_at is null`, slipID, buyInCents, averageBetCents)
	return oneRow(tag, err)
}

// CloseSlip ends a slip and returns the points that it earned. The subject of the
// token is a user; the slip names the member of staff.
func CloseSlip(ctx context.Context, tx pgx.Tx, slipID string, averageBetCents int64, userID string) (int, error) {
	var points int
	err := tx.QueryRow(ctx, `
		select close_slip($1, $2, (select id from staff where user_id = $3))`,
		slipID, averageBetCents, userID).Scan(&points)
	return points, err
}

// SlipsOfVisits returns the slips of several visits, in one query.
func SlipsOfVisits(ctx context.Context, tx pgx.Tx, visitIDs []string) ([]Slip, error) {
	rows, err := tx.Query(ctx, `
		select id, visit_id, table_id, seat, buy_in_cents, average_bet_cents, opened_at
		from rating_slips
		where visit_id = any($1)
		order by opened_at`, visitIDs)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Slip])
}
