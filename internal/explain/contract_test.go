package explain

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../report/testdata/contract/explain.schema.json"

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a report as its readers get it.
func asJSON(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func validateReport(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestContract(t *testing.T) {
	s := compiledSchema(t)
	for name, r := range samples() {
		if name == "hostile" { // its severities and kinds are no words of the contract
			r.Findings[0].Severity, r.Recommendations[0].Kind, r.Parameters[0].Source = Note, Index, "given"
			r.RLS.Remedies = nil
		}
		if err := validateReport(t, s, asJSON(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A program gets each text as it was; bytes that are no text are replaced.
func TestJSONKeepsTexts(t *testing.T) {
	var r Report
	if err := json.Unmarshal([]byte(asJSON(t, hostileSample())), &r); err != nil {
		t.Fatal(err)
	}
	want := strings.ToValidUTF8(hostileText, "\ufffd")
	if r.SQL != want || r.Plans[0].Root.Conditions[0].Text != want || r.Recommendations[0].SQL[0] != want {
		t.Errorf("got %q, want %q", r.SQL, want)
	}
}

// TestContractCatches shows that the schema refuses what it should.
func TestContractCatches(t *testing.T) {
	s := compiledSchema(t)
	text := asJSON(t, slowSample())
	for _, c := range [][2]string{
		{`"version": 1`, `"version": 2`}, {`"severity": "critical"`, `"severity": "grave"`}, {`"verified": "measured"`, `"verified": "sure"`},
		{`"self_blocks"`, `"selfblocks"`}, {`"id": 4`, `"id": 0`}, {`"findings": [`, `"finding": [`},
	} {
		if !strings.Contains(text, c[0]) {
			t.Fatalf("%s is not in the report", c[0])
		}
		if validateReport(t, s, strings.ReplaceAll(text, c[0], c[1])) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

// TestContractComplete holds the schema to the types: each field is there, and is
// required unless it may be absent.
func TestContractComplete(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]any
		Required   []string
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			o := schema.object
			if typ != reflect.TypeFor[Report]() {
				name := strings.ToLower(typ.Name())
				for def := range schema.Defs {
					if strings.ReplaceAll(def, "_", "") == name {
						o = schema.Defs[def]
					}
				}
			}
			required := map[string]bool{}
			for _, r := range o.Required {
				required[r] = true
			}
			for i := range typ.NumField() {
				name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				if _, ok := o.Properties[name]; !ok {
					t.Errorf("%s of %s is not in the schema", name, typ.Name())
				}
				if required[name] == strings.Contains(options, "omitempty") {
					t.Errorf("%s of %s: required is %v", name, typ.Name(), required[name])
				}
				walk(typ.Field(i).Type)
			}
		}
	}
	walk(reflect.TypeFor[Report]())
}
