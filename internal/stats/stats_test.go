package stats

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/catalog"
)

func sample() *File {
	r := 0.25
	return &File{
		Version: Version, Server: "15.18", Values: true, Settings: map[string]string{"work_mem": "4MB"},
		Tables: []Table{
			{Schema: "public", Name: "visits", Rows: 1e6, Pages: 9000, Visible: 8000, Columns: []Column{
				{Name: "state", Width: 5, Distinct: 3, Correlation: &r, Frequencies: []float64{0.5, 0.25}, Common: `{"a b",<c>}`},
				{Name: "id", Width: 8, Distinct: -1, Bounds: 101},
				{Name: "state", Inherited: true, Width: 5, Distinct: 3},
			}, Indexes: []Index{{Name: "visits_pkey", Rows: 1e6, Pages: 2700}}},
			{Schema: "app", Name: "empty", Rows: -1},
		},
		Hidden: []string{"public.secrets"},
	}
}

func TestFileRoundTrip(t *testing.T) {
	f := sample()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(b.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	f.Tables[0].Columns, f.Tables[0].Indexes = []Column{}, []Index{} // app.empty
	if d := cmp.Diff(f, got); d != "" {
		t.Error(d)
	}
	var again bytes.Buffer
	if err := got.Write(&again); err != nil || again.String() != b.String() {
		t.Errorf("written again it differs: %v", err)
	}
	if lines := strings.Count(b.String(), "\n"); lines < 12 {
		t.Errorf("%d lines: a column and an index have one each", lines)
	}
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"version\": 2}":                  "version 2",
		"{\n\"version\": 1,\n\"tabels\": []}": "tabels",
		"{\n\"version\": 1,\n oops}":          "line 3",
		"":                                    "not a statistics file",
	} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, wanted %q in it", text, err, want)
		}
	}
}

type fixed int64

func (n fixed) Rows(*catalog.Relation) (int64, string) { return int64(n), "default" }

func TestSizes(t *testing.T) {
	f := sample()
	f.Sort()
	s := f.Sizes(fixed(7))
	for _, c := range []struct {
		schema, name string
		rows         int64
		source       string
	}{{"public", "visits", 1e6, "statistics"}, {"app", "empty", 7, "default"}, {"app", "new", 7, "default"}} {
		rows, source := s.Rows(&catalog.Relation{Name: catalog.Name{Schema: c.schema, Name: c.name}})
		if rows != c.rows || source != c.source {
			t.Errorf("%s.%s: %d by %s", c.schema, c.name, rows, source)
		}
	}
}

// Invented values are distinct and ascending, and there are as many as the file
// says; a complete list of common values is left out.
func TestInvent(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, typ := range []string{"smallint", "integer", "bigint", "numeric", "text", "character varying(20)", "uuid", "timestamp with time zone"} {
		c := Column{Distinct: -1, Frequencies: []float64{0.1, 0.05}, Bounds: 101}
		c.Invent(typ, 20000, now)
		for name, got := range map[string]struct {
			array string
			n     int
		}{"common": {c.Common, 2}, "histogram": {c.Histogram, 101}} {
			values := strings.Split(strings.Trim(got.array, "{}"), ",")
			seen := map[string]bool{}
			for _, v := range values {
				seen[v] = true
			}
			if len(values) != got.n || len(seen) != got.n {
				t.Errorf("%s: %s: %d values, %d distinct, wanted %d: %s", typ, name, len(values), len(seen), got.n, got.array)
			}
		}
	}
	complete := Column{Distinct: 2, Frequencies: []float64{0.6, 0.4}}
	complete.Invent("text", 1000, now)
	odd := Column{Distinct: -1, Bounds: 101}
	odd.Invent("point", 1000, now)
	if complete.Common != "" || odd.Histogram != "" {
		t.Errorf("invented %q and %q", complete.Common, odd.Histogram)
	}
}
