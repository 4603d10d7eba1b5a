package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/planvet/planvet/querytrace"

	"example.com/casino/internal/jobs"
	"example.com/casino/internal/pgtest"
	"example.com/casino/internal/seed"
	"example.com/casino/internal/store"
	"example.com/casino/internal/token"
)

var secret = []byte("the secret of the tests")

// tracer sees the statements of all tests here.
var tracer querytrace.Tracer

// house is one tenant of the seed and a token for it.
type house struct {
	casino, user, staff, token string
}

// floorOf starts the API over a seeded database of two houses.
func floorOf(t *testing.T) (*httptest.Server, *pgxpool.Pool, [2]house) {
	t.Helper()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer = &tracer
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	err = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		for range 2 { // the second run must add nothing
			if err := seed.Fill(ctx, c.Conn(), seed.Size{Casinos: 2, Players: 30}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(ctx, `select casino_id::text, user_id::text, id::text from staff order by display_name`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (house, error) {
		var h house
		err := row.Scan(&h.casino, &h.user, &h.staff)
		return h, err
	})
	if err != nil || len(found) != 2 {
		t.Fatalf("got %d houses, %v; want 2", len(found), err)
	}
	for i := range found {
		found[i].token, err = token.Sign(token.Claims{
			Subject: found[i].user, Role: "authenticated", Expires: time.Now().Add(time.Hour).Unix(),
			AppMetadata: token.AppMetadata{CasinoID: found[i].casino},
		}, secret)
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(New(pool, secret, slog.New(slog.NewTextHandler(io.Discard, nil))))
	t.Cleanup(server.Close)
	return server, pool, [2]house(found)
}

// call sends a request of h and decodes the answer into to; it fails on another
// status than want.
func call(t testing.TB, server *httptest.Server, h house, method, path string, in any, want int, to any) {
	t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, server.URL+path, &body)
	if err != nil {
		t.Fatal(err)
	}
	if h.token != "" {
		r.Header.Set("Authorization", "Bearer "+h.token)
	}
	r.Header.Set("X-Device-Key", string(secret))
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, answer.StatusCode, want, text)
	}
	if to != nil {
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

type fields map[string]any

func TestFlows(t *testing.T) {
	server, pool, houses := floorOf(t)
	ours, theirs := houses[0], houses[1]

	var players []store.Player
	call(t, server, ours, "GET", "/players?q=last7%20", nil, http.StatusOK, &players)
	if len(players) != 1 || players[0].LastName != "Last7" {
		t.Fatalf("search for last7: got %+v, want one player of the own house", players)
	}
	player := players[0]

	t.Run("player search, visit, ledger", func(t *testing.T) {
		var byCard store.Player
		call(t, server, ours, "GET", "/cards/"+player.CardNumber, nil, http.StatusOK, &byCard)
		if byCard != player {
			t.Fatalf("by card: got %+v, want %+v", byCard, player)
		}
		call(t, server, ours, "GET", "/players?preference=%7B%22drink%22:%22d7%22%7D", nil, http.StatusOK, &players)
		if len(players) != 1 || players[0] != player {
			t.Fatalf("by preference: got %+v, want %+v", players, player)
		}
		var first, again store.Visit
		call(t, server, ours, "POST", "/visits", fields{"player_id": player.ID}, http.StatusOK, &first)
		call(t, server, ours, "POST", "/visits", fields{"player_id": player.ID}, http.StatusOK, &again)
		if first.ID == "" || first.ID != again.ID || first.ClosedAt != nil {
			t.Fatalf("a second visit was opened: %+v, then %+v", first, again)
		}
		var visits []store.Visit
		call(t, server, ours, "GET", "/players/"+player.ID+"/visits", nil, http.StatusOK, &visits)
		if len(visits) != 11 || visits[0].ID != first.ID {
			t.Fatalf("got %d visits, want 11 with the new one first", len(visits))
		}
		var page ledgerPage
		call(t, server, ours, "GET", "/players/"+player.ID+"/ledger", nil, http.StatusOK, &page)
		if page.Balance != 250 || len(page.Entries) != 10 {
			t.Fatalf("got a balance of %d in %d entries, want 250 in 10", page.Balance, len(page.Entries))
		}
		before := page.Entries[7].CreatedAt.Format(time.RFC3339Nano)
		call(t, server, ours, "GET", "/players/"+player.ID+"/ledger?before="+before, nil, http.StatusOK, &page)
		if len(page.Entries) != 2 {
			t.Fatalf("got %d older entries, want 2", len(page.Entries))
		}
	})

	var tables []store.Table
	call(t, server, ours, "GET", "/tables", nil, http.StatusOK, &tables)
	if len(tables) != 20 || tables[0].Dealer != nil {
		t.Fatalf("got %d tables, want 20 without dealers", len(tables))
	}

	t.Run("table assignment, slip, movement", func(t *testing.T) {
		for range 2 { // the second assignment ends the first
			call(t, server, ours, "POST", "/tables/"+tables[0].ID+"/dealer", fields{"staff_id": ours.staff}, http.StatusNoContent, nil)
		}
		call(t, server, ours, "GET", "/tables", nil, http.StatusOK, &tables)
		if tables[0].Dealer == nil || *tables[0].Dealer != "Host 1" {
			t.Fatalf("the dealer is %v, want Host 1", tables[0].Dealer)
		}
		var visit store.Visit
		call(t, server, ours, "POST", "/visits", fields{"player_id": player.ID}, http.StatusOK, &visit)
		var slip store.Slip
		open := fields{"visit_id": visit.ID, "table_id": tables[0].ID, "seat": 3, "buy_in_cents": 50000}
		call(t, server, ours, "POST", "/slips", open, http.StatusOK, &slip)
		call(t, server, ours, "POST", "/slips", open, http.StatusConflict, nil)
		call(t, server, ours, "PATCH", "/slips/"+slip.ID, fields{"buy_in_cents": 60000, "average_bet_cents": 5000}, http.StatusNoContent, nil)
		call(t, server, ours, "POST", "/slips/"+slip.ID+"/move", fields{"table_id": tables[1].ID, "seat": 5}, http.StatusNoContent, nil)

		var seated []store.Seated
		call(t, server, ours, "GET", "/tables/"+tables[1].ID+"/players", nil, http.StatusOK, &seated)
		if len(seated) != 1 || seated[0].SlipID != slip.ID || seated[0].Seat != 5 || seated[0].LastName != "Last7" {
			t.Fatalf("at the second table: got %+v, want the moved player at seat 5", seated)
		}
		call(t, server, ours, "GET", "/tables/"+tables[0].ID+"/players", nil, http.StatusOK, &seated)
		if len(seated) != 0 {
			t.Fatalf("at the first table: got %+v, want nobody", seated)
		}

		var earned pointsEarned
		call(t, server, ours, "POST", "/slips/"+slip.ID+"/close", fields{"average_bet_cents": 7500}, http.StatusOK, &earned)
		if earned.Points != 75 {
			t.Fatalf("got %d points, want 75", earned.Points)
		}
		call(t, server, ours, "POST", "/slips/"+slip.ID+"/close", fields{"average_bet_cents": 7500}, http.StatusNotFound, nil)
		var page ledgerPage
		call(t, server, ours, "GET", "/players/"+player.ID+"/ledger", nil, http.StatusOK, &page)
		if page.Balance != 325 {
			t.Fatalf("got a balance of %d, want 325", page.Balance)
		}
		var slips []store.Slip
		call(t, server, ours, "GET", "/slips?visits="+visit.ID, nil, http.StatusOK, &slips)
		if len(slips) != 1 || slips[0].AverageBetCents != 7500 {
			t.Fatalf("slips of the visit: got %+v", slips)
		}
	})

	t.Run("notes by rank", func(t *testing.T) {
		bodies := []string{"prefers seat 1", "asks for the pit manager", "left early"}
		call(t, server, ours, "POST", "/players/"+player.ID+"/notes", fields{"bodies": bodies}, http.StatusNoContent, nil)
		var notes []store.Note
		call(t, server, ours, "GET", "/players/"+player.ID+"/notes", nil, http.StatusOK, &notes)
		// The note of the seed asks for rank 8; the host has 5.
		if len(notes) != len(bodies) {
			t.Fatalf("got %d notes, want %d", len(notes), len(bodies))
		}
	})

	t.Run("another house sees nothing", func(t *testing.T) {
		call(t, server, theirs, "POST", "/visits", fields{"player_id": player.ID}, http.StatusNotFound, nil)
		call(t, server, theirs, "POST", "/tables/"+tables[0].ID+"/dealer", fields{"staff_id": theirs.staff}, http.StatusNotFound, nil)
		var page ledgerPage
		call(t, server, theirs, "GET", "/players/"+player.ID+"/ledger", nil, http.StatusOK, &page)
		if page.Balance != 0 || len(page.Entries) != 0 {
			t.Fatalf("another house read the ledger: %+v", page)
		}
	})

	t.Run("nobody without a token", func(t *testing.T) {
		call(t, server, house{}, "GET", "/tables", nil, http.StatusUnauthorized, nil)
		call(t, server, house{token: ours.token + "x"}, "GET", "/tables", nil, http.StatusUnauthorized, nil)
	})

	t.Run("devices", func(t *testing.T) {
		call(t, server, house{}, "POST", "/hooks/readings", jobs.Reading{Serial: "D-1-3", AverageBetCents: 4200}, http.StatusNoContent, nil)
		call(t, server, house{}, "POST", "/hooks/readings", jobs.Reading{Serial: "D-9-9", AverageBetCents: 4200}, http.StatusNotFound, nil)
		var read int
		if err := pool.QueryRow(context.Background(), `select count(*) from rating_slips where average_bet_cents = 4200`).Scan(&read); err != nil || read != 1 {
			t.Fatalf("%d slips have the reading, %v; want 1", read, err)
		}
	})

	t.Run("jobs", func(t *testing.T) { runJobs(t, pool, ours, player) })

	t.Run("staff leaves", func(t *testing.T) {
		call(t, server, theirs, "DELETE", "/staff/"+ours.staff, nil, http.StatusNotFound, nil)
		call(t, server, ours, "DELETE", "/staff/"+ours.staff, nil, http.StatusNoContent, nil)
	})
}

func runJobs(t *testing.T, pool *pgxpool.Pool, ours house, player store.Player) {
	ctx := context.Background()
	exported := 0
	err := jobs.ExportLedger(ctx, pool, 0, func(page []jobs.LedgerLine) error {
		exported += len(page)
		return nil
	})
	if err != nil || exported != 601 {
		t.Fatalf("exported %d entries, %v; want those of the seed and one more: 601", exported, err)
	}
	latest, err := jobs.LatestVisits(ctx, pool)
	if err != nil || len(latest) != 100 || latest[0].PlayerID != player.ID {
		t.Fatalf("got %d latest visits, %v; want 100 with the open one first", len(latest), err)
	}
	id, err := jobs.PlayerOfCard(ctx, pool, ours.casino, player.CardNumber)
	if err != nil || id != player.ID {
		t.Fatalf("card: got %s, %v; want %s", id, err, player.ID)
	}
	play, err := jobs.VisitReport(ctx, pool, latest[0].ID)
	if err != nil || len(play) != 1 || play[0].BuyInCents != 60000 {
		t.Fatalf("visit report: got %+v, %v", play, err)
	}

	var campaign, shift string
	err = pool.QueryRow(ctx, `
		with c as (
			insert into campaigns (casino_id, code, name, starts_on, ends_on)
			values ($1, 'SPRING', 'Spring', '2025-03-01', '2025-05-31') returning id
		), r as (
			insert into campaign_redemptions (casino_id, player_id, promo_code, value_cents)
			values ($1, $2, 'SPRING', 2500), ($1, $2, 'OLD', 100)
		), s as (
			insert into shifts (casino_id, starts_at, ends_at)
			values ($1, now() - interval '1 hour', now() + interval '1 hour') returning id
		)
		select c.id::text, s.id::text from c, s`, ours.casino, player.ID).Scan(&campaign, &shift)
	if err != nil {
		t.Fatal(err)
	}
	redeemed, err := jobs.CampaignReport(ctx, pool, campaign)
	if err != nil || len(redeemed) != 1 || redeemed[0].ValueCents != 2500 {
		t.Fatalf("campaign report: got %+v, %v", redeemed, err)
	}
	since, err := jobs.RedemptionsSince(ctx, pool, time.Now().Add(-time.Hour))
	if err != nil || len(since) != 2 {
		t.Fatalf("got %d redemptions of the last hour, %v; want 2", len(since), err)
	}
	var report string
	for range 2 { // closed once, however often it is asked for
		if err := jobs.CloseShift(ctx, pool, shift); err != nil {
			t.Fatal(err)
		}
	}
	err = pool.QueryRow(ctx, `select slips || ' slips, ' || buy_in_cents from shift_reports where shift_id = $1`, shift).Scan(&report)
	if want := fmt.Sprintf("1 slips, %d", 60000); err != nil || report != want {
		t.Fatalf("shift report: got %q, %v; want %q", report, err, want)
	}
}
