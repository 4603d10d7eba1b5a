package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Note is what a host wrote about a player.
type Note struct {
	ID        string    `json:"id"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
}

// Notes returns the newest notes about a player that the caller's rank may read.
func Notes(ctx context.Context, tx pgx.Tx, playerID string) ([]Note, error) {
	rows, err := tx.Query(ctx, `
		select id, body, created_at
		from player_notes
		where player_id = $1
		order by created_at desc
		limit 50`, playerID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Note])
}

// AddNotes writes notes about a player in one round trip.
func AddNotes(ctx context.Context, tx pgx.Tx, playerID string, bodies []string) error {
	batch := &pgx.Batch{}
	for _, body := range bodies {
		batch.Queue(`
			insert into player_notes (casino_id, player_id, body)
			select casino_id, id, $2 from players where id = $1`, playerID, body)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Task is something that a host has promised.
type Task struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	DueAt time.Time `json:"due_at"`
}

// TasksDue returns the caller's tasks that are due before a time.
func TasksDue(ctx context.Context, tx pgx.Tx, before time.Time) ([]Task, error) {
	rows, err := tx.Query(ctx, `
		select id, title, due_at
		from host_tasks
		where due_at < $1
		order by due_at
		limit 50`, before)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Task])
}

// Event is one line of the audit log.
type Event struct {
	ID     int64     `json:"id"`
	Action string    `json:"action"`
	At     time.Time `json:"at"`
}

// Trail returns what happened to one thing, newest first.
func Trail(ctx context.Context, tx pgx.Tx, entityID string) ([]Event, error) {
	rows, err := tx.Query(ctx, `
		select id, action, at
		from audit_log
		where entity_id = $1
		order by at desc
		limit 50`, entityID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
}

// RemoveStaff deletes a member of staff; what they did stays, without their name.
func RemoveStaff(ctx context.Context, tx pgx.Tx, staffID string) error {
	tag, err := tx.Exec(ctx, `delete from staff where id = $1`, staffID)
	return oneRow(tag, err)
}
