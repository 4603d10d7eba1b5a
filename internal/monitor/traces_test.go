package monitor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
)

func TestReadTraces(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces [1]")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := monitor.ReadTraces(dir); err == nil || !strings.Contains(err.Error(), "QUERYTRACE_OUT") {
		t.Errorf("an empty folder: %v", err)
	}
	write("a.jsonl", `{"v":1,"kind":"run","package":"p","test":"T","sizes":[2,12]}
{"v":1,"kind":"statement","fingerprint":"aa","text":"select 1","file":"store/a.go","line":36,"func":"f","calls":[2,12],"rows":[2,12],"errors":[0,0],"growth":"per-item","slope":1}
{"v":1,"kind":"statement","fingerprint":"bb","file":"store/b.go","line":7}
`)
	write("b.jsonl", `{"v":1,"kind":"statement","fingerprint":"aa","file":"store/a.go","line":36}
{"v":1,"kind":"statement","fingerprint":"aa","file":"store/c.go","line":3}
`)
	got, err := monitor.ReadTraces(dir)
	if err != nil || len(got) != 2 || got["aa"] != "store/a.go:36 and 1 more" || got["bb"] != "store/b.go:7" {
		t.Errorf("got %v, %v", got, err)
	}
	write("c.jsonl", "{\"v\":2,\"kind\":\"statement\"}\n")
	if _, err := monitor.ReadTraces(dir); err == nil || !strings.Contains(err.Error(), "c.jsonl:1 is a record of version 2") {
		t.Errorf("got %v", err)
	}
	write("c.jsonl", "no\n")
	if _, err := monitor.ReadTraces(dir); err == nil || !strings.Contains(err.Error(), "c.jsonl:1 is no record") {
		t.Errorf("got %v", err)
	}
}
