// Package k6 writes suites as a script of k6, whose distributed runners send more than one
// machine can: the same arrivals, and objectives as thresholds.
package k6

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
)

// defaultDuration is that of a case that ends when it has samples enough: k6 has to be told.
const defaultDuration = 30 * time.Second

// samples of a case that says neither how many nor how long.
const samples = 300

// Write writes a script of the suites named, api and e2e, unexpanded: ${NAME} is taken from
// k6's environment. It returns what could not be written: statements, which k6 does not
// send.
func Write(w io.Writer, f *suite.File, suites []string, objectives []slo.Objective) (left []string, err error) {
	s := &script{objectives: objectives, scenarios: map[string]any{}, thresholds: map[string][]string{}}
	for _, name := range suites {
		switch {
		case name == "api" && f.API != nil:
			for i := range f.API.Cases {
				s.request(f.API, &f.API.Cases[i])
			}
		case name == "e2e" && f.E2E != nil:
			for i := range f.E2E.Flows {
				if why := unsent(&f.E2E.Flows[i]); why != "" {
					left = append(left, fmt.Sprintf("flow %s is left out: %s", f.E2E.Flows[i].Name, why))
				} else {
					s.flow(f.E2E, &f.E2E.Flows[i])
				}
			}
		case name == "db":
			left = append(left, "suite db is left out: k6 sends no SQL")
		}
	}
	if len(s.scenarios) == 0 {
		return left, fmt.Errorf("nothing is left of the suites that k6 could send")
	}
	var out bytes.Buffer
	out.WriteString("// Written by planvet bench k6. Run: k6 run -e NAME=value ... FILE\n" + imports)
	fmt.Fprintf(&out, "export const options = %s;\n", indented(map[string]any{"scenarios": s.scenarios, "thresholds": s.thresholds, "discardResponseBodies": false}))
	out.WriteString(library)
	out.Write(s.body.Bytes())
	_, err = w.Write(out.Bytes())
	return left, err
}

// unsent says why k6 cannot go through a flow.
func unsent(f *suite.Flow) string {
	if f.DataSQL != "" {
		return "its data are a statement's rows"
	}
	for _, s := range f.Flat() {
		if s.Statement != nil {
			return "step " + s.Name + " is a statement"
		}
	}
	return ""
}

type script struct {
	objectives []slo.Objective
	scenarios  map[string]any
	thresholds map[string][]string
	body       bytes.Buffer
	at         time.Duration // when the next scenario starts
	n          int
}

// scenario adds one for a case, after those before it: cases do not share a machine.
func (s *script) scenario(c *suite.Case) string {
	s.n++
	exec := fmt.Sprintf("case%d", s.n)
	l := c.Load
	length := l.Duration
	if length == 0 {
		n := l.Iterations
		if n == 0 {
			n = samples
		}
		if length = defaultDuration; l.Rate > 0 {
			length = time.Duration(math.Ceil(float64(n)/l.Rate)) * time.Second
		}
	}
	out := map[string]any{"exec": exec, "startTime": seconds(s.at), "duration": seconds(length), "tags": map[string]string{"case": tag(c.Name)}}
	if l.Rate > 0 {
		rate, unit := perUnit(l.Rate)
		out["executor"], out["rate"], out["timeUnit"] = "constant-arrival-rate", rate, unit
		out["preAllocatedVUs"], out["maxVUs"] = l.Workers, l.Workers
		s.threshold("dropped_iterations{case:"+tag(c.Name)+"}", "count==0")
	} else {
		out["executor"], out["vus"] = "constant-vus", max(1, l.Clients)
	}
	s.scenarios[exec] = out
	// k6 waits 30 s for what has begun; a second more keeps cases apart.
	s.at += length + l.Timeout + time.Second
	return exec
}

