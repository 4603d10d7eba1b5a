package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/planvet/planvet/internal/bench/trace"
)

// TestRecord records a short run and reads it.
func TestRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	major, _ := strconv.Atoi(os.Getenv("PLANVET_TEST_PG_MAJOR"))
	file := filepath.Join(t.TempDir(), "trace.jsonl")
	if err := record(context.Background(), 3, 2, 5, major, 1, file); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	h, run, err := trace.Read(in)
	if err != nil || len(run) != 3 || h.Server == "" {
		t.Fatalf("%+v, %d epochs, %v", h, len(run), err)
	}
	for i, e := range run {
		if len(e.Rounds) != 2 {
			t.Errorf("epoch %d has %d rounds", i, len(e.Rounds))
		}
		for _, r := range e.Rounds {
			if len(r.A.Samples) != 10 || len(r.B.Samples) != 10 {
				t.Errorf("epoch %d has a round of %d and %d samples", i, len(r.A.Samples), len(r.B.Samples))
			}
		}
	}
}
