package nplusone_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/analyzers/program/programtest"
)

// TestCases compares the findings on each archive with its file want. ok_ cases want
// none, err_ cases at least one; limits_ cases keep known misses and false alarms.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := embedsql.Extract(programtest.Load(t, a, false), embedsql.Options{
				Root: programtest.Root, ReadFile: programtest.Files(a),
			})
			got := render(nplusone.Check(r, nplusone.Options{}))
			if strings.HasPrefix(name, "ok_") && got != "" {
				t.Errorf("a harmless case is reported:\n%s", got)
			}
			if strings.HasPrefix(name, "err_") && got == "" {
				t.Error("nothing is reported")
			}
			compare(t, file, a, got)
		})
	}
}

func compare(t *testing.T, file string, a *txtar.Archive, got string) {
	t.Helper()
	for i := range a.Files {
		if a.Files[i].Name != "want" {
			continue
		}
		if os.Getenv("UPDATE") != "" {
			a.Files[i].Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(a.Files[i].Data, []byte(got)) {
			t.Errorf("got\n%s\nwant\n%s", got, a.Files[i].Data)
		}
		return
	}
	if got != "" {
		t.Errorf("no file want; got\n%s", got)
	}
}
