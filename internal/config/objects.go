package config

import (
	pathpkg "path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/planvet/planvet/internal/strictyaml"
)

// Object is what a config says of a rule's findings on some objects.
type Object struct {
	// Pattern is table, schema.table, or schema.table.part, a part being a column, policy,
	// index or constraint; * stands for any letters of a name.
	Pattern string
	// Off silences them; else Severity is theirs.
	Off      bool
	Severity string
	// Reason says why; it is never empty.
	Reason string
	// Until is the last day that it holds, as 2006-01-02; "" for all days.
	Until string
	// Line is where it stands in the file.
	Line int
}

var objectFields = []strictyaml.Field[Object]{
	{Name: "severity", Read: func(r *strictyaml.Reader, o *Object, path string, n ast.Node) {
		o.Severity = r.OneOf(path, n, "error", "warning", "info")
	}},
	{Name: "enabled", Read: func(r *strictyaml.Reader, o *Object, path string, n ast.Node) {
		if b, ok := r.Bare(n).(*ast.BoolNode); !ok || b.Value {
			r.Fail(n, "%s can only be false: a rule runs on all objects but those", path)
		}
		o.Off = true
	}},
	{Name: "reason", Read: func(r *strictyaml.Reader, o *Object, path string, n ast.Node) { o.Reason = r.Str(path, n) }},
	{Name: "until", Read: func(r *strictyaml.Reader, o *Object, path string, n ast.Node) {
		o.Until = r.Str(path, n)
		if _, err := time.Parse(time.DateOnly, o.Until); r.Err == nil && err != nil {
			r.Fail(n, "%s: %q is no day: write 2027-01-31", path, o.Until)
		}
	}},
}

// readObjects reads objects: {public.audit_log: {severity: info, reason: TEXT}}.
func readObjects(r *strictyaml.Reader, u *Rule, path string, n ast.Node) {
	r.Mapping(path, n, func(key string, at, v ast.Node) {
		o := Object{Pattern: key, Line: at.GetToken().Position.Line}
		path, parts := strictyaml.Join(path, key), strings.Split(key, ".")
		strictyaml.Read(r, objectFields, &o, path, v)
		broken := slices.ContainsFunc(parts, func(p string) bool {
			_, err := pathpkg.Match(p, "")
			return p == "" || err != nil
		})
		switch {
		case r.Err != nil:
		case broken || len(parts) > 3:
			r.Fail(at, "%s is no object: write table, schema.table or schema.table.column", path)
		case o.Off == (o.Severity != ""):
			r.Fail(at, "%s needs one of severity and enabled: false", path)
		case strings.TrimSpace(o.Reason) == "":
			r.Fail(at, "%s has no reason", path)
		}
		u.Objects = append(u.Objects, o)
	})
}
