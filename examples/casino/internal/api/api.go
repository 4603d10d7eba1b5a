// Package api is the HTTP side: it reads a request, does one piece of work as
// its user, and writes JSON.
package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/casino/internal/session"
	"example.com/casino/internal/store"
	"example.com/casino/internal/token"
)

// Server serves the floor's API.
type Server struct {
	pool   *pgxpool.Pool
	secret []byte
	now    func() time.Time
	log    *slog.Logger
}

// New returns the handler of all routes. Tokens are checked against secret.
func New(pool *pgxpool.Pool, secret []byte, log *slog.Logger) http.Handler {
	s := &Server{pool: pool, secret: secret, now: time.Now, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /players", s.as(searchPlayers))
	mux.HandleFunc("GET /cards/{number}", s.as(playerByCard))
	mux.HandleFunc("GET /players/{id}/ledger", s.as(ledger))
	mux.HandleFunc("GET /players/{id}/visits", s.as(visits))
	mux.HandleFunc("GET /players/{id}/notes", s.as(notes))
	mux.HandleFunc("POST /players/{id}/notes", s.as(addNotes))
	mux.HandleFunc("POST /visits", s.as(openVisit))
	mux.HandleFunc("POST /slips", s.as(openSlip))
	mux.HandleFunc("GET /slips", s.as(slipsOfVisits))
	mux.HandleFunc("PATCH /slips/{id}", s.as(updateSlip))
	mux.HandleFunc("POST /slips/{id}/close", s.as(closeSlip))
	mux.HandleFunc("POST /slips/{id}/move", s.as(movePlayer))
	mux.HandleFunc("GET /tables", s.as(floor))
	mux.HandleFunc("GET /tables/{id}/players", s.as(playersAtTable))
	mux.HandleFunc("POST /tables/{id}/dealer", s.as(assignDealer))
	mux.HandleFunc("GET /tasks", s.as(tasks))
	mux.HandleFunc("GET /trail/{id}", s.as(trail))
	mux.HandleFunc("DELETE /staff/{id}", s.as(removeStaff))
	mux.HandleFunc("POST /hooks/readings", s.reading)
	return mux
}

// request is what a handler gets: the HTTP request, its user, and a transaction
// as that user.
type request struct {
	*http.Request
	tx     pgx.Tx
	claims token.Claims
	now    time.Time
}

// body decodes the JSON body into to.
func (r request) body(to any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return badRequest{err}
	}
	return nil
}

type badRequest struct{ error }

func (s *Server) as(work func(request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			http.Error(w, "a bearer token is needed", http.StatusUnauthorized)
			return
		}
		claims, err := token.Verify(bearer, s.secret, s.now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var answer any
		err = session.As(r.Context(), s.pool, claims, func(tx pgx.Tx) error {
			answer, err = work(request{Request: r, tx: tx, claims: claims, now: s.now()})
			return err
		})
		s.write(w, r, answer, err)
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, answer any, err error) {
	if err != nil {
		code := status(err)
		if code == http.StatusInternalServerError {
			s.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			http.Error(w, "internal error", code)
			return
		}
		http.Error(w, err.Error(), code)
		return
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.log.WarnContext(r.Context(), "answer not written", "path", r.URL.Path, "error", err)
	}
}

// status maps an error to what the client did wrong, or 500.
func status(err error) int {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, pgx.ErrNoRows) {
		return http.StatusNotFound
	}
	if _, ok := errors.AsType[badRequest](err); ok {
		return http.StatusBadRequest
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return http.StatusInternalServerError
	}
	switch pg.Code {
	case "P0002":
		return http.StatusNotFound
	case "22P02", "23514", "22003":
		return http.StatusBadRequest
	case "23505", "23503":
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
