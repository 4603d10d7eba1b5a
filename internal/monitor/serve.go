package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// leastAge is how old figures may be that are served again, so that many scrapers ask
// the server no more than one.
const leastAge = 2 * time.Second

// Serve answers /metrics at an address with what read gives, until ctx ends. Where no
// target could be read the answer is 503, and the next request tries anew. ready, where
// not nil, is told the address.
func Serve(ctx context.Context, address string, read func(context.Context) []Target, ready func(net.Addr)) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	s := &scraped{read: read}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.metrics)
	return ServeUntil(ctx, l, mux, ready)
}

// ServeUntil answers requests on a listener until ctx ends, which requests in hand have
// a second to notice. ready, where not nil, is told the address.
func ServeUntil(ctx context.Context, l net.Listener, h http.Handler, ready func(net.Addr)) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() {
		soon, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		srv.Shutdown(soon)
	})
	defer stop()
	if ready != nil {
		ready(l.Addr())
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type scraped struct {
	read func(context.Context) []Target
	mu   sync.Mutex // a session is one connection
	at   time.Time
	text []byte
}

func (s *scraped) metrics(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if s.text == nil || time.Since(s.at) > leastAge {
		targets := s.read(r.Context())
		var b bytes.Buffer
		Prometheus(&b, targets...) // to memory
		if !slices.ContainsFunc(targets, func(t Target) bool { return t.Report != nil }) {
			s.text = nil
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write(b.Bytes())
			return
		}
		s.text, s.at = b.Bytes(), time.Now()
	}
	w.Write(s.text)
}
