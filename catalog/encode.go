package catalog

import (
	"bytes"
	"encoding/gob"
	"fmt"
)

// snapshot is a catalog on disk; its slices are sorted, so that equal catalogs
// have equal bytes but for the maps.
type snapshot struct {
	Relations  []*Relation
	Functions  []*Function
	Types      []*Type
	Schemas    []string
	Extensions map[string]Location
	Roles      map[string]Role
	SearchPath []string
}

// Encode writes a catalog, its Stats left out, for a cache of this version of
// planvet.
func (c *Catalog) Encode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(snapshot{
		c.Relations(), c.AllFunctions(), c.Types(), c.Schemas(), c.Extensions, c.Roles, c.SearchPath,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding a catalog: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Catalog, error) {
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil {
		return nil, fmt.Errorf("decoding a catalog: %w", err)
	}
	c := New()
	for _, n := range s.Schemas {
		c.AddSchema(n)
	}
	for _, r := range s.Relations {
		c.AddRelation(r)
	}
	for _, f := range s.Functions {
		c.AddFunction(f)
	}
	for _, t := range s.Types {
		c.AddType(t)
	}
	for k, v := range s.Extensions {
		c.Extensions[k] = v
	}
	for k, v := range s.Roles {
		c.Roles[k] = v
	}
	c.SearchPath = s.SearchPath
	return c, nil
}
