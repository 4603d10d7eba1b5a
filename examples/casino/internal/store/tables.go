package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Seated is a player at a table.
type Seated struct {
	SlipID    string `json:"slip_id"`
	PlayerID  string `json:"player_id"`
	Seat      int    `json:"seat"`
	FirstName string `json:"first_name" db:"-"`
	LastName  string `json:"last_name" db:"-"`
}

// PlayersAtTable returns who sits where at a table now.
func PlayersAtTable(ctx context.Context, tx pgx.Tx, tableID string) ([]Seated, error) {
	rows, err := tx.Query(ctx, `
		select s.id as slip_id, v.player_id, s.seat
		from rating_slips s
		join visits v on v.casino_id = s.casino_id and v.id = s.visit_id
		where s.table_id = $1 and s.closed_at is null
		order by s.seat`, tableID)
	if err != nil {
		return nil, err
	}
	seated, err := pgx.CollectRows(rows, pgx.RowToStructByName[Seated])
	if err != nil {
		return nil, err
	}
	for i := range seated {
		err := tx.QueryRow(ctx, `select first_name, last_name from players where id = $1`, seated[i].PlayerID).
			Scan(&seated[i].FirstName, &seated[i].LastName)
		if err != nil {
			return nil, err
		}
	}
	return seated, nil
}

// Table is a gaming table and who deals at it.
type Table struct {
	ID     string  `json:"id"`
	Label  string  `json:"label"`
	Pit    string  `json:"pit"`
	Status string  `json:"status"`
	Dealer *string `json:"dealer" db:"-"`
}

// Floor returns the tables of the house with their dealers.
func Floor(ctx context.Context, tx pgx.Tx) ([]Table, error) {
	rows, err := tx.Query(ctx, `select id, label, pit, status::text from gaming_tables order by label`)
	if err != nil {
		return nil, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByName[Table])
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(tables))
	at := make(map[string]*Table, len(tables))
	for i := range tables {
		ids[i] = tables[i].ID
		at[tables[i].ID] = &tables[i]
	}
	rows, err = tx.Query(ctx, `
		select a.table_id, s.display_name
		from table_assignments a
		join staff s on s.id = a.staff_id
		where a.table_id = any($1) and a.ended_at is null`, ids)
	if err != nil {
		return nil, err
	}
	var id, dealer string
	_, err = pgx.ForEachRow(rows, []any{&id, &dealer}, func() error {
		name := dealer
		at[id].Dealer = &name
		return nil
	})
	return tables, err
}

// AssignDealer ends the assignment of a table and begins that of a member of staff.
func AssignDealer(ctx context.Context, tx pgx.Tx, tableID, staffID string) error {
	_, err := tx.Exec(ctx, `
		update table_assignments set ended_at = now()
		where table_id = $1 and ended_at is null`, tableID)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		insert into table_assignments (casino_id, table_id, staff_id)
		select casino_id, id, $2 from gaming_tables where id = $1`, tableID, staffID)
	return oneRow(tag, err)
}

// MovePlayer moves an open slip to a seat at another table and keeps the trace.
func MovePlayer(ctx context.Context, tx pgx.Tx, slipID, toTableID string, seat int) error {
	tag, err := tx.Exec(ctx, `
		insert into player_moves (casino_id, slip_id, from_table_id, to_table_id)
		select casino_id, id, table_id, $2 from rating_slips where id = $1 and closed_at is null`, slipID, toTableID)
	if err := oneRow(tag, err); err != nil {
		return err
	}
	tag, err = tx.Exec(ctx, `
		update rating_slips set table_id = $2, seat = $3, updated_at = now()
		where id = $1`, slipID, toTableID, seat)
	return oneRow(tag, err)
}

// ErrNotFound is returned where a row is not there, or not the caller's.
var ErrNotFound = errors.New("not found")

func oneRow(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return err
}
