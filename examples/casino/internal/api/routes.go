package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"example.com/casino/internal/jobs"
	"example.com/casino/internal/store"
)

func searchPlayers(r request) (any, error) {
	q := r.URL.Query()
	if preference := q.Get("preference"); preference != "" {
		return store.PlayersWithPreference(r.Context(), r.tx, preference)
	}
	if q.Get("q") == "" {
		return nil, badRequest{errors.New("q or preference is needed")}
	}
	return store.SearchPlayers(r.Context(), r.tx, q.Get("q"))
}

func playerByCard(r request) (any, error) {
	return store.PlayerByCard(r.Context(), r.tx, r.PathValue("number"))
}

// ledgerPage is what a host sees of a player's points.
type ledgerPage struct {
	Balance int64         `json:"balance"`
	Entries []store.Entry `json:"entries"`
}

func ledger(r request) (any, error) {
	before := r.now.Add(time.Minute)
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if before, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, badRequest{err}
		}
	}
	entries, err := store.Ledger(r.Context(), r.tx, r.PathValue("id"), before)
	if err != nil {
		return nil, err
	}
	balance, err := store.Balance(r.Context(), r.tx, r.PathValue("id"))
	return ledgerPage{Balance: balance, Entries: entries}, err
}

func visits(r request) (any, error) {
	return store.LastVisits(r.Context(), r.tx, r.PathValue("id"))
}

func notes(r request) (any, error) {
	return store.Notes(r.Context(), r.tx, r.PathValue("id"))
}

func addNotes(r request) (any, error) {
	var in struct {
		Bodies []string `json:"bodies"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return nil, store.AddNotes(r.Context(), r.tx, r.PathValue("id"), in.Bodies)
}

func openVisit(r request) (any, error) {
	var in struct {
		PlayerID string `json:"player_id"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return store.OpenVisit(r.Context(), r.tx, in.PlayerID)
}

func openSlip(r request) (any, error) {
	var in struct {
		VisitID    string `json:"visit_id"`
		TableID    string `json:"table_id"`
		Seat       int    `json:"seat"`
		BuyInCents int64  `json:"buy_in_cents"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return store.OpenSlip(r.Context(), r.tx, in.VisitID, in.TableID, in.Seat, in.BuyInCents)
}

func slipsOfVisits(r request) (any, error) {
	return store.SlipsOfVisits(r.Context(), r.tx, strings.Split(r.URL.Query().Get("visits"), ","))
}

func updateSlip(r request) (any, error) {
	var in struct {
		BuyInCents      int64 `json:"buy_in_cents"`
		AverageBetCents int64 `json:"average_bet_cents"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return nil, store.UpdateSlip(r.Context(), r.tx, r.PathValue("id"), in.BuyInCents, in.AverageBetCents)
}

// pointsEarned is the answer to the close of a slip.
type pointsEarned struct {
	Points int `json:"points"`
}

func closeSlip(r request) (any, error) {
	var in struct {
		AverageBetCents int64 `json:"average_bet_cents"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	points, err := store.CloseSlip(r.Context(), r.tx, r.PathValue("id"), in.AverageBetCents, r.claims.Subject)
	return pointsEarned{points}, err
}

func movePlayer(r request) (any, error) {
	var in struct {
		TableID string `json:"table_id"`
		Seat    int    `json:"seat"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return nil, store.MovePlayer(r.Context(), r.tx, r.PathValue("id"), in.TableID, in.Seat)
}

func floor(r request) (any, error) {
	return store.Floor(r.Context(), r.tx)
}

func playersAtTable(r request) (any, error) {
	return store.PlayersAtTable(r.Context(), r.tx, r.PathValue("id"))
}

func assignDealer(r request) (any, error) {
	var in struct {
		StaffID string `json:"staff_id"`
	}
	if err := r.body(&in); err != nil {
		return nil, err
	}
	return nil, store.AssignDealer(r.Context(), r.tx, r.PathValue("id"), in.StaffID)
}

func tasks(r request) (any, error) {
	return store.TasksDue(r.Context(), r.tx, r.now.AddDate(0, 0, 7))
}

func trail(r request) (any, error) {
	return store.Trail(r.Context(), r.tx, r.PathValue("id"))
}

func removeStaff(r request) (any, error) {
	return nil, store.RemoveStaff(r.Context(), r.tx, r.PathValue("id"))
}

// reading takes what a device sends. Devices have no user: they prove themselves
// with the secret, and the work is done past row level security.
func (s *Server) reading(w http.ResponseWriter, r *http.Request) {
	if !s.isDevice(r) {
		http.Error(w, "a device's key is needed", http.StatusUnauthorized)
		return
	}
	var in jobs.Reading
	if err := (request{Request: r}).body(&in); err != nil {
		s.write(w, r, nil, err)
		return
	}
	slips, err := jobs.SlipsOfDevice(r.Context(), s.pool, in.Serial)
	if err == nil && len(slips) == 0 {
		err = store.ErrNotFound
	}
	if err == nil {
		err = jobs.Record(r.Context(), s.pool, slips[0], in)
	}
	s.write(w, r, nil, err)
}
