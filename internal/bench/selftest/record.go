package selftest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
)

// Record measures a number of epochs of each work under each noise, both arms the same,
// and writes a trace of each to a folder: every difference in them is noise. Noises and
// works alternate from epoch to epoch. What is done so far is written every ten epochs.
func Record(ctx context.Context, a *Arena, dir string, epochs int, seed uint64, progress func(what string, done, total int)) error {
	return record(ctx, a, dir, usual, epochs, seed, progress)
}

func record(ctx context.Context, a *Arena, dir string, works []work, epochs int, seed uint64, progress func(what string, done, total int)) error {
	random := seeded(seed)
	runs := map[string][]gate.Epoch{}
	total, done := epochs*len(Noises)*len(works), 0
	before := loadAverage()
	for n := range epochs {
		for _, kind := range Noises {
			if err := a.Renew(ctx); err != nil {
				return err
			}
			if err := a.Disturb(ctx, kind, random.Uint64()); err != nil {
				return err
			}
			for _, w := range works {
				progress(kind+", "+w.name, done, total)
				e, err := ab.Epoch(ctx, a.measured(w, Slowdown{Factor: 1}, nil), random)
				if err == nil {
					err = tidy(e)
				}
				if err != nil {
					return errors.Join(fmt.Errorf("%s: %w", w.name, err), a.Quiet())
				}
				file := traceFile(kind, w)
				runs[file], done = append(runs[file], e), done+1
				if (n+1)%10 != 0 && n+1 != epochs {
					continue
				}
				h := trace.Header{Case: w.name, Server: a.server.Version(), Host: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), Note: "noise: " + kind}
				if before != "" {
					h.Note += "; load average at the start " + before + ", at the end " + loadAverage()
				}
				if err := trace.WriteFile(filepath.Join(dir, file), h, runs[file]); err != nil {
					return errors.Join(err, a.Quiet())
				}
			}
			if err := a.Quiet(); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidy rounds latencies to whole microseconds: the clock's own noise is more, and a trace
// stays small. It fails where an answer was an error.
func tidy(e gate.Epoch) error {
	for _, r := range e.Rounds {
		for _, arm := range []gate.Arm{r.A, r.B} {
			if arm.Errors > 0 {
				return fmt.Errorf("%d requests failed", arm.Errors)
			}
			for i, ms := range arm.Samples {
				arm.Samples[i] = max(math.Round(ms*1000), 1) / 1000
			}
		}
	}
	return nil
}

// traceFile is where a trace of a work under a noise is.
func traceFile(noise string, w work) string {
	return noise + "-" + strings.ReplaceAll(w.name, " ", "-") + ".jsonl.gz"
}

// loadAverage is that of the last minute, "" where it is not known.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
