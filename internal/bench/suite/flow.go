package suite

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/strictyaml"
)

// E2E is a suite of flows: what users do, step by step.
type E2E struct {
	// BaseURL stands before each path; DatabaseURL is where statements are sent and
	// counted, "" for nowhere. They and Headers may hold ${ENV}.
	BaseURL, DatabaseURL string
	Headers              map[string]string
	Load                 Load
	Flows                []Flow

	values map[string]string
}

// Flow is one of them. Texts of its steps may hold {{name}}: a value of its data, what a
// step before captured, or run, the number of the run.
type Flow struct {
	Case
	// Data are values by name; run i has those of i modulo their number. DataSQL is a
	// statement whose rows they are.
	Data    []map[string]string
	DataSQL string
	Steps   []Step
}

// Step is a request, a statement, or a group of steps that begin at the same time.
type Step struct {
	Name, Operation string
	// State is what the subject of the flow is in after the step: open, updated, closed.
	State string
	// Think is how long the user thinks before the step.
	Think time.Duration
	// Request is nil of a statement, Statement of a request, both of a group.
	Request   *Request
	Statement *Statement
	// Capture names values of the answer: $.id of its body, header location, or a column
	// of the first row.
	Capture  map[string]string
	Parallel []Step
}

// Flat are the steps of a flow with those of groups in their places.
func (f *Flow) Flat() []*Step {
	var out []*Step
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Parallel == nil {
			out = append(out, s)
		} else {
			for k := range s.Parallel {
				out = append(out, &s.Parallel[k])
			}
		}
	}
	return out
}

// texts are all that may hold {{name}}, and a role's claims.
func (s *Step) texts() []string {
	var out []string
	if q := s.Request; q != nil {
		out = append([]string{q.Path, q.Body, q.Expect.Contains}, slices.Collect(maps.Values(q.Headers))...)
	}
	if q := s.Statement; q != nil {
		for _, p := range q.Params {
			if p != nil {
				out = append(out, *p)
			}
		}
		out = append(out, slices.Collect(maps.Values(q.Settings))...)
	}
	return out
}

