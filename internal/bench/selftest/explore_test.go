package selftest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
)

func TestExplore(t *testing.T) {
	files, _ := filepath.Glob(os.Getenv("TR") + "/*.gz")
	for _, f := range files {
		if strings.Contains(f, "read-by") {
			continue
		}
		_, e, err := trace.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range Scenarios {
			if sc := os.Getenv("SC"); sc != "" && !strings.Contains(sc, s.Name) {
				continue
			}
			b := time.Now()
			y := resampled(e, s, 300)
			t.Logf("%-24.24s %-6s fail %5.1f pass %5.1f inc %5.1f rounds %.0f %v %v", filepath.Base(f), s.Name, 100*y.share(gate.Fail), 100*y.share(gate.Pass), 100*y.share(gate.Inconclusive), float64(y.Rounds)/300, y.Labels, time.Since(b).Round(time.Millisecond))
		}
	}
}
