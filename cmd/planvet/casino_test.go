package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

const casino = "../../examples/casino"

// anchor is an entry of the example's list of faults and near misses.
type anchor struct {
	Rule     string       `yaml:"rule"`
	Path     string       `yaml:"path"`
	From     string       `yaml:"from"`
	To       string       `yaml:"to"`
	Object   rules.Object `yaml:"object"`
	Evidence string       `yaml:"evidence"`
}

type planted struct {
	Faults     []anchor `yaml:"faults"`
	NearMisses []anchor `yaml:"near_misses"`
}

func readPlanted(t *testing.T) planted {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(casino, "faults.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var p planted
	if err := yaml.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the lines that an anchor stands for.
func (a anchor) lines(t *testing.T) (from, to int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(casino, filepath.FromSlash(a.Path)))
	if err != nil {
		t.Fatal(err)
	}
	line := func(text string) int {
		if strings.Count(string(b), text) != 1 {
			t.Fatalf("%s: %q stands %d times, want once", a.Path, text, strings.Count(string(b), text))
		}
		return 1 + strings.Count(string(b[:strings.Index(string(b), text)]), "\n")
	}
	from = line(a.From)
	to = from
	if a.To != "" {
		to = line(a.To)
	}
	return from, to
}

// checkJSON is what planvet check --format json prints.
type checkJSON struct {
	Findings                         []rules.Finding
	Unparsed, Unresolved, NotApplied []any
}

func runJSON(t *testing.T, args ...string) (checkJSON, []byte, int) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, &out, &errs)
	if code > 1 {
		t.Fatalf("planvet %v: exit %d: %s", args, code, errs.String())
	}
	var doc checkJSON
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("planvet %v: %v", args, err)
	}
	return doc, out.Bytes(), code
}

func place(f rules.Finding) string {
	return fmt.Sprintf("%s:%d: %s: %s", f.Location.Path, f.Location.Line, f.Rule, f.Message)
}

// TestCasino holds the example to its list: each planted fault is reported once,
// in its lines and about its object, and nothing else is.
func TestCasino(t *testing.T) {
	doc, _, code := runJSON(t, "check", casino, "--format", "json")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	p := readPlanted(t)
	claimed := map[int]string{}
	for _, a := range p.Faults {
		from, to := a.lines(t)
		var got []string
		for i, f := range doc.Findings {
			if f.Rule == a.Rule && f.Location.Path == a.Path && f.Location.Line >= from && f.Location.Line <= to {
				claimed[i] = a.Rule
				got = append(got, place(f))
				checkObject(t, a, f)
			}
		}
		if len(got) != 1 {
			t.Errorf("%s in %s, lines %d to %d: reported %d times, want once\n%s", a.Rule, a.Path, from, to, len(got), strings.Join(got, "\n"))
		}
	}
	for _, a := range p.NearMisses {
		from, to := a.lines(t)
		for _, f := range doc.Findings {
			if f.Rule == a.Rule && f.Location.Path == a.Path && f.Location.Line >= from && f.Location.Line <= to {
				t.Errorf("near miss reported: %s", place(f))
			}
		}
	}
	for i, f := range doc.Findings {
		if claimed[i] == "" {
			t.Errorf("not planted: %s", place(f))
		}
	}
	// The one text that is not known is a migration file that the app applies.
	if n := len(doc.Unparsed) + len(doc.Unresolved) - 1 + len(doc.NotApplied); n != 0 {
		t.Errorf("%d items unparsed, unresolved or not applied: %v %v %v", n, doc.Unparsed, doc.Unresolved, doc.NotApplied)
	}
}

func checkObject(t *testing.T, a anchor, f rules.Finding) {
	t.Helper()
	o := a.Object
	if f.Object.Schema != o.Schema || f.Object.Table != o.Table || f.Object.Policy != o.Policy ||
		len(o.Columns) > 0 && !slices.Equal(f.Object.Columns, o.Columns) {
		t.Errorf("%s\nis about %+v, want %+v", place(f), f.Object, o)
	}
}

// TestCasinoConfirmed asks a throwaway server: access-path faults are confirmed with a
// before and after, estimated or, where they are asked for or needed, measured; the
// initplan fault and the loop are always measured, catalog facts are the server's word.
func TestCasinoConfirmed(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	shadowtest.Server(t)
	t.Run("estimated", func(t *testing.T) { checkProofs(t, rules.Estimated) })
	t.Run("measured", func(t *testing.T) { checkProofs(t, rules.Measured, "--measure") })
}

func checkProofs(t *testing.T, access rules.Level, flags ...string) {
	doc, _, _ := runJSON(t, append([]string{"check", casino, "--confirm", "shadow", "--format", "json"}, flags...)...)
	for _, a := range readPlanted(t).Faults {
		from, to := a.lines(t)
		for _, f := range doc.Findings {
			if f.Rule != a.Rule || f.Location.Path != a.Path || f.Location.Line < from || f.Location.Line > to {
				continue
			}
			v := f.Verdict
			switch a.Evidence {
			case "before-after":
				want := access
				switch f.Rule {
				case "nplusone", "rls-initplan", "rls-leakproof":
					want = rules.Measured
				}
				if v.Status != rules.Confirmed || v.Level != want || v.Before == nil || v.After == nil {
					t.Errorf("%s\nverdict %s (%s) %s, want confirmed by a before and after, %s", place(f), v.Status, v.Level, v.Reason, want)
				}
			case "facts":
				if v.Status != rules.Confirmed || len(v.Facts) == 0 {
					t.Errorf("%s\nverdict %s %s, want confirmed by facts", place(f), v.Status, v.Reason)
				}
			case "any":
				if v.Status != rules.Confirmed && (v.Status != rules.Inconclusive || v.Reason == "") {
					t.Errorf("%s\nverdict %s %s, want confirmed, or inconclusive with a reason", place(f), v.Status, v.Reason)
				}
			default:
				t.Errorf("%s: unknown evidence %q", a.Rule, a.Evidence)
			}
		}
	}
}
