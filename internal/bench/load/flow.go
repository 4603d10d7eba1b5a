package load

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/bench/suite"
)

// ClassCapture is the class of an answer without a value that is to be captured.
const ClassCapture = "capture"

// flow is what the users of one flow share.
type flow struct {
	sender
	f       *suite.Flow
	base    string
	headers map[string]string
	id      string
	cfg     *pgx.ConnConfig // nil where nothing asks a database
	data    []map[string]string
	groups  []group
	run     atomic.Int64
	// counted is told of each group that is done, at concurrency 1; nil for nobody.
	counted func(ctx context.Context, g int)
}

// group are the steps that begin at the same time: one, unless they are parallel.
type group struct {
	think time.Duration
	steps []step
}

type step struct {
	*suite.Step
	index     int // among the flat steps
	statement *statement
	capture   map[string]suite.Path // of a body
}

// flowOf makes ready what the users of a flow need: its data are read from the database.
func flowOf(ctx context.Context, e *suite.E2E, f *suite.Flow, id string) (*flow, error) {
	w := &flow{f: f, base: strings.TrimSuffix(e.BaseURL, "/"), headers: e.Headers, id: id, data: f.Data, sender: sender{transport: transport(&f.Load, widest(f))}}
	if u, err := url.Parse(e.BaseURL); e.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("flow %s: base_url is no URL: write http://host", f.Name)
	}
	if e.DatabaseURL != "" {
		var err error
		if w.cfg, err = configOf(e.DatabaseURL, "e2e", id, f.Name); err != nil {
			return nil, err
		}
	}
	index := 0
	for i := range f.Steps {
		from := f.Steps[i : i+1]
		if f.Steps[i].Parallel != nil {
			from = f.Steps[i].Parallel
		}
		g := group{think: f.Steps[i].Think}
		for k := range from {
			s := step{Step: &from[k], index: index, capture: map[string]suite.Path{}}
			index++
			if s.Statement != nil {
				var err error
				if s.statement, err = statementOf(s.Statement, prepared+"_"+strconv.Itoa(s.index), "commit"); err != nil {
					return nil, fmt.Errorf("flow %s, step %s: %w", f.Name, s.Name, err)
				}
			} else if _, err := http.NewRequest(s.Request.Method, "http://x/", nil); err != nil {
				return nil, fmt.Errorf("flow %s, step %s: %q is no method of HTTP", f.Name, s.Name, s.Request.Method)
			}
			for name, from := range s.Capture {
				if p, err := suite.ParsePath(from); err == nil && s.Request != nil {
					s.capture[name] = p
				}
			}
			g.steps = append(g.steps, s)
		}
		w.groups = append(w.groups, g)
	}
	return w, w.rows(ctx)
}

// widest is how many requests of a flow there are at the same time.
func widest(f *suite.Flow) int {
	n := 1
	for i := range f.Steps {
		n = max(n, len(f.Steps[i].Parallel))
	}
	return n
}

// rows reads the flow's data where a statement has them.
func (w *flow) rows(ctx context.Context) error {
	if w.f.DataSQL == "" {
		return nil
	}
	k := &session{cfg: w.cfg}
	defer k.Close()
	s := &statement{c: &suite.Statement{SQL: w.f.DataSQL, Protocol: "prepared"}, name: prepared}
	err := k.ready(ctx, s)
	if err == nil {
		r := k.conn.PgConn().ExecPrepared(ctx, s.name, nil, nil, nil)
		for r.NextRow() {
			row := map[string]string{}
			for i, c := range r.FieldDescriptions() {
				row[c.Name] = string(r.Values()[i])
			}
			w.data = append(w.data, row)
		}
		_, err = r.Close()
	}
	switch {
	case err != nil:
		return fmt.Errorf("flow %s, data_sql: %s", w.f.Name, reason(err))
	case len(w.data) == 0:
		return fmt.Errorf("flow %s: data_sql gives no rows", w.f.Name)
	}
	return nil
}

// timeout bounds a run: that of each step, and what the user thinks.
func (w *flow) timeout() time.Duration {
	var d time.Duration
	for _, g := range w.groups {
		d += g.think + w.f.Load.Timeout
		for _, s := range g.steps {
			if s.Step.Think != g.think {
				d += s.Step.Think
			}
		}
	}
	return d + time.Second
}

func (w *flow) open(context.Context) (Client, error) { return &user{flow: w}, nil }

// user goes through a flow again and again. Its sessions are as many as its widest group
// of statements needs.
type user struct {
	*flow
	sessions []*session
}

// Close ends the user's connections to the database.
func (u *user) Close() {
	for _, k := range u.sessions {
		k.Close()
	}
}

