package explain

import (
	"io"

	"github.com/planvet/planvet/internal/report"
)

// JSON writes a report by explain.schema.json. Texts are as they are, but for passwords
// in prose; lists are there when they are empty.
func JSON(w io.Writer, r *Report) error {
	r = redacted(r)
	r.Version = FormatVersion
	full(&r.Parameters)
	full(&r.Plans)
	full(&r.Indexes)
	full(&r.Findings)
	full(&r.Recommendations)
	if r.Timing != nil {
		full(&r.Timing.Each)
	}
	for i := range r.Indexes {
		full(&r.Indexes[i].Keys)
	}
	if r.RLS != nil {
		full(&r.RLS.Policies)
	}
	return report.WriteJSON(w, r)
}

// full makes a list that is not there an empty one: null is no list to a reader.
func full[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}
