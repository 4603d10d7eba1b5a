package migrationscan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/migrationscan"
)

// The document of every case's catalog follows the contract.
func TestDocumentFollowsContract(t *testing.T) {
	text, err := os.ReadFile("../internal/report/testdata/contract/schema.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range casetest.Glob(t, "testdata/*.txtar") {
		d, err := migrationscan.Discover(project(tc), migrationscan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Sets {
			res := migrationscan.Replay(s, migrationscan.ReplayOptions{})
			var missed []catalog.DocProblem
			for _, p := range res.NotApplied {
				missed = append(missed, catalog.DocProblem{Location: catalog.DocLocation{Path: p.Path, Line: p.Line, Column: p.Column}, Error: p.Error})
			}
			out, err := json.Marshal(res.Catalog.Document("migrations", missed))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s: %v", tc.Name, err)
			}
		}
	}
}
