package engine

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// A config below a go.mod makes its folder the root; the Go code in it is read all the
// same. Code in no module is listed, never passed over in silence.
func TestGoAroundTheRoot(t *testing.T) {
	const code = "package sheds\n\nimport \"database/sql\"\n\nfunc Find(db *sql.DB, n int) (*sql.Rows, error) {\n\treturn db.Query(\"select id from sheds where doors = $1\", n)\n}\n"
	for name, c := range map[string]struct {
		module     string
		packages   int
		unresolved string
	}{
		"in a module": {"go.mod", 1, ""},
		"in none":     {"", 0, "no module"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{
				"services/sheds/planvet.yaml": "version: 1\n", "services/sheds/sheds.go": code,
				"services/sheds/migrations/1_init.sql": "create table sheds (id bigint primary key, doors int);",
			}
			if c.module != "" {
				files[c.module] = "module example.com/farm\n\ngo 1.25\n"
			}
			casetest.WriteFiles(t, dir, files)
			p, err := Open(Options{Dir: filepath.Join(dir, "services", "sheds")})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			listed := ""
			for _, u := range p.Unresolved {
				listed += u.Location.Path + ": " + u.Text + "\n"
			}
			if p.GoPackages != c.packages || len(p.Statements) != c.packages || (listed == "") != (c.unresolved == "") || !strings.Contains(listed, c.unresolved) {
				t.Errorf("%d packages, %d statements, listed: %s", p.GoPackages, len(p.Statements), listed)
			}
		})
	}
}

// Code with cgo is read without a compiler of C: what C gives is unknown, the rest is
// typed.
func TestCgoNeedsNoCompiler(t *testing.T) {
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("CC", filepath.Join(t.TempDir(), "none"))
	p := loaded(t, `
-- go.mod --
module example.com/farm

go 1.25
-- migrations/1_init.sql --
create table sheds (id bigint primary key, doors int);
-- weather/weather.go --
package weather

// double wind(void) { return 1; }
import "C"

func Wind() float64 { return float64(C.wind()) }
-- sheds.go --
package farm

import (
	"database/sql"

	"example.com/farm/weather"
)

type store struct{ *sql.DB }

func Open(db store) (*sql.Rows, error) {
	return db.Query("select id from sheds where doors > $1", weather.Wind())
}
`)
	if p.GoPackages != 2 || len(p.Statements) != 1 || len(p.Unresolved) != 0 {
		t.Errorf("%d packages, %d statements, unresolved: %v", p.GoPackages, len(p.Statements), p.Unresolved)
	}
}

// Packages that import each other do not compile; what they say is read all the same,
// and nothing waits for ever.
func TestImportsInACircle(t *testing.T) {
	p := loaded(t, `
-- go.mod --
module example.com/farm

go 1.25
-- migrations/1_init.sql --
create table sheds (id bigint primary key, doors int);
-- barns/barns.go --
package barns

import "example.com/farm/fields"

const Query = "select id from sheds where doors = $1"

var _ = fields.Name
-- fields/fields.go --
package fields

import (
	"database/sql"

	"example.com/farm/barns"
)

const Name = "fields"

func Find(db *sql.DB, n int) (*sql.Rows, error) { return db.Query("select doors from sheds where id = $1", len(barns.Query)) }
`)
	if len(p.Statements) != 1 {
		t.Errorf("%d packages, %d statements, unresolved: %v", p.GoPackages, len(p.Statements), p.Unresolved)
	}
}
