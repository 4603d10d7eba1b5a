package suite

import (
	"strings"
	"testing"
)

// A statement's parameters are of a row of its data, of each in turn.
func TestStatementData(t *testing.T) {
	const text = "version: 1\nsuites: {db: {cases: [{name: a, sql: select $1 + $2, params: [\"{{x}}\", null], data: [{x: 1}, {x: 2}]}]}}\n"
	f, err := Parse("s.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &f.DB.Cases[0]
	for i, want := range []string{"1", "2", "1"} {
		if v := s.Values(i); string(v[0]) != want || v[1] != nil {
			t.Errorf("run %d: got %q", i, v)
		}
	}
	if _, err := Parse("s.yaml", []byte(strings.Replace(text, "{x: 2}", "{xx: 2}", 1))); err == nil || !strings.Contains(err.Error(), `params uses {{x}}, which data[1] does not have; did you mean "xx"?`) {
		t.Errorf("got %v", err)
	}
}
