package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/planvet/planvet/internal/explain"
)

// ReadRLS reads what row security costs from a JSON report of planvet rls overhead, or
// of planvet explain where it measured that.
func ReadRLS(in io.Reader) ([]RLSCost, error) {
	var r struct {
		Version int                     `json:"version"`
		Tables  []explain.TableOverhead `json:"tables"`
		RLS     *explain.Overhead       `json:"rls"`
		SQL     string                  `json:"sql"`
	}
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return nil, fmt.Errorf("no report of planvet rls overhead or planvet explain: %w", err)
	}
	if r.Version != explain.FormatVersion {
		return nil, fmt.Errorf("the report is of version %d, this planvet knows %d", r.Version, explain.FormatVersion)
	}
	if r.RLS != nil {
		r.Tables = append(r.Tables, explain.TableOverhead{SQL: r.SQL, Overhead: *r.RLS})
	}
	if r.Tables == nil {
		return nil, errors.New("nothing about row security is in the report: planvet rls overhead --format json writes one")
	}
	out := []RLSCost{}
	for _, t := range r.Tables {
		c := RLSCost{Table: t.Table, SQL: t.SQL, Role: t.Role, Enforced: t.Enforced.MS, Ideal: t.Ideal.MS, Problem: t.Problem}
		if t.SameRows {
			c.MS = &t.Overhead.MS
		}
		out = append(out, c)
	}
	return out, nil
}