// Do goes through the flow once, until a step fails.
func (u *user) Do(ctx context.Context) (o Outcome) {
	n := u.run.Add(1)
	values := map[string]string{}
	if len(u.data) > 0 {
		maps.Copy(values, u.data[(n-1)%int64(len(u.data))])
	}
	values["run"] = strconv.FormatInt(n, 10)
	o.Begin = time.Now()
	for i := range u.groups {
		g := &u.groups[i]
		o.Pause += pause(ctx, g.think)
		parts, found := u.together(ctx, g, values)
		for k := range parts {
			p := &parts[k]
			p.At = p.End.Sub(o.Begin) - o.Pause
			o.Bytes += p.Bytes
			if o.Class == "" {
				o.Class = p.Class
			}
			o.Parts = append(o.Parts, *p)
			maps.Copy(values, found[k])
		}
		if u.counted != nil {
			u.counted(ctx, i)
		}
		if o.Class != "" {
			break
		}
	}
	o.End = time.Now()
	return o
}

// pause waits, and says how long it was.
func pause(ctx context.Context, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	began := time.Now()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return time.Since(began)
}

// together does the steps of a group at the same time.
func (u *user) together(ctx context.Context, g *group, values map[string]string) ([]Part, []map[string]string) {
	parts, found := make([]Part, len(g.steps)), make([]map[string]string, len(g.steps))
	for len(u.sessions) < len(g.steps) {
		u.sessions = append(u.sessions, &session{cfg: u.cfg})
	}
	one := func(k int) {
		s := &g.steps[k]
		ctx, cancel := context.WithTimeout(ctx, u.f.Load.Timeout)
		defer cancel()
		parts[k].Index = s.index
		if s.Request != nil {
			parts[k].Outcome, found[k] = u.request(ctx, s, values)
		} else {
			parts[k].Outcome, found[k] = u.ask(ctx, u.sessions[k], s, values)
		}
	}
	if len(g.steps) == 1 {
		one(0)
		return parts, found
	}
	var wg sync.WaitGroup
	for k := range g.steps {
		wg.Go(func() { one(k) })
	}
	wg.Wait()
	return parts, found
}

func (u *user) request(ctx context.Context, s *step, values map[string]string) (Outcome, map[string]string) {
	q := s.Request
	path := strings.TrimPrefix(fillPath(q.Path, values), u.base)
	r, err := http.NewRequest(q.Method, u.base+"/"+strings.TrimPrefix(path, "/"), nil)
	if err != nil { // a value that no URL holds
		at := time.Now()
		return Outcome{Begin: at, End: at, Class: ClassOther}, nil
	}
	own := map[string]string{}
	for k, v := range q.Headers {
		own[k] = suite.Fill(v, values)
	}
	r.Header = headersOf(u.id, u.headers, own)
	r.Host = cmp.Or(r.Header.Get("host"), r.Host)
	e := q.Expect
	e.Contains = suite.Fill(e.Contains, values)
	o, header, body := u.send(ctx, r, suite.Fill(q.Body, values), &e, len(s.capture) > 0)
	if o.Class != "" {
		return o, nil
	}
	found := map[string]string{}
	for name, from := range s.Capture {
		var ok bool
		if p, isBody := s.capture[name]; isBody {
			found[name], ok = p.In(body)
		} else {
			found[name] = header.Get(strings.TrimSpace(strings.TrimPrefix(from, "header ")))
			ok = found[name] != ""
		}
		if !ok {
			o.Class = ClassCapture
		}
	}
	return o, found
}

// fillPath puts values into a path, escaped as a segment or a query's value; a value with
// which it begins is a place of its own, like a header Location.
func fillPath(path string, values map[string]string) string {
	place, query, has := strings.Cut(path, "?")
	escaped := func(escape func(string) string) map[string]string {
		out := make(map[string]string, len(values))
		for k, v := range values {
			out[k] = escape(v)
		}
		return out
	}
	if !strings.Contains(path, "{{") {
		return path
	}
	if strings.HasPrefix(place, "{{") {
		lead, rest, _ := strings.Cut(place, "}}")
		lead, more, inQuery := strings.Cut(suite.Fill(lead+"}}", values), "?")
		if place = lead + rest; inQuery {
			query, has = strings.Trim(more+"&"+query, "&"), true
		}
	}
	if place = suite.Fill(place, escaped(url.PathEscape)); has {
		place += "?" + suite.Fill(query, escaped(url.QueryEscape))
	}
	return place
}

func (u *user) ask(ctx context.Context, k *session, s *step, values map[string]string) (Outcome, map[string]string) {
	c := s.Statement
	st := s.statement
	var args [][]byte
	for _, p := range c.Params {
		if p == nil {
			args = append(args, nil)
		} else {
			args = append(args, []byte(suite.Fill(*p, values)))
		}
	}
	found := map[string]string{}
	o := k.run(ctx, st, args, func(columns []pgconn.FieldDescription, row [][]byte) {
		for name, column := range s.Capture {
			if _, has := found[name]; has {
				continue
			}
			for i := range columns {
				if columns[i].Name == column && row[i] != nil {
					found[name] = string(row[i])
				}
			}
		}
	})
	if o.Class == "" && len(found) < len(s.Capture) {
		o.Class = ClassCapture
	}
	return o, found
}
