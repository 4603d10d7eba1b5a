package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/strictyaml"
)

// TestSchemaKeys holds the keys of the reader's tables against the schema's.
func TestSchemaKeys(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(Schema, &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) []string {
		var v any = doc
		for _, p := range append(path, "properties") {
			if l, ok := v.([]any); ok {
				v = l[1]
			}
			v = v.(map[string]any)[p]
		}
		var keys []string
		for k := range v.(map[string]any) {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return keys
	}
	check := func(what string, got, schema []string) {
		slices.Sort(got)
		slices.Sort(schema)
		if !slices.Equal(got, schema) {
			t.Errorf("%s: reader has %v, schema has %v", what, got, schema)
		}
	}
	check("top", names(top), at())
	check("databases", names(databaseFields), at("properties", "databases", "additionalProperties"))
	check("tables", names(tableFields), at("properties", "tables", "additionalProperties"))
	check("confirm", names(confirmFields), at("properties", "confirm"))
	check("pooling", names(poolingFields), at("properties", "pooling", "anyOf"))
	rule := doc["properties"].(map[string]any)["rules"].(map[string]any)["additionalProperties"].(map[string]any)["anyOf"].([]any)[1]
	var keys []string
	for k := range rule.(map[string]any)["properties"].(map[string]any) {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	check("rules", names(ruleFields), keys)
	objects := rule.(map[string]any)["properties"].(map[string]any)["objects"].(map[string]any)["additionalProperties"]
	check("objects", names(objectFields), slices.Collect(maps.Keys(objects.(map[string]any)["properties"].(map[string]any))))
}

func names[T any](fs []strictyaml.Field[T]) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return out
}

// TestSchemaAgrees holds the schema's verdict on texts against the reader's.
func TestSchemaAgrees(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	comp := jsonschema.NewCompiler()
	if err := comp.AddResource("planvet.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := comp.Compile("planvet.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		full,
		"version: 1\n",
		"version: 2\n",
		"go: x\n",
		"version: 1\nunknown: 1\n",
		"version: 1\nrules: {a: fatal}\n",
		"version: 1\nrules: {a: off, b: error}\n",
		"version: 1\nrules: {a: {severity: info, enabled: true}}\n",
		"version: 1\nrules: {a: {sev: info}}\n",
		"version: 1\ntables: {t: {rows: -1}}\n",
		"version: 1\ndatabases: {app: {}}\n",
		"version: 1\npostgres: 12\n",
		"version: 1\ngo: {a: b}\n",
		"version: 1\nconfirm: {rows: x}\n",
		"version: 1\nfail_on: fatal\n",
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(js))
		if err != nil {
			t.Fatal(err)
		}
		_, mine := Parse("c.yaml", []byte(text))
		if theirs := schema.Validate(inst); (mine == nil) != (theirs == nil) {
			t.Errorf("%q: reader says %v, schema says %v", text, mine, theirs)
		}
	}
}
