package scaffold

import (
	"bytes"
	"encoding/json"

	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/rules/all"
)

const schemaPath = ".perf/planvet.schema.json"

// Schema is the JSON Schema of planvet.yaml with the rules by name, so that an editor
// completes them and says what each finds. Package config's own knows no rules.
func Schema() []byte {
	var doc map[string]any
	if err := json.Unmarshal(config.Schema, &doc); err != nil {
		panic(err) // it is embedded
	}
	doc["$comment"] = "made by planvet init; a later one makes it anew unless it was changed; " + unsealed
	section := doc["properties"].(map[string]any)["rules"].(map[string]any)
	setting := section["additionalProperties"].(map[string]any)
	byName := map[string]any{}
	add := func(name, what string) {
		one := map[string]any{"description": what}
		for k, v := range setting {
			one[k] = v
		}
		byName[name] = one
	}
	add(all.Everything, "all rules")
	for _, g := range all.Groups() {
		add(g.Name, "the group of "+g.Summary)
	}
	for _, r := range all.All() {
		add(r.Name, r.Summary)
	}
	section["properties"], section["additionalProperties"] = byName, false
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		panic(err) // it came from JSON
	}
	return b.Bytes()
}
