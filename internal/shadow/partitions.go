package shadow

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
)

var (
	rangeBound = regexp.MustCompile(`^FOR VALUES FROM \(([^,]*)\) TO \(([^,]*)\)$`)
	listBound  = regexp.MustCompile(`^FOR VALUES IN \((.*)\)$`)
)

// partitionValues is an expression for a partition key that meets the bounds of
// the partitions there are; "" where any value has its place.
func (m *Maker) partitionValues(r *catalog.Relation, c *catalog.Column) string {
	if r.Kind != catalog.PartitionedTable || len(r.PartitionKeys) != 1 || strings.Trim(r.PartitionKeys[0], `"`) != c.Name {
		return ""
	}
	var lows, highs, values []string
	for _, p := range m.cat.Partitions(r.Name) {
		if p.PartitionBound == "DEFAULT" {
			return ""
		}
		if b := rangeBound.FindStringSubmatch(p.PartitionBound); b != nil && b[1] != "MINVALUE" && b[2] != "MAXVALUE" {
			lows, highs = append(lows, b[1]), append(highs, b[2])
		}
		if b := listBound.FindStringSubmatch(p.PartitionBound); b != nil {
			values = append(values, b[1])
		}
	}
	s := seed(r, c)
	switch {
	case len(values) > 0:
		n := len(splitList(values))
		return "(array[" + strings.Join(values, ", ") + "])[" + zipf("{i}", s, int64(n)) + "]"
	case len(lows) > 0:
		// The low end of one of the partitions and up to nine tenths of its span.
		at := "[1 + {i} % " + strconv.Itoa(len(lows)) + "]"
		low := "((array[" + strings.Join(lows, ", ") + "])" + at + ")::" + c.Type
		high := "((array[" + strings.Join(highs, ", ") + "])" + at + ")::" + c.Type
		if strings.HasPrefix(c.Type, "text") || strings.HasPrefix(c.Type, "character") || c.Type == "uuid" {
			return low
		}
		span := uniform("{i}", s) + " * 0.9 * (" + high + " - " + low + ")"
		if c.Type == "date" {
			span = "floor(" + span + ")::int"
		} else if strings.HasSuffix(c.Type, "int") || c.Type == "integer" {
			span = "floor(" + span + ")::bigint"
		}
		return low + " + " + span
	}
	return ""
}

func splitList(values []string) []string {
	var out []string
	for _, v := range values {
		out = append(out, strings.Split(v, ", ")...)
	}
	return out
}
