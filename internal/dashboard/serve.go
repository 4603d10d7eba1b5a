package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// Address is where to listen: a port, or an address without a host, is of this machine
// only.
func Address(text string) string {
	if !strings.Contains(text, ":") {
		text = ":" + text
	}
	if strings.HasPrefix(text, ":") {
		text = "127.0.0.1" + text
	}
	return text
}

// Serve shows a dashboard at an address until ctx ends: the page at /, its figures at
// /dashboard.json. It is made anew every so often, whether anybody looks or not; where
// that fails the last one stays, with a note. A browser loads the page anew by itself.
// ready, where not nil, is told the address.
func Serve(ctx context.Context, address string, every time.Duration, build func(context.Context) (*Dashboard, error), ready func(net.Addr)) error {
	l, err := net.Listen("tcp", Address(address))
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &shown{every: every}
	if err := s.refresh(ctx, build); err != nil {
		cancel()
		l.Close()
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(every); ; {
			select {
			case <-tick.C:
				s.refresh(ctx, build)
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	// What build uses is not touched any more when this returns.
	defer func() { cancel(); <-done }()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /dashboard.json", s.figures)
	// Browsers ask for it by themselves.
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return monitor.ServeUntil(ctx, l, ownHost(l.Addr(), mux), ready)
}

// ownHost refuses requests for another host where only this machine is served: a page of
// a foreign site whose name leads here must not read the figures.
func ownHost(a net.Addr, next http.Handler) http.Handler {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this dashboard is for its own machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// shown is the last dashboard that could be made.
type shown struct {
	every time.Duration
	mu    sync.Mutex
	last  *Dashboard
	// stale is set while it cannot be made anew.
	stale string
}

// refresh makes it anew. The error is what hindered that.
func (s *shown) refresh(ctx context.Context, build func(context.Context) (*Dashboard, error)) error {
	d, err := build(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.last, s.stale = d, ""
	case s.last != nil:
		s.stale = fmt.Sprintf("these figures are of %s and could not be refreshed since: %s", utc(s.last.Made), report.Redact(strings.Join(strings.Fields(err.Error()), " ")))
	}
	return err
}

// get is what is shown now.
func (s *shown) get(w http.ResponseWriter) *Dashboard {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	s.mu.Lock()
	defer s.mu.Unlock()
	d := *s.last
	if s.stale != "" {
		d.Notes = slices.Concat([]string{s.stale}, d.Notes)
	}
	return &d
}

func (s *shown) page(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	d := s.get(w)
	if err := HTML(&b, d, s.every); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", fmt.Sprintf("%d", max(1, int(s.every.Seconds()))))
	w.Write(b.Bytes())
}

func (s *shown) figures(w http.ResponseWriter, _ *http.Request) {
	d := s.get(w)
	w.Header().Set("Content-Type", "application/json")
	JSON(w, d)
}
