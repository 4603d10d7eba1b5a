package querytrace

import (
	"fmt"
	"strings"
	"testing"
)

// verdict is a testing.TB that keeps what it is told.
type verdictTB struct {
	testing.TB
	name         string
	errors, logs []string
}

func (v *verdictTB) Helper()           {}
func (v *verdictTB) Name() string      { return v.name }
func (v *verdictTB) Failed() bool      { return len(v.errors) > 0 }
func (v *verdictTB) Error(args ...any) { v.errors = append(v.errors, fmt.Sprint(args...)) }
func (v *verdictTB) Log(args ...any)   { v.logs = append(v.logs, fmt.Sprint(args...)) }
func (v *verdictTB) Errorf(format string, args ...any) {
	v.errors = append(v.errors, fmt.Sprintf(format, args...))
}
func (v *verdictTB) Logf(format string, args ...any) {
	v.logs = append(v.logs, fmt.Sprintf(format, args...))
}

// slopeOf runs Slope against a testing.TB of its own.
func slopeOf(t *testing.T, sizes []int, flow func(testing.TB, int, *Recorder), opts ...Option) *verdictTB {
	t.Helper()
	v := &verdictTB{TB: t, name: t.Name()}
	Slope(v, sizes, flow, opts...)
	return v
}

func (v *verdictTB) passes(t *testing.T) {
	t.Helper()
	if len(v.errors) > 0 {
		t.Errorf("failed:\n%s", strings.Join(v.errors, "\n"))
	}
}

// fails wants one error that has these parts, in this order.
func (v *verdictTB) fails(t *testing.T, parts ...string) {
	t.Helper()
	if len(v.errors) != 1 {
		t.Errorf("%d errors, want one\n%s", len(v.errors), strings.Join(v.errors, "\n"))
		return
	}
	rest := v.errors[0]
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Errorf("no %q, or not in this order, in\n%s", p, v.errors[0])
			return
		}
		rest = after
	}
}
