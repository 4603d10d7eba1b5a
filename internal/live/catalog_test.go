package live_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// Each testdata/catalog/*.sql has a twin .json: the relations, functions and types
// that LoadCatalog reads after it ran. UPDATE=1 rewrites them. What *_since_15.sql
// uses came with PostgreSQL 15.
func TestLoadCatalog(t *testing.T) {
	files, err := filepath.Glob("testdata/catalog/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			sql, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_since_15.sql") && shadowtest.Server(t).Major() < 15 {
				t.Skip("the server is older than 15")
			}
			conn := shadowtest.Connect(t, string(sql))
			cat, err := live.LoadCatalog(context.Background(), conn)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range cat.Relations() {
				if (r.Query == "") == (r.Kind == catalog.View) {
					t.Errorf("the query of %s is %q", r.Name, r.Query)
				}
				r.Query = "" // versions print views differently
			}
			got, err := json.MarshalIndent(struct {
				Relations []*catalog.Relation
				Functions []*catalog.Function
				Types     []*catalog.Type
			}{cat.Relations(), cat.AllFunctions(), cat.Types()}, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			casetest.Golden(t, file[:len(file)-4]+".json", string(got)+"\n")
		})
	}
}
