package shadow

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A filled server is kept and comes back as a copy; one that lost a file, or does not
// start, is made anew.
func TestTemplate(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	major, _ := strconv.Atoi(os.Getenv("PLANVET_TEST_PG_MAJOR"))
	made := 0
	template := &Template{Key: fmt.Sprint("test ", time.Now().UnixNano()), Make: func(ctx context.Context, s *Server) ([]byte, error) {
		made++
		url, err := s.NewDatabase(ctx, "kept")
		if err != nil {
			return nil, err
		}
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "create table t as select generate_series(1, 1000) as n")
		return []byte("a note"), err
	}}
	kept := ""
	start := func() {
		t.Helper()
		s, err := Start(t.Context(), Options{Major: major, Template: template})
		if err != nil {
			t.Skipf("this test needs a PostgreSQL: %v", err)
		}
		defer s.Stop()
		kept = template.path(s.bin)
		conn, err := pgx.Connect(t.Context(), s.URL("kept"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		n := 0
		if err := conn.QueryRow(t.Context(), "select count(*) from t").Scan(&n); err != nil || n != 1000 || string(s.Note) != "a note" {
			t.Fatalf("%d rows, note %q: %v", n, s.Note, err)
		}
	}
	start()
	t.Cleanup(func() { os.RemoveAll(kept) })
	start()
	if made != 1 {
		t.Fatalf("made %d times: no copy was taken", made)
	}
	files, err := filepath.Glob(filepath.Join(kept, "d", "base", "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	if err := os.Remove(files[len(files)-1]); err != nil {
		t.Fatal(err)
	}
	start()
	if made != 2 {
		t.Errorf("made %d times: a copy without one of its files was taken", made)
	}
	control := filepath.Join(kept, "d", "global", "pg_control")
	st, err := os.Stat(control)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(control, make([]byte, st.Size()), 0o600); err != nil {
		t.Fatal(err)
	}
	start()
	start()
	if made != 3 {
		t.Errorf("made %d times: one that does not start should be made anew, once", made)
	}
}

// The templates that were not used for longest go first.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	for i := range mostTemplates + 3 {
		entry := filepath.Join(dir, fmt.Sprintf("t%02d", i))
		if err := os.Mkdir(entry, 0o700); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(manifest{Files: 1, Bytes: 1})
		file := filepath.Join(entry, "manifest.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(file, used, used); err != nil {
			t.Fatal(err)
		}
	}
	prune(dir)
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != mostTemplates || filepath.Base(left[0]) != "t00" || filepath.Base(left[len(left)-1]) != fmt.Sprintf("t%02d", mostTemplates-1) {
		t.Errorf("left: %v", left)
	}
}
