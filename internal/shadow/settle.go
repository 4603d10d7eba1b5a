package shadow

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// rounds makes rows until the table has n: what a round lost is made up for, and a
// little more.
func (m *Maker) rounds(ctx context.Context, g *generator, n, base int64, have *int64) (problem string, err error) {
	const rounds = 4
	next := base + 1
	for round := 0; round < rounds; {
		missing := n - *have
		if missing <= n/20 {
			break
		}
		from, count := next, missing
		if g.sifted {
			count = missing * mostLost / 2
		}
		tag, err := m.conn.Exec(ctx, g.insert(from, from+count-1, missing, *have == 0))
		if lost(err) {
			return "", err
		}
		if !g.sifted && isViolation(err) && len(g.sieve.checks) > 0 {
			// What the few rows of a trial did not show.
			g.sifted = true
			continue
		}
		if err != nil {
			return "rows could not be made: " + oneLine(err), nil
		}
		*have += tag.RowsAffected()
		if tag.RowsAffected() == 0 {
			break
		}
		round++
		next = max(base+n*int64(round)+1, from+count)
	}
	return "", nil
}

// mostLost is how many rows may be made for each that a sieve leaves.
const mostLost = 4

// settle finds values that the table's constraints take, on few rows: those that
// they take all of, or a good part, the rest being left out.
func (m *Maker) settle(ctx context.Context, g *generator, base int64) (problem string, err error) {
	const sample, tries = 40, 80
	for range tries {
		g.sifted = false
		_, err = m.trial(ctx, g.insert(base+1, base+sample, sample, base == 0))
		if err == nil {
			return "", nil
		}
		if lost(err) {
			return "", err
		}
		if isViolation(err) && len(g.sieve.checks) > 0 {
			g.sifted = true
			rows, err := m.trial(ctx, g.insert(base+1, base+sample, sample, base == 0))
			if lost(err) {
				return "", err
			}
			if err == nil && rows*mostLost >= sample {
				return "", nil
			}
		}
		if !g.adapt(err) {
			break
		}
	}
	return "rows could not be made: " + oneLine(err), nil
}

func isViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == checkViolation
}

// trial runs a statement, undoes it and returns how many rows it wrote.
func (m *Maker) trial(ctx context.Context, sql string) (int64, error) {
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	tag, err := tx.Exec(ctx, sql)
	if e := tx.Rollback(ctx); e != nil {
		return 0, e
	}
	return tag.RowsAffected(), err
}
