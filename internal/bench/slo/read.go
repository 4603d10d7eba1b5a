package slo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/config"
)

// ErrNone is Read's error for a file that promises nothing, as planvet init makes it.
var ErrNone = errors.New(`no objective is in it: write {"slos": [{"service": …, "operation": …, "p95_target_ms": …}]}`)

// fields reads the keys of an objective.
var fields = []struct {
	name string
	read func(o *Objective, v any) error
}{
	{"service", text(func(o *Objective) *string { return &o.Service })},
	{"operation", text(func(o *Objective) *string { return &o.Operation })},
	{"tier", func(o *Objective, v any) error {
		var names []string
		for _, t := range Tiers {
			names = append(names, t.Name)
		}
		return oneOf(v, names, &o.Tier)
	}},
	{"type", func(o *Objective, v any) error { return oneOf(v, Types, &o.Type) }},
	{"p50_target_ms", positive(func(o *Objective) *float64 { return &o.P50Target })},
	{"p95_target_ms", positive(func(o *Objective) *float64 { return &o.P95Target })},
	{"p99_target_ms", positive(func(o *Objective) *float64 { return &o.P99Target })},
	{"error_rate", func(o *Objective, v any) error {
		x, ok := v.(float64)
		if !ok || x < 0 || x >= 1 {
			return fmt.Errorf("is %v, it must be a share from 0 to less than 1", shown(v))
		}
		o.ErrorRate = &x
		return nil
	}},
	{"min_rps", positive(func(o *Objective) *float64 { return &o.MinRPS })},
	{"metric_name", text(func(o *Objective) *string { return &o.Metric })},
	{"alert_threshold_ms", positive(func(o *Objective) *float64 { return &o.Alert })},
	{"spec_ref", text(func(o *Objective) *string { return &o.SpecRef })},
}

func text(at func(*Objective) *string) func(*Objective, any) error {
	return func(o *Objective, v any) error {
		s, ok := v.(string)
		if !ok || strings.TrimSpace(s) == "" {
			return fmt.Errorf("is %v, it must be a text", shown(v))
		}
		*at(o) = s
		return nil
	}
}

func positive(at func(*Objective) *float64) func(*Objective, any) error {
	return func(o *Objective, v any) error {
		x, ok := v.(float64)
		if !ok || x <= 0 {
			return fmt.Errorf("is %v, it must be a number over 0", shown(v))
		}
		*at(o) = x
		return nil
	}
}

func oneOf(v any, names []string, to *string) error {
	s, _ := v.(string)
	if !slices.Contains(names, s) {
		return fmt.Errorf("is %v, it must be one of %s%s", shown(v), strings.Join(names, ", "), config.Hint(s, names))
	}
	*to = s
	return nil
}

func shown(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}

// Read reads slos.json: {"slos": [objective, …]}. A key that it does not know is an
// error that names the line and the nearest key; so are a value out of its range, an
// objective that names nothing, and two of one name. Targets of tiers are filled in.
func Read(in io.Reader) ([]Objective, error) {
	all, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	r := &reader{text: all, d: json.NewDecoder(bytes.NewReader(all))}
	var out []Objective
	seen := map[string]int{}
	err = r.object([]string{"slos"}, func(string) error {
		return r.array(func() error {
			o, at := Objective{}, r.line()
			if err := r.objective(&o); err != nil {
				return err
			}
			if err := o.complete(); err != nil {
				return fmt.Errorf("line %d: %w", at, err)
			}
			if first := seen[o.String()]; first > 0 {
				return fmt.Errorf("line %d: %s stands twice, first in line %d", at, &o, first)
			}
			seen[o.String()] = at
			out = append(out, o)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: something follows the objectives", r.line())
	}
	if len(out) == 0 {
		return nil, ErrNone
	}
	return out, nil
}

// reader walks JSON by tokens, so that every complaint has its line.
type reader struct {
	text []byte
	d    *json.Decoder
}

// line is that of the next token.
func (r *reader) line() int {
	at := int(r.d.InputOffset())
	for at < len(r.text) && strings.ContainsRune(" \t\r\n,:", rune(r.text[at])) {
		at++
	}
	return 1 + bytes.Count(r.text[:at], []byte("\n"))
}

// token takes the next token, with its line.
func (r *reader) token() (json.Token, int, error) {
	line := r.line()
	t, err := r.d.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, line, fmt.Errorf("line %d: %w", 1+bytes.Count(r.text[:min(int(syntax.Offset), len(r.text))], []byte("\n")), err)
	case err != nil:
		return nil, line, fmt.Errorf("line %d: the file ends too early", line)
	}
	return t, line, nil
}

func (r *reader) open(delim json.Delim, what string) error {
	t, line, err := r.token()
	if err == nil && t != delim {
		err = fmt.Errorf("line %d: here must be %s", line, what)
	}
	return err
}

// object calls f for each key, and refuses one that is unknown or written twice.
func (r *reader) object(keys []string, f func(key string) error) error {
	if err := r.open('{', "an object, {…}"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.d.More() {
		t, line, err := r.token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		switch {
		case !slices.Contains(keys, key):
			hint := config.Hint(key, keys)
			if hint == "" {
				hint = ": the keys here are " + strings.Join(keys, ", ")
			}
			return fmt.Errorf("line %d: unknown key %q%s", line, key, hint)
		case seen[key]:
			return fmt.Errorf("line %d: key %q is written twice", line, key)
		}
		seen[key] = true
		if err := f(key); err != nil {
			return err
		}
	}
	_, _, err := r.token()
	return err
}

func (r *reader) array(f func() error) error {
	if err := r.open('[', "a list, […]"); err != nil {
		return err
	}
	for r.d.More() {
		if err := f(); err != nil {
			return err
		}
	}
	_, _, err := r.token()
	return err
}

func (r *reader) objective(o *Objective) error {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.name)
	}
	return r.object(keys, func(key string) error {
		t, line, err := r.token()
		if err != nil {
			return err
		}
		if _, composite := t.(json.Delim); composite {
			return fmt.Errorf("line %d: %s must be a single value", line, key)
		}
		if err := fields[slices.Index(keys, key)].read(o, t); err != nil {
			return fmt.Errorf("line %d: %s %w", line, key, err)
		}
		return nil
	})
}
