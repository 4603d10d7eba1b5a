package monitor

import (
	"regexp"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// shape is what a statement's text tells with a schema.
type shape struct {
	fingerprint string
	class       Class
	tables      []string
}

// Shapes remembers what texts tell, since to parse thousands at each reading costs more
// than all else. It is of one schema and one goroutine.
type Shapes struct {
	cat    *catalog.Catalog
	sizes  catalog.Sizes
	byText map[string]shape
	joined map[[2]string]bool
}

// NewShapes remembers nothing yet. cat may be nil.
func NewShapes(cat *catalog.Catalog) *Shapes { return &Shapes{cat: cat, byText: map[string]shape{}} }

// mostShapes bounds the memory of a long watch.
const mostShapes = 20_000

func (s *Shapes) of(text string) shape {
	known, ok := s.byText[text]
	if ok {
		return known
	}
	out := shape{class: Unknown}
	if stmt, err := pgast.Parse(text); err == nil {
		if s.sizes == nil && s.cat != nil {
			if s.sizes = s.cat.Stats; s.sizes == nil {
				s.sizes = predicate.DefaultSizes(s.cat, nil)
			}
		}
		out.fingerprint = pgast.Fingerprint(stmt)
		out.class, out.tables = classify(stmt, s.cat, s.sizes)
	}
	if len(s.byText) >= mostShapes {
		clear(s.byText)
	}
	s.byText[text] = out
	return out
}

var (
	listed = regexp.MustCompile(`(?i)\bin\s*\(\s*\$\d+(?:\s*,\s*\$\d+)*(?:\s*/\*, \.\.\. \*/)?\s*\)`)
	param  = regexp.MustCompile(`\$\d+`)
)

// outline is a text without the lengths of its lists of parameters and the numbers of
// parameters, which those lengths move. Statements that differ in lists alone have one
// outline, so that they can be added up before any is parsed.
func outline(text string) string {
	if !listed.MatchString(text) {
		return text
	}
	return param.ReplaceAllString(listed.ReplaceAllString(text, "in ($$0)"), "$$")
}
