// Package store is what a request may do: every function takes a transaction of
// session.As, so that row level security has filtered by casino already.
package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Player is a player as the floor sees one.
type Player struct {
	ID         string `json:"id"`
	CardNumber string `json:"card_number"`
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
	Tier       string `json:"tier"`
}

// SearchPlayers finds players by a prefix of "last first", in that order.
func SearchPlayers(ctx context.Context, tx pgx.Tx, prefix string) ([]Player, error) {
	// LIKE is not leakproof and could not use the index under row level security;
	// the range says the same and can.
	from := strings.ToLower(prefix)
	rows, err := tx.Query(ctx, `
		select id, card_number, first_name, last_name, tier
		from players
		where search_name >= $1 and search_name < $2
		order by search_name
		limit 20`, from, from+"\U0010FFFF")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Player])
}

// PlayerByCard finds the player whose card was swiped.
func PlayerByCard(ctx context.Context, tx pgx.Tx, number string) (Player, error) {
	rows, err := tx.Query(ctx, `
		select id, card_number, first_name, last_name, tier
		from players
		where card_number = $1`, number)
	if err != nil {
		return Player{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Player])
}

// PlayersWithPreference finds players by what they like, e.g. {"smoking": false}.
func PlayersWithPreference(ctx context.Context, tx pgx.Tx, preference string) ([]Player, error) {
	rows, err := tx.Query(ctx, `
		select id, card_number, first_name, last_name, tier
		from players
		where preferences @> $1::jsonb`, preference)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Player])
}
