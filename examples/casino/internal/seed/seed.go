// Package seed fills a database with houses to try the program on.
package seed

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Size says how much to make.
type Size struct {
	Casinos int
	// Players is per casino; each pays ten visits with one slip each.
	Players int
}

// step is one statement of the seed: $1 is the number of casinos, $2 that of
// players a casino. Every row is computed from its number, so that two runs give
// the same rows. The server makes the rows: nothing is sent but the statements.
type step struct{ what, sql string }

var steps = []step{
	{"users", `
		insert into auth.users (id, email)
		select md5('user' || c)::uuid, 'host' || c || '@casino.example'
		from generate_series(1, $1::int) c, (select $2::int) unused
		on conflict do nothing`},
	{"casinos", `
		insert into casinos (id, code, name)
		select md5('casino' || c)::uuid, 'C' || c, 'Casino ' || c
		from generate_series(1, $1::int) c, (select $2::int) unused
		on conflict do nothing`},
	{"staff", `
		insert into staff (id, casino_id, user_id, display_name, rank)
		select md5('staff' || c)::uuid, md5('casino' || c)::uuid, md5('user' || c)::uuid, 'Host ' || c, 5
		from generate_series(1, $1::int) c, (select $2::int) unused
		on conflict do nothing`},
	{"gaming tables", `
		insert into gaming_tables (id, casino_id, game_type, pit, label, status)
		select md5('table' || c || '-' || t)::uuid, md5('casino' || c)::uuid, 'blackjack', 'P' || t / 5, 'BJ-' || t, 'open'
		from generate_series(1, $1::int) c, generate_series(1, 20) t, (select $2::int) unused
		on conflict do nothing`},
	{"players", `
		insert into players (id, casino_id, card_number, first_name, last_name, preferences)
		select md5('player' || c || '-' || p)::uuid, md5('casino' || c)::uuid, lpad(p::text, 8, '0'),
			'First' || p % 97, 'Last' || p % 1009, jsonb_build_object('drink', 'd' || p % 500)
		from generate_series(1, $1::int) c, generate_series(1, $2::int) p
		on conflict do nothing`},
	{"visits", `
		insert into visits (id, casino_id, player_id, opened_at, closed_at)
		select md5('visit' || c || '-' || p || '-' || v)::uuid, md5('casino' || c)::uuid, md5('player' || c || '-' || p)::uuid,
			timestamptz '2025-01-01' + make_interval(days => v, mins => p), timestamptz '2025-01-01' + make_interval(days => v, mins => p + 90)
		from generate_series(1, $1::int) c, generate_series(1, $2::int) p, generate_series(1, 10) v
		on conflict do nothing`},
	{"rating slips", `
		insert into rating_slips (id, casino_id, visit_id, table_id, seat, status, buy_in_cents, average_bet_cents,
			device_serial, opened_at, closed_at)
		select md5('slip' || c || '-' || p || '-' || v)::uuid, md5('casino' || c)::uuid, md5('visit' || c || '-' || p || '-' || v)::uuid,
			md5('table' || c || '-' || 1 + p % 20)::uuid, 1 + p % 7, 'closed', 10000, 2500, 'D-' || c || '-' || p,
			timestamptz '2025-01-01' + make_interval(days => v, mins => p), timestamptz '2025-01-01' + make_interval(days => v, mins => p + 90)
		from generate_series(1, $1::int) c, generate_series(1, $2::int) p, generate_series(1, 10) v
		on conflict do nothing`},
	{"ledger", `
		insert into loyalty_ledger (casino_id, player_id, slip_id, points, reason, idempotency_key, created_at)
		select md5('casino' || c)::uuid, md5('player' || c || '-' || p)::uuid, md5('slip' || c || '-' || p || '-' || v)::uuid,
			25, 'rating slip', 'slip:' || c || '-' || p || '-' || v, timestamptz '2025-01-01' + make_interval(days => v, mins => p + 90)
		from generate_series(1, $1::int) c, generate_series(1, $2::int) p, generate_series(1, 10) v
		on conflict do nothing`},
	{"notes", `
		insert into player_notes (id, casino_id, player_id, min_rank, body)
		select md5('note' || c || '-' || p)::uuid, md5('casino' || c)::uuid, md5('player' || c || '-' || p)::uuid, 1 + p % 9, 'likes a quiet table'
		from generate_series(1, $1::int) c, generate_series(1, $2::int) p
		on conflict do nothing`},
}

// Fill makes the rows that are not there yet, in one transaction.
func Fill(ctx context.Context, conn *pgx.Conn, size Size) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, s := range steps {
			batch.Queue(s.sql, size.Casinos, size.Players)
		}
		results := tx.SendBatch(ctx, batch)
		defer results.Close()
		for _, s := range steps {
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("making %s: %w", s.what, err)
			}
		}
		return results.Close()
	})
}
