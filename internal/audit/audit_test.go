package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func written(t *testing.T, n int) (path string, text []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.jsonl")
	for range n { // a log that is opened anew goes on where it ended
		l, err := Open(path, Event{ID: "pr-123", Command: "explain", Actor: "ci"})
		if err != nil {
			t.Fatal(err)
		}
		value := 1.5
		if err := l.Append(Event{Kind: "finding", Subject: "orders", Metric: "execution_ms", Value: &value}, Event{Kind: "step", Subject: "plan"}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, text
}

func TestVerify(t *testing.T) {
	_, text := written(t, 3)
	got, err := Verify(bytes.NewReader(text))
	if err != nil || got.Events != 6 || got.Head == "" {
		t.Fatalf("got %+v, %v; want 6 events", got, err)
	}
	if empty, err := Verify(strings.NewReader("")); err != nil || empty.Events != 0 {
		t.Errorf("an empty log: %+v, %v", empty, err)
	}
}

// TestFlippedByte flips each byte of a log in turn: none goes unseen but in the last
// line, of which the head tells.
func TestFlippedByte(t *testing.T) {
	_, text := written(t, 2)
	want, err := Verify(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		flipped := bytes.Clone(text)
		flipped[i] ^= 1
		got, err := Verify(bytes.NewReader(flipped))
		if err == nil && got == want {
			t.Errorf("byte %d (%q) was flipped and nothing noticed", i, text[i])
		}
		if err != nil && !errors.Is(err, ErrBroken) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestLinesTakenOutAndPutIn(t *testing.T) {
	_, text := written(t, 2)
	lines := bytes.SplitAfter(text, []byte("\n"))
	for name, changed := range map[string][][]byte{
		"first gone":  lines[1:],
		"middle gone": {lines[0], lines[2], lines[3]},
		"swapped":     {lines[0], lines[2], lines[1], lines[3]},
		"twice":       {lines[0], lines[1], lines[1], lines[2], lines[3]},
		"cut off":     {lines[0], lines[1][:20]},
		"no newline":  {lines[0], bytes.TrimSpace(lines[1])},
	} {
		if _, err := Verify(bytes.NewReader(bytes.Join(changed, nil))); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: got %v, want ErrBroken", name, err)
		}
	}
}

func TestOpenRefusesATornLog(t *testing.T) {
	path, text := written(t, 1)
	if err := os.WriteFile(path, text[:len(text)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Event{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if _, err := Open(filepath.Join(path, "no"), Event{}); err == nil {
		t.Error("a path below a file was opened")
	}
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l, err := Open(path, Event{ID: NewID()})
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				if err := l.Append(Event{Kind: "step", Subject: strings.Repeat("long ", 2000)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := Verify(f); err != nil || got.Events != 160 {
		t.Errorf("got %+v, %v; want 160 events in one chain", got, err)
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"pr-123", "owner/repo:42", NewID()} {
		if err := CheckID(id); err != nil {
			t.Error(err)
		}
	}
	for _, id := range []string{"", " pr", "a\nb", "über", strings.Repeat("x", 65), "-x", "a b"} {
		if CheckID(id) == nil {
			t.Errorf("%q was taken", id)
		}
	}
}
