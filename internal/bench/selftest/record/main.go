// Command record writes the traces that the gate is examined on: a service over a
// PostgreSQL twice, both the same, under each noise.
//
//	go run ./internal/bench/selftest/record -epochs 48 -o internal/bench/selftest/testdata
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/planvet/planvet/internal/bench/selftest"
)

func main() {
	if selftest.IsChild(os.Args[1:]) {
		os.Exit(selftest.Child(os.Args[1:]))
	}
	epochs := flag.Int("epochs", 48, "epochs of each trace, each with processes of its own")
	major := flag.Int("major", 0, "major version of PostgreSQL; 0 takes what is at hand")
	seed := flag.Uint64("seed", 1, "of the order of the arms and of the noise")
	dir := flag.String("o", ".", "folder for the traces")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, *dir, *epochs, *major, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, dir string, epochs, major int, seed uint64) (err error) {
	a, err := selftest.Open(ctx, major)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return selftest.Record(ctx, a, dir, epochs, seed, func(what string, done, total int) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%d of %d: %s", done, total, what)
	})
}
