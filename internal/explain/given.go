package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ReadParams reads --params: a JSON array, its items as they are written, so that no
// digit of a number is lost. The error is a *Usage.
func ReadParams(text string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, usagef(`--params is not a JSON array like ["a", 1, null]`)
	}
	return out, nil
}

// textOf is a JSON value as the text of a PostgreSQL type, as format_type prints it;
// nil is NULL. For json and jsonb the value itself is meant, and a string that holds
// an object or an array stands for that; for an array type a JSON array, or the text
// of one; other types take strings, numbers and booleans.
func textOf(v json.RawMessage, typ string) (*string, error) {
	v = bytes.TrimSpace(v)
	if string(v) == "null" {
		return nil, nil
	}
	var s string
	isString := json.Unmarshal(v, &s) == nil
	switch {
	case typ == "json" || typ == "jsonb":
		inner := strings.TrimSpace(s)
		if isString && json.Valid([]byte(inner)) && strings.IndexAny(inner, "{[") == 0 {
			return &inner, nil
		}
		text := string(v)
		return &text, nil
	case isString:
		return &s, nil
	case strings.HasSuffix(typ, "[]"):
		text, err := arrayText(v, strings.TrimSuffix(typ, "[]"))
		return &text, err
	case v[0] == '{' || v[0] == '[':
		return nil, fmt.Errorf("a JSON %s is no value of it", map[byte]string{'{': "object", '[': "array"}[v[0]])
	}
	text := string(v) // a number or a boolean
	return &text, nil
}

// arrayText is a JSON array as an array's text; nested arrays are its dimensions.
func arrayText(v json.RawMessage, elem string) (string, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(v, &items); err != nil {
		return "", fmt.Errorf("an array takes a JSON array or the text of one")
	}
	parts := make([]string, len(items))
	for i, item := range items {
		item = bytes.TrimSpace(item)
		if item[0] == '[' && elem != "json" && elem != "jsonb" {
			inner, err := arrayText(item, elem)
			if err != nil {
				return "", err
			}
			parts[i] = inner
			continue
		}
		text, err := textOf(item, elem)
		if err != nil {
			return "", err
		}
		parts[i] = "NULL"
		if text != nil {
			parts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(*text) + `"`
		}
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}
