// Command versus holds planvet's load against other tools' own figures: transactions a
// second of pgbench, requests a second of vegeta, alternating, and prints medians and
// ratios.
//
//	go run ./internal/bench/versus [-runs 5] [-time 5s] [-clients 4]
//
// It needs pgbench on PATH or beside the server, and the module of tools/vegeta.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow"
)

func main() {
	runs := flag.Int("runs", 5, "runs of each tool")
	length := flag.Duration("time", 5*time.Second, "of each run")
	clients := flag.Int("clients", 4, "connections, and workers")
	answer := flag.String("answer", "", "serve an empty answer at this address, and do nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *answer != "" {
		err = http.ListenAndServe(*answer, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }))
	} else {
		err = (&versus{runs: *runs, length: *length, clients: *clients}).run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "versus:", err)
		os.Exit(1)
	}
}

type versus struct {
	runs, clients int
	length        time.Duration
}

// accounts are rows of pgbench's table at its scale of 10.
const scale, accounts = 10, 1_000_000

func (v *versus) run(ctx context.Context) error {
	overhead, err := load.Overhead(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s/%s, %d cores, load %s before; %d alternating runs of %s, %d clients; own overhead %.4f ms a request\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), loadAverage(), v.runs, v.length, v.clients, float64(overhead.Nanoseconds())/1e6)
	fmt.Println("| planvet | | other | | ratio | wanted |\n|---|--:|---|--:|--:|--:|")
	if err := v.database(ctx); err != nil {
		return err
	}
	return v.http(ctx)
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

// line measures two arms in turns, and prints a line of the table.
func (v *versus) line(ours, theirs string, wanted float64, unit string, a, b func() (float64, error)) error {
	var all [2][]float64
	for i := range v.runs {
		for k := range 2 {
			arm := (i + k) % 2
			figure, err := [2]func() (float64, error){a, b}[arm]()
			if err != nil {
				return err
			}
			all[arm] = append(all[arm], figure)
		}
	}
	m := [2]float64{median(all[0]), median(all[1])}
	fmt.Printf("| %s | %s %s | %s | %s %s | %.2f | %.2f |\n", ours, report.Figure(m[0]), unit, theirs, report.Figure(m[1]), unit, m[0]/m[1], wanted)
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func (v *versus) database(ctx context.Context) error {
	s, err := shadow.Start(ctx, shadow.Options{})
	if err != nil {
		return err
	}
	defer s.Stop()
	address, err := s.NewDatabase(ctx, "versus")
	if err != nil {
		return err
	}
	pgbench := filepath.Join(s.Bin(), "pgbench")
	if _, err := os.Stat(pgbench); err != nil {
		if pgbench, err = exec.LookPath("pgbench"); err != nil {
			return err
		}
	}
	if out, err := exec.CommandContext(ctx, pgbench, "-i", "-q", "-s", strconv.Itoa(scale), address).CombinedOutput(); err != nil {
		return fmt.Errorf("pgbench -i: %w: %s", err, out)
	}
	ours := func() (float64, error) { return v.statements(ctx, address) }
	for _, c := range []struct {
		mode   string
		wanted float64
	}{{"extended", 0.9}, {"prepared", 0.75}} {
		theirs := func() (float64, error) { return v.pgbench(ctx, pgbench, address, c.mode) }
		if err := v.line("db, prepared", "pgbench -S -M "+c.mode, c.wanted, "tps", ours, theirs); err != nil {
			return err
		}
	}
	return nil
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

func (v *versus) pgbench(ctx context.Context, pgbench, address, mode string) (float64, error) {
	n := strconv.Itoa(v.clients)
	out, err := exec.CommandContext(ctx, pgbench, "-n", "-S", "-M", mode, "-c", n, "-j", strconv.Itoa(min(v.clients, runtime.NumCPU())), "-T", strconv.Itoa(max(1, int(v.length.Seconds()))), address).CombinedOutput()
	m := tps.FindSubmatch(out)
	if err != nil || m == nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// statements is what pgbench -S does: a row of a random account, and no transaction around
// the statement.
func (v *versus) statements(ctx context.Context, address string) (float64, error) {
	c := &suite.Statement{
		Case: suite.Case{Name: "select only", Load: suite.Load{Clients: v.clients, Warmup: 6, Duration: v.length, Timeout: 10 * time.Second}},
		SQL:  "SELECT abalance FROM pgbench_accounts WHERE aid = $1", Protocol: "prepared", Transaction: "none",
	}
	aid := "{{aid}}"
	c.Params = []*string{&aid}
	for range 20_000 {
		c.Data = append(c.Data, map[string]string{"aid": strconv.Itoa(1 + rand.IntN(accounts))})
	}
	open, err := load.Statements(&suite.DB{URL: address}, c, "versus")
	if err != nil {
		return 0, err
	}
	return measured(ctx, &load.Run{Load: c.Load, Closed: true, Open: open, Ahead: true})
}

func measured(ctx context.Context, r *load.Run) (float64, error) {
	s, err := r.Measure(ctx)
	if err != nil {
		return 0, err
	}
	if why := s.Invalid(); why != "" || s.Partial {
		return 0, fmt.Errorf("no measurement: %s", why)
	}
	return s.Throughput().Value, nil
}

func (v *versus) http(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.CommandContext(ctx, self, "-answer", address)
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	place := (&url.URL{Scheme: "http", Host: address, Path: "/"}).String()
	vegeta, err := exec.CommandContext(ctx, "go", "tool", "-modfile=tools/vegeta/go.mod", "-n", "vegeta").Output()
	if err != nil {
		return fmt.Errorf("building vegeta: %w", err)
	}
	return v.line("api", "vegeta", 0.9, "rps", func() (float64, error) { return v.requests(ctx, place) }, func() (float64, error) { return v.vegeta(ctx, strings.TrimSpace(string(vegeta)), place) })
}

func (v *versus) requests(ctx context.Context, place string) (float64, error) {
	c := &suite.Request{Method: "GET", Path: "/", Case: suite.Case{Name: "empty", Load: suite.Load{Clients: v.clients, Warmup: 5, Duration: v.length, Timeout: 10 * time.Second}}}
	open, free, err := load.Requests(&suite.API{BaseURL: place}, c, "versus")
	if err != nil {
		return 0, err
	}
	defer free()
	return measured(ctx, &load.Run{Load: c.Load, Closed: true, Open: open})
}

// vegeta sends as fast as so many workers can, on connections that are kept.
func (v *versus) vegeta(ctx context.Context, vegeta, place string) (float64, error) {
	n := strconv.Itoa(v.clients)
	attack := exec.CommandContext(ctx, vegeta, "attack", "-rate", "0", "-workers", n, "-max-workers", n, "-connections", n, "-keepalive", "-duration", v.length.String())
	attack.Stdin = strings.NewReader("GET " + place + "\n")
	rep := exec.CommandContext(ctx, vegeta, "report", "-type", "json")
	pipe, err := attack.StdoutPipe()
	if err != nil {
		return 0, err
	}
	rep.Stdin = pipe
	if err := attack.Start(); err != nil {
		return 0, err
	}
	out, err := rep.Output()
	if err = errors.Join(err, attack.Wait()); err != nil {
		return 0, fmt.Errorf("vegeta: %w", err)
	}
	var r struct {
		Throughput float64 `json:"throughput"`
	}
	return r.Throughput, json.Unmarshal(out, &r)
}
