package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// leastAge is how old figures may be that are served again, so that many scrapers ask
// the server no more than one.
const leastAge = 2 * time.Second

// Serve answers /metrics at an address with what read gives, until ctx ends. Where a
// reading fails the answer is 503 with planvet_up 0, and the next request tries anew.
// ready, where not nil, is told the address.
func Serve(ctx context.Context, address string, read func(context.Context) (*Report, error), ready func(net.Addr)) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	s := &scraped{read: read}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.metrics)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
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
	read func(context.Context) (*Report, error)
	mu   sync.Mutex // a session is one connection
	at   time.Time
	text []byte
}

func (s *scraped) metrics(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if s.text == nil || time.Since(s.at) > leastAge {
		report, err := s.read(r.Context())
		if err != nil {
			s.text = nil
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "# HELP planvet_up Whether the server was read.\n# TYPE planvet_up gauge\nplanvet_up 0\n")
			return
		}
		var b bytes.Buffer
		b.WriteString("# HELP planvet_up Whether the server was read.\n# TYPE planvet_up gauge\nplanvet_up 1\n")
		Prometheus(&b, report) // to memory
		s.text, s.at = b.Bytes(), time.Now()
	}
	w.Write(s.text)
}
