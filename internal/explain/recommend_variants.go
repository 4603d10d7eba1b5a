package explain

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/stats"
)

const (
	// fewOf is the share of a table's rows under which a partial index pays.
	fewOf = 0.2
	// fewValues is how many values a column may have for one of them to be a kind of
	// row, and not one among many that the statement happens to ask for.
	fewValues = 100
	// inOrder is the correlation from which on BRIN is worth trying, on tables of more
	// than hugePages blocks: 1 GiB.
	inOrder   = 0.95
	hugePages = 1 << 30 / 8192
)

// variants are a need as a partial index, where the statement has a constant that few
// rows have, and as BRIN, where a huge table lies in the order of the range.
func variants(rel *predicate.Rel, t *stats.Table, n predicate.Need) []predicate.Need {
	var out []predicate.Need
	if n.Method != "" {
		return nil
	}
	for _, c := range rel.Conjuncts {
		where := constant(c)
		if where == "" || share(t, c) >= fewOf || c.Op == "=" && (distinct(t, c.Column) == 0 || distinct(t, c.Column) > fewValues) {
			continue
		}
		m := n
		m.Where = where
		m.Equality = slices.DeleteFunc(slices.Clone(n.Equality), func(k predicate.Key) bool { return k.Column == c.Column })
		if m.Empty() {
			// Something must be the key: what the order or another condition asks for.
			m.Equality = n.Equality
		}
		out = append(out, m)
	}
	if c := rangeKey(n); c != "" && t != nil && t.Pages >= hugePages && len(n.Equality) == 0 && len(n.Policy) == 0 {
		if s := column(t, c); s != nil && s.Correlation != nil && (*s.Correlation > inOrder || *s.Correlation < -inOrder) {
			m := n
			m.Sort, m.Method = nil, "brin"
			out = append(out, m)
		}
	}
	return out
}

func rangeKey(n predicate.Need) string {
	if len(n.Range) == 1 && n.Range[0].Expr == "" && n.Range[0].OpClass == "" {
		return n.Range[0].Column
	}
	return ""
}

// constant is a conjunct that is the same whenever the statement runs, as a partial
// index has it; "" for others.
func constant(c predicate.Conjunct) string {
	if c.Column == "" || c.FromPolicy || c.FromJoin || c.Derived {
		return ""
	}
	name := pgast.Format(&pgast.ColumnRef{At: -1, Names: []string{c.Column}})
	switch c.Op {
	case "is null", "is not null":
		return name + " " + c.Op
	case "true":
		return name
	case "false":
		return "not " + name
	case "=":
		if k, ok := pgast.Uncast(c.Comparand).(*pgast.Const); ok && c.Kind == predicate.Constant && k.Kind != pgast.ConstNull && !c.Array {
			return name + " = " + pgast.Format(c.Comparand)
		}
	}
	return ""
}

// share is the part of a table's rows that pass a constant conjunct; 1 where it is
// not known.
func share(t *stats.Table, c predicate.Conjunct) float64 {
	s := column(t, c.Column)
	if s == nil {
		return 1
	}
	common := func(value string) float64 {
		values := arrayElements(s.Common)
		for i, v := range values {
			if v == value && i < len(s.Frequencies) {
				return s.Frequencies[i]
			}
		}
		rest := 1 - s.NullFraction
		for _, f := range s.Frequencies {
			rest -= f
		}
		if left := distinct(t, c.Column) - float64(len(values)); left >= 1 {
			return max(rest, 0) / left
		}
		return 1
	}
	switch c.Op {
	case "is null":
		return s.NullFraction
	case "is not null":
		return 1 - s.NullFraction
	case "true":
		return common("t")
	case "false":
		return common("f")
	}
	if k, ok := pgast.Uncast(c.Comparand).(*pgast.Const); ok {
		return common(k.Text)
	}
	return 1
}

var elementRE = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^,{}]+`)

// arrayElements are those of an array as PostgreSQL prints it.
func arrayElements(array string) []string {
	var out []string
	for _, e := range elementRE.FindAllString(array, -1) {
		if strings.HasPrefix(e, `"`) {
			e = regexp.MustCompile(`\\(.)`).ReplaceAllString(e[1:len(e)-1], "$1")
		}
		out = append(out, e)
	}
	return out
}
