package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/planvet/planvet/querytrace"

	"example.com/casino/internal/store"
)

// seat leaves n players at a table, in seats 1 to n.
func seat(t testing.TB, pool *pgxpool.Pool, h house, table string, n int) {
	t.Helper()
	ctx := context.Background()
	if _, err := pool.Exec(ctx, `delete from rating_slips where casino_id = $1 and table_id = $2 and closed_at is null`, h.casino, table); err != nil {
		t.Fatal(err)
	}
	tag, err := pool.Exec(ctx, `
		insert into rating_slips (casino_id, visit_id, table_id, seat)
		select casino_id, id, $2, row_number() over ()
		from (select distinct on (player_id) casino_id, id from visits where casino_id = $1 order by player_id limit $3) v`, h.casino, table, n)
	if err != nil || tag.RowsAffected() != int64(n) {
		t.Fatalf("seating %d players: %d, %v", n, tag.RowsAffected(), err)
	}
}

// TestStatements holds requests to a number of statements that does not depend on how
// many players or notes they are about.
func TestStatements(t *testing.T) {
	server, pool, houses := floorOf(t)
	h := houses[0]
	var tables []store.Table
	call(t, server, h, "GET", "/tables", nil, http.StatusOK, &tables)
	var player string
	if err := pool.QueryRow(t.Context(), `select id::text from players where casino_id = $1 limit 1`, h.casino).Scan(&player); err != nil {
		t.Fatal(err)
	}

	t.Run("floor", func(t *testing.T) {
		querytrace.Slope(t, []int{2, 12}, func(t testing.TB, n int, rec *querytrace.Recorder) {
			seat(t, pool, h, tables[0].ID, n)
			rec.Watch(&tracer)
			call(t, server, h, "GET", "/tables", nil, http.StatusOK, &tables)
		})
	})

	t.Run("notes", func(t *testing.T) {
		querytrace.Slope(t, []int{2, 12}, func(t testing.TB, n int, rec *querytrace.Recorder) {
			bodies := make([]string, n)
			for i := range bodies {
				bodies[i] = fmt.Sprintf("note %d", i)
			}
			rec.Watch(&tracer)
			call(t, server, h, "POST", "/players/"+player+"/notes", fields{"bodies": bodies}, http.StatusNoContent, nil)
		})
	})

	// A table has 14 seats at most.
	seated := func(t testing.TB, n int, rec *querytrace.Recorder) {
		seat(t, pool, h, tables[0].ID, n)
		rec.Watch(&tracer)
		var players []store.Seated
		call(t, server, h, "GET", "/tables/"+tables[0].ID+"/players", nil, http.StatusOK, &players)
		if len(players) != n {
			t.Fatalf("got %d players, want %d", len(players), n)
		}
	}
	t.Run("players at a table", func(t *testing.T) {
		querytrace.Slope(t, []int{2, 12}, seated,
			querytrace.AllowCaller("store.PlayersAtTable", "planted: see faults.yaml"))
	})
	t.Run("players at a table, not allowed", func(t *testing.T) {
		told := &listener{TB: t}
		querytrace.Slope(told, []int{2, 12}, seated)
		for _, part := range []string{
			"1.00 statements an item: 2 at n=2, 12 at n=12",
			"select first_name, last_name from players where id = $1",
			"internal/store/tables.go:", "store.PlayersAtTable, by internal/api/routes.go:",
			"as many times as there are rows of", "from rating_slips s",
		} {
			if !strings.Contains(told.text, part) {
				t.Errorf("the planted loop is not told of: no %q in %q", part, told.text)
			}
		}
		t.Log(told.text)
	})
}

// listener is a test that hears of failures and does not fail.
type listener struct {
	testing.TB
	text string
}

func (l *listener) Error(args ...any) { l.text += fmt.Sprint(args...) }
