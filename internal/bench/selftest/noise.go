package selftest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Noises are what else the machine does while a gate measures.
var Noises = []string{"idle", "cpu", "disk"}

// noise is the child that disturbs.
type noise struct {
	Kind string `json:"kind"`
	Dir  string `json:"dir"` // of its files
	Seed uint64 `json:"seed"`
}

// run disturbs until the context ends. Bursts and pauses are exponential, as those of a
// neighbour who does not know of us: half a second of each in the mean. A burst takes one
// core, or up to all of them, or the disk.
func (n *noise) run(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "ready")
	random := rand.New(rand.NewPCG(n.Seed, 5))
	for ctx.Err() == nil {
		until := time.Now().Add(time.Duration(random.ExpFloat64() * 0.5e9))
		for time.Now().Before(until) && ctx.Err() == nil {
			if n.Kind == "cpu" {
				var wait sync.WaitGroup
				for range 1 + random.IntN(runtime.NumCPU()) {
					wait.Go(func() { spin(until) })
				}
				wait.Wait()
			} else if err := n.write(random); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.ExpFloat64() * 0.5e9)):
		}
	}
	return nil
}

// write puts some MB on the disk and waits until they are there.
func (n *noise) write(random *rand.Rand) (err error) {
	f, err := os.Create(filepath.Join(n.Dir, "noise"))
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for range 1 + random.IntN(16) {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return f.Sync()
}
