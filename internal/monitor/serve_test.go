package monitor_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// expositionLine is a line of Prometheus text, as its documentation gives the format.
var expositionLine = regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? [0-9.e+-]+)$`)

func TestServe(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	run(t, conn, `select name, '"\ ' || 'x' from players where id = 7`)
	s := open(t, conn)
	o := options(t, s, "total", 50)
	ctx, cancel := context.WithCancel(t.Context())
	address, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- monitor.Serve(ctx, "127.0.0.1:0", func(ctx context.Context) []monitor.Target {
			reading, err := monitor.Read(ctx, s)
			if err != nil {
				t.Error(err)
				return nil
			}
			r := reading.Report(o)
			if r.Connections, err = monitor.ReadConnections(ctx, s); err != nil {
				t.Error(err)
			}
			return []monitor.Target{{Report: r}}
		}, func(a net.Addr) { address <- a })
	}()
	url := "http://" + (<-address).String() + "/metrics"
	get := func() (int, string) {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	code, text := get()
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, text)
	}
	seen := map[string]bool{}
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		if !expositionLine.MatchString(in.Text()) {
			t.Errorf("no line of the format: %s", in.Text())
		}
		name, _, _ := strings.Cut(in.Text(), "{")
		seen[name] = true
	}
	for _, want := range []string{"planvet_up 1", "planvet_statement_calls_total", "planvet_statement_info", "planvet_connections", "planvet_exec_seconds_total"} {
		if !seen[want] {
			t.Errorf("%s is not there", want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestServeWithoutAServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := make(chan net.Addr, 1)
	go monitor.Serve(ctx, "127.0.0.1:0", func(context.Context) []monitor.Target { return make([]monitor.Target, 1) }, func(a net.Addr) { address <- a })
	res, err := http.Get("http://" + (<-address).String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "planvet_up 0") {
		t.Errorf("status %d: %s", res.StatusCode, text)
	}
	if err := monitor.Serve(ctx, "nowhere:x", nil, nil); err == nil {
		t.Error("a bad address was taken")
	}
}