var reference = regexp.MustCompile(`\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// Fill puts values in for {{name}}.
func Fill(text string, values map[string]string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	return reference.ReplaceAllStringFunc(text, func(m string) string { return values[m[2:len(m)-2]] })
}

// Values are the parameters of run i, as text; nil is NULL.
func (s *Statement) Values(i int) [][]byte {
	var row map[string]string
	if len(s.Data) > 0 {
		row = s.Data[i%len(s.Data)]
	}
	out := make([][]byte, len(s.Params))
	for k, p := range s.Params {
		if p != nil && s.Data != nil {
			out[k] = []byte(Fill(*p, row))
		} else if p != nil {
			out[k] = []byte(*p)
		}
	}
	return out
}

// check says which names of a statement's parameters not every row of its data has.
func (s *Statement) check() error {
	if s.Data == nil {
		return nil
	}
	if len(s.Data) == 0 {
		return errors.New("data has no rows")
	}
	for i, row := range s.Data {
		for _, p := range s.Params {
			if p == nil {
				continue
			}
			for _, m := range reference.FindAllStringSubmatch(*p, -1) {
				if _, ok := row[m[1]]; !ok {
					return fmt.Errorf("params uses {{%s}}, which data[%d] does not have%s", m[1], i, strictyaml.Hint(m[1], slices.Sorted(maps.Keys(row))))
				}
			}
		}
	}
	return nil
}

// check says which of a flow's names nothing has given before they are used. What a
// statement's rows give is not known before it runs.
func (f *Flow) check() error {
	known := map[string]bool{"run": true}
	for _, d := range f.Data {
		for name := range d {
			known[name] = true
		}
	}
	names := map[string]bool{}
	for i := range f.Steps {
		group := f.Steps[i].Parallel
		if group == nil {
			group = f.Steps[i : i+1]
		}
		for k := range group {
			s := &group[k]
			if names[s.Name] {
				return fmt.Errorf("two steps are named %q", s.Name)
			}
			names[s.Name] = true
			for _, text := range s.texts() {
				for _, m := range reference.FindAllStringSubmatch(text, -1) {
					if !known[m[1]] && f.DataSQL == "" {
						return fmt.Errorf("step %s uses {{%s}}, which no step before it captures%s", s.Name, m[1], strictyaml.Hint(m[1], slices.Sorted(maps.Keys(known))))
					}
				}
			}
		}
		for k := range group {
			for name := range group[k].Capture {
				known[name] = true
			}
		}
	}
	return nil
}

// Expand puts the environment's values in for ${NAME}, as API.Expand does.
func (s *E2E) Expand() (*E2E, error) {
	out := *s
	e := expander{values: s.values}
	out.BaseURL, out.DatabaseURL, out.Headers = e.text(s.BaseURL), e.text(s.DatabaseURL), e.texts(s.Headers)
	out.Flows = slices.Clone(s.Flows)
	for i := range out.Flows {
		f := &out.Flows[i]
		f.Data = slices.Clone(f.Data)
		for k := range f.Data {
			f.Data[k] = e.texts(f.Data[k])
		}
		f.Steps = e.steps(f.Steps)
	}
	return &out, e.err()
}

func (e *expander) steps(steps []Step) []Step {
	steps = slices.Clone(steps)
	for i := range steps {
		s := &steps[i]
		s.Parallel = e.steps(s.Parallel)
		if s.Request != nil {
			q := *s.Request
			q.Path, q.Body, q.Headers = e.text(q.Path), e.text(q.Body), e.texts(q.Headers)
			s.Request = &q
		}
	}
	return steps
}

var e2eFields = []strictyaml.Field[E2E]{
	{Name: "base_url", Read: func(r *reader, s *E2E, path string, n node) { s.BaseURL = r.Str(path, n) }},
	{Name: "database_url", Read: func(r *reader, s *E2E, path string, n node) { s.DatabaseURL = r.Str(path, n) }},
	{Name: "headers", Read: func(r *reader, s *E2E, path string, n node) { s.Headers = r.Texts(path, n) }},
	{Name: "flows", Read: func(r *reader, s *E2E, path string, n node) {
		s.Flows = list(r, path, n, func(path string, n node) Flow {
			var f Flow
			strictyaml.Read(r, withCase(flowFields, func(f *Flow) *Case { return &f.Case }), &f, path, n)
			if r.Err == nil && f.Name == "" {
				r.Fail(n, "%s has no name", path)
			}
			if r.Err == nil && len(f.Steps) == 0 {
				r.Fail(n, "%s has no steps", path)
			}
			if r.Err == nil {
				if err := f.check(); err != nil {
					r.Fail(n, "%s: %v", path, err)
				}
			}
			f.Operation = cmp.Or(f.Operation, f.Name)
			return f
		})
	}},
}

var flowFields = []strictyaml.Field[Flow]{
	{Name: "data", Read: func(r *reader, f *Flow, path string, n node) {
		f.Data = list(r, path, n, func(path string, n node) map[string]string { return r.Texts(path, n) })
	}},
	{Name: "data_sql", Read: func(r *reader, f *Flow, path string, n node) { f.DataSQL = r.Str(path, n) }},
	{Name: "steps", Read: func(r *reader, f *Flow, path string, n node) { f.Steps = readSteps(r, path, n, true) }},
}

// readSteps reads steps; groups have none in them.
func readSteps(r *reader, path string, n node, groups bool) []Step {
	return list(r, path, n, func(path string, n node) Step {
		d := draft{request: Request{Method: "GET"}, statement: Statement{Protocol: "prepared"}}
		fields := stepFields
		if groups {
			fields = append(fields[:len(fields):len(fields)], strictyaml.Field[draft]{Name: "parallel", Read: func(r *reader, d *draft, path string, n node) {
				d.step.Parallel = readSteps(r, path, n, false)
				if r.Err == nil && len(d.step.Parallel) == 0 {
					r.Fail(n, "%s has no steps", path)
				}
			}})
		}
		strictyaml.Read(r, fields, &d, path, n)
		s := d.step
		switch {
		case r.Err != nil:
		case s.Parallel != nil:
			if s.Name != "" || d.request.Path != "" || d.statement.SQL != "" || s.Capture != nil || s.State != "" {
				r.Fail(n, "%s: a group has think and parallel alone; name, path, sql, state and capture are its steps'", path)
			}
		case s.Name == "":
			r.Fail(n, "%s has no name", path)
		case (d.request.Path == "") == (d.statement.SQL == ""):
			r.Fail(n, "%s needs path, or sql, and not both", path)
		case d.request.Path != "":
			s.Request = &d.request
		default:
			s.Statement = &d.statement
		}
		for name, from := range s.Capture {
			if err := checkCapture(from, s.Statement != nil); err != nil && r.Err == nil {
				r.Fail(n, "%s.capture.%s: %v", path, name, err)
			}
		}
		return s
	})
}

// draft is a step before it is known whether it is a request or a statement.
type draft struct {
	step      Step
	request   Request
	statement Statement
}

var stepFields = slices.Concat([]strictyaml.Field[draft]{
	{Name: "name", Read: func(r *reader, d *draft, path string, n node) { d.step.Name = r.Str(path, n) }},
	{Name: "operation", Read: func(r *reader, d *draft, path string, n node) { d.step.Operation = r.Str(path, n) }},
	{Name: "state", Read: func(r *reader, d *draft, path string, n node) { d.step.State = r.Str(path, n) }},
	{Name: "think", Read: func(r *reader, d *draft, path string, n node) { d.step.Think = duration(r, path, n) }},
	{Name: "capture", Read: func(r *reader, d *draft, path string, n node) { d.step.Capture = r.Texts(path, n) }},
}, within(requestFields, func(d *draft) *Request { return &d.request }), within(statementFields, func(d *draft) *Statement { return &d.statement }))

// within reads fields into a part of a whole.
func within[W, P any](fields []strictyaml.Field[P], of func(*W) *P) []strictyaml.Field[W] {
	var out []strictyaml.Field[W]
	for _, f := range fields {
		out = append(out, strictyaml.Field[W]{Name: f.Name, Read: func(r *reader, w *W, path string, n node) { f.Read(r, of(w), path, n) }})
	}
	return out
}

// checkCapture says what is wrong with where a value is to be captured from.
func checkCapture(from string, statement bool) error {
	if statement {
		if strings.HasPrefix(from, "$") {
			return fmt.Errorf("%q: a statement's answer is captured by the name of a column", from)
		}
		return nil
	}
	if name, ok := strings.CutPrefix(from, "header "); ok && strings.TrimSpace(name) != "" {
		return nil
	}
	_, err := ParsePath(from)
	return err
}
