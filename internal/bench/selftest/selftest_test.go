package selftest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
)

// TestMain lets the test binary be the examination's services and noises.
func TestMain(m *testing.M) {
	if IsChild(os.Args[1:]) {
		os.Exit(Child(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func arena(t *testing.T) *Arena {
	t.Helper()
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	major, _ := strconv.Atoi(os.Getenv("PLANVET_TEST_PG_MAJOR"))
	a, err := Open(t.Context(), major)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TestRecord records one epoch of each trace and reads it.
func TestRecord(t *testing.T) {
	a, dir := arena(t), t.TempDir()
	told := 0
	if err := record(t.Context(), a, dir, usual[:2], 1, 1, func(string, int, int) { told++ }); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != len(Noises)*2 || told != len(files) {
		t.Fatalf("%d files, progress was told %d times: %v", len(files), told, err)
	}
	for _, file := range files {
		h, epochs, err := trace.ReadFile(file)
		if err != nil || len(epochs) != 1 || len(epochs[0].Rounds) != ab.EpochRounds || h.Server == "" {
			t.Fatalf("%s: %+v, %d epochs, %v", file, h, len(epochs), err)
		}
		for _, r := range epochs[0].Rounds {
			if len(r.A.Samples) != 50 || len(r.B.Samples) != 50 || r.A.Bytes != r.B.Bytes || r.A.Bytes == 0 {
				t.Errorf("%s: a round of %d and %d samples, %d and %d bytes", file, len(r.A.Samples), len(r.B.Samples), r.A.Bytes, r.B.Bytes)
			}
		}
	}
}

// TestSlowdown: what is slower by a known factor is measured as slower by about it, where
// a query of some ms, beside which all else is small, does not wait for a processor.
func TestSlowdown(t *testing.T) {
	a := arena(t)
	var arms [2][]float64
	for range 3 {
		e, err := ab.Epoch(t.Context(), a.measured(works[1], Slowdown{Factor: 3}, nil), seeded(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range e.Rounds {
			arms[0], arms[1] = append(arms[0], r.A.Samples...), append(arms[1], r.B.Samples...)
		}
	}
	for i := range arms {
		slices.Sort(arms[i])
	}
	if ratio := gate.Quantile(arms[1], 0.1) / gate.Quantile(arms[0], 0.1); ratio < 1.5 || ratio > 6 {
		t.Errorf("three times as slow is measured as %.2f times", ratio)
	}
}