// tag is a name without what ends a tag in the name of a threshold.
func tag(name string) string {
	return strings.NewReplacer("{", "(", "}", ")", ",", ";", ":", ";", `"`, "'").Replace(name)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// perUnit is a rate as k6 has it, a whole number in a unit of time.
func perUnit(rate float64) (n int, unit string) {
	for _, seconds := range []int{1, 10, 100, 1000} {
		if r := rate * float64(seconds); math.Abs(r-math.Round(r)) < 1e-9*r || seconds == 1000 {
			return max(1, int(math.Round(r))), fmt.Sprintf("%ds", seconds)
		}
	}
	return 1, "1s"
}

func (s *script) threshold(metric string, conditions ...string) {
	s.thresholds[metric] = append(s.thresholds[metric], conditions...)
}

// promised adds the objective of a service and an operation as thresholds of a metric of
// times and, where there is one, of failures. Without one, failures bound the run: over 1 %
// it is no measurement.
func (s *script) promised(service, operation, times, failures string) {
	allowed := 0.01
	for _, o := range s.objectives {
		if o.Service != service || o.Operation != operation {
			continue
		}
		for _, t := range []struct {
			q      string
			target float64
		}{{"50", o.P50Target}, {"95", o.P95Target}, {"99", o.P99Target}} {
			if t.target > 0 {
				s.threshold(times, fmt.Sprintf("p(%s)<=%g", t.q, t.target))
			}
		}
		if o.ErrorRate != nil {
			allowed = *o.ErrorRate
		}
	}
	if failures != "" {
		s.threshold(failures, fmt.Sprintf("rate<=%g", allowed))
	}
}

func (s *script) request(a *suite.API, q *suite.Request) {
	exec := s.scenario(&q.Case)
	of := "{case:" + tag(q.Name) + "}"
	s.promised(q.Service, q.Operation, "http_req_duration"+of, "failed"+of)
	fmt.Fprintf(&s.body, "\nexport function %s() {\n  const v = values([]);\n  send(%s, v);\n}\n", exec, s.call(a.BaseURL, a.Headers, q, q.Load.Timeout, map[string]string{"case": tag(q.Name)}, nil))
}

func (s *script) flow(e *suite.E2E, f *suite.Flow) {
	exec := s.scenario(&f.Case)
	s.threshold("failed{case:"+tag(f.Name)+"}", "rate<=0.01")
	fmt.Fprintf(&s.body, "\nexport function %s() {\n  const v = values(%s);\n", exec, rows(f.Data))
	for i := range f.Steps {
		st := &f.Steps[i]
		group := st.Parallel
		if group == nil {
			group = f.Steps[i : i+1]
		}
		if st.Think > 0 {
			fmt.Fprintf(&s.body, "  sleep(%g);\n", st.Think.Seconds())
		}
		var calls []string
		for k := range group {
			g := &group[k]
			tags := map[string]string{"case": tag(f.Name), "step": tag(g.Name)}
			if g.Operation != "" {
				// k6 selects by one tag as well as by two.
				s.promised(f.Service, g.Operation, "http_req_duration{case:"+tag(f.Name)+",step:"+tag(g.Name)+"}", "")
			}
			calls = append(calls, s.call(e.BaseURL, e.Headers, g.Request, f.Load.Timeout, tags, g.Capture))
		}
		if st.Parallel == nil {
			fmt.Fprintf(&s.body, "  if (!send(%s, v)) return;\n", calls[0])
		} else {
			fmt.Fprintf(&s.body, "  if (!together([\n    %s,\n  ], v)) return;\n", strings.Join(calls, ",\n    "))
		}
	}
	s.body.WriteString("}\n")
}

// rows are data as the array of a script.
func rows(data []map[string]string) string {
	var out []string
	for _, d := range data {
		var fields []string
		for _, k := range slices.Sorted(maps.Keys(d)) {
			fields = append(fields, quoted(k)+": "+template(d[k], ""))
		}
		out = append(out, "{"+strings.Join(fields, ", ")+"}")
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// call is a request as an object of a script.
func (s *script) call(base string, shared map[string]string, q *suite.Request, timeout time.Duration, tags map[string]string, capture map[string]string) string {
	headers := maps.Clone(shared)
	if headers == nil {
		headers = map[string]string{}
	}
	for k, v := range q.Headers {
		for had := range headers {
			if strings.EqualFold(had, k) {
				delete(headers, had)
			}
		}
		headers[k] = v
	}
	head := []string{`"x-correlation-id": correlation`}
	for _, k := range slices.Sorted(maps.Keys(headers)) {
		head = append(head, quoted(k)+": "+template(headers[k], ""))
	}
	path := q.Path
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "{{") {
		path = "/" + path
	}
	fields := []string{
		"method: " + quoted(q.Method),
		"url: place(" + template(strings.TrimSuffix(base, "/"), "") + ", " + pathOf(path) + ")",
		"body: " + bodyOf(q.Body),
		"params: {headers: {" + strings.Join(head, ", ") + "}, tags: " + compact(tags) + ", timeout: " + quoted(seconds(timeout)) + ", redirects: 0}",
	}
	if e := q.Expect; e.Status != 0 {
		fields = append(fields, fmt.Sprintf("status: %d", e.Status))
	}
	if q.Expect.Contains != "" {
		fields = append(fields, "contains: "+template(q.Expect.Contains, ""))
	}
	if q.Expect.Equals != nil {
		fields = append(fields, "equals: "+quoted(*q.Expect.Equals))
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(capture)) {
		from := capture[name]
		if p, err := suite.ParsePath(from); err == nil {
			found = append(found, quoted(name)+": "+compact([]any(p)))
		} else {
			found = append(found, quoted(name)+": "+quoted(strings.TrimSpace(strings.TrimPrefix(from, "header "))))
		}
	}
	if len(found) > 0 {
		fields = append(fields, "capture: {"+strings.Join(found, ", ")+"}")
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func bodyOf(text string) string {
	if text == "" {
		return "null"
	}
	return template(text, "")
}

// pathOf escapes values in a path, except one with which it begins.
func pathOf(path string) string {
	lead := ""
	if strings.HasPrefix(path, "{{") {
		i := strings.Index(path, "}}") + 2
		lead, path = path[:i], path[i:]
	}
	out := template(path, "encodeURIComponent")
	if lead != "" {
		out = template(lead, "") + " + " + out
	}
	return out
}

var marks = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// template is a text as an expression of a script: ${NAME} is the environment's, {{name}} a
// value of the run, in a call of escape where there is one.
func template(text, escape string) string {
	var parts []string
	last := 0
	add := func(s string) {
		if s != "" {
			parts = append(parts, quoted(s))
		}
	}
	for _, m := range marks.FindAllStringSubmatchIndex(text, -1) {
		add(text[last:m[0]])
		switch {
		case m[2] >= 0:
			parts = append(parts, "env("+quoted(text[m[2]:m[3]])+")")
		case escape != "":
			parts = append(parts, escape+"(v["+quoted(text[m[4]:m[5]])+"])")
		default:
			parts = append(parts, "v["+quoted(text[m[4]:m[5]])+"]")
		}
		last = m[1]
	}
	add(text[last:])
	if len(parts) == 0 {
		return `""`
	}
	return strings.Join(parts, " + ")
}

func quoted(s string) string { return compact(s) }

// compact is a value as JSON, which is JavaScript as well.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, numbers, maps of strings
	return strings.TrimSpace(b.String())
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}
