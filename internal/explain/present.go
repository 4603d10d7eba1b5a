package explain

import (
	"reflect"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// presentable is a copy that can be shown: without passwords, and control characters of
// any text replaced, but for new lines and tabs.
func presentable(r *Report) *Report {
	return mapTexts(reflect.ValueOf(redacted(r)), readable).Interface().(*Report)
}

// redacted is a copy in which passwords that a server's error may repeat are masked in
// what is prose.
func redacted(r *Report) *Report {
	c := *r
	c.NotRun, c.SensitiveWhy, c.Server.Where = report.Redact(r.NotRun), report.Redact(r.SensitiveWhy), report.Redact(r.Server.Where)
	c.Notes = make([]string, len(r.Notes))
	for i, n := range r.Notes {
		c.Notes[i] = report.Redact(n)
	}
	c.Recommendations = redactWhy(r.Recommendations)
	if r.RLS != nil {
		rls := *r.RLS
		rls.Problem, rls.Remedies = report.Redact(rls.Problem), redactWhy(rls.Remedies)
		c.RLS = &rls
	}
	return mapTexts(reflect.ValueOf(&c), func(s string) string { return s }).Interface().(*Report)
}

func redactWhy(rs []Recommendation) []Recommendation {
	out := make([]Recommendation, len(rs))
	for i, r := range rs {
		r.Why = report.Redact(r.Why)
		out[i] = r
	}
	return out
}

// readable keeps the lines of a text.
func readable(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = report.Printable(l)
	}
	return strings.Join(lines, "\n")
}

// mapTexts copies a value with each of its texts changed.
func mapTexts(v reflect.Value, f func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(f(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(mapTexts(v.Elem(), f))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(mapTexts(v.Field(i), f))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(mapTexts(v.Index(i), f))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
			for it := v.MapRange(); it.Next(); {
				out.SetMapIndex(mapTexts(it.Key(), f), mapTexts(it.Value(), f))
			}
		}
	default:
		out.Set(v)
	}
	return out
}
