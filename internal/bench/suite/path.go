package suite

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Path is where a value stands in a JSON document: a string is a key, an int an index.
type Path []any

var pathStep = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\['([^']+)'\])`)

// ParsePath reads the part of JSONPath (RFC 9535) that names one value: $.id,
// $.entries[0].id, $['odd key'].
func ParsePath(text string) (Path, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("%q: write $.id of a JSON body, or header NAME", text)
	}
	p := Path{}
	for rest != "" {
		m := pathStep.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("%q: %q is neither .key nor [0]", text, rest)
		}
		if i, err := strconv.Atoi(m[2]); m[2] != "" && err == nil {
			p = append(p, i)
		} else {
			p = append(p, m[1]+m[3])
		}
		rest = rest[len(m[0]):]
	}
	return p, nil
}

// In is the value that stands there, as text: a string's own, else its JSON.
func (p Path) In(body []byte) (string, bool) {
	for _, key := range p {
		switch k := key.(type) {
		case string:
			var m map[string]json.RawMessage
			if json.Unmarshal(body, &m) != nil || m[k] == nil {
				return "", false
			}
			body = m[k]
		case int:
			var a []json.RawMessage
			if json.Unmarshal(body, &a) != nil || k >= len(a) {
				return "", false
			}
			body = a[k]
		}
	}
	var s string
	if json.Unmarshal(body, &s) == nil && string(body) != "null" {
		return s, true
	}
	if !json.Valid(body) || strings.TrimSpace(string(body)) == "null" {
		return "", false
	}
	return strings.TrimSpace(string(body)), true
}
