package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Redemption is a use of a campaign's code at a kiosk.
type Redemption struct {
	PlayerID   string
	ValueCents int64
	RedeemedAt time.Time
}

// CampaignReport returns the redemptions of a campaign.
func CampaignReport(ctx context.Context, pool *pgxpool.Pool, campaignID string) ([]Redemption, error) {
	rows, err := pool.Query(ctx, `
		select r.player_id, r.value_cents, r.redeemed_at
		from campaigns c
		join campaign_redemptions r on r.promo_code = c.code
		where c.id = $1`, campaignID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Redemption])
}

// RedemptionsSince returns what was redeemed at the kiosks from a time on.
func RedemptionsSince(ctx context.Context, pool *pgxpool.Pool, since time.Time) ([]Redemption, error) {
	rows, err := pool.Query(ctx, `
		select player_id, value_cents, redeemed_at
		from campaign_redemptions
		where redeemed_at >= $1`, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Redemption])
}

// Play is what a visit was worth.
type Play struct {
	SlipID          string
	BuyInCents      int64
	AverageBetCents int64
}

// VisitReport returns the play of a visit.
func VisitReport(ctx context.Context, pool *pgxpool.Pool, visitID string) ([]Play, error) {
	rows, err := pool.Query(ctx, `
		select s.id, s.buy_in_cents, s.average_bet_cents
		from visits v
		join rating_slips s on s.casino_id = v.casino_id and s.visit_id = v.id
		where v.id = $1`, visitID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Play])
}

// CloseShift writes the report of a shift, once.
func CloseShift(ctx context.Context, pool *pgxpool.Pool, shiftID string) error {
	_, err := pool.Exec(ctx, `
		insert into shift_reports (shift_id, slips, buy_in_cents)
		select h.id, count(s.id), coalesce(sum(s.buy_in_cents), 0)
		from shifts h
		left join gaming_tables t on t.casino_id = h.casino_id
		left join rating_slips s on s.casino_id = h.casino_id and s.table_id = t.id
			and s.opened_at >= h.starts_at and s.opened_at < h.ends_at
		where h.id = $1
		group by h.id
		on conflict (shift_id) do nothing`, shiftID)
	return err
}

// PlayerOfCard finds a player across houses, for a kiosk.
func PlayerOfCard(ctx context.Context, pool *pgxpool.Pool, casinoID, cardNumber string) (string, error) {
	var id string
	err := pool.QueryRow(ctx, `
		select id from players where casino_id = $1 and card_number = $2`, casinoID, cardNumber).Scan(&id)
	return id, err
}
