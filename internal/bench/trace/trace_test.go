package trace

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
)

func TestRoundTrip(t *testing.T) {
	run := []gate.Epoch{
		{Rounds: []gate.Round{
			{A: gate.Arm{Samples: []float64{1.25, 0.30000000000000004}, Bytes: 512}, B: gate.Arm{Samples: []float64{1e-3}, Errors: 1, Dropped: 2}},
			{A: gate.Arm{Samples: []float64{2}}, B: gate.Arm{Samples: []float64{}, Errors: 3}},
		}},
		{Rounds: []gate.Round{{A: gate.Arm{Samples: []float64{3}}, B: gate.Arm{Samples: []float64{4}}}}},
	}
	var file bytes.Buffer
	if err := Write(&file, Header{Case: "orders by day", Server: "PostgreSQL 18"}, run); err != nil {
		t.Fatal(err)
	}
	const first = `{"planvet_trace":1,"case":"orders by day","server":"PostgreSQL 18"}
{"epoch":0,"round":0,"arm":"A","samples_ms":[1.25,0.30000000000000004],"bytes":512}
`
	if !strings.HasPrefix(file.String(), first) {
		t.Errorf("the file begins\n%s", file.String())
	}
	h, got, err := Read(&file)
	if err != nil || h != (Header{Version: 1, Case: "orders by day", Server: "PostgreSQL 18"}) || !reflect.DeepEqual(got, run) {
		t.Errorf("%+v %+v %v", h, got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	const head = `{"planvet_trace":1,"case":"c"}` + "\n"
	a := func(epoch, round string) string {
		return `{"epoch":` + epoch + `,"round":` + round + `,"arm":"A","samples_ms":[1]}` + "\n"
	}
	b := func(epoch, round string) string { return strings.Replace(a(epoch, round), `"A"`, `"B"`, 1) }
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "line 1: no header"},
		{"no header", a("0", "0"), "line 1: json: unknown field"},
		{"another version", `{"planvet_trace":2,"case":"c"}`, "line 1: planvet_trace is 2, this reads 1"},
		{"unknown key", head + `{"epoch":0,"round":0,"arm":"A","sample_ms":[1]}`, `line 2: json: unknown field "sample_ms"`},
		{"cut off", head + a("0", "0") + `{"epoch":0,"rou`, "line 3: unexpected EOF"},
		{"another arm", head + strings.Replace(a("0", "0"), `"A"`, `"C"`, 1), `line 2: arm is "C"`},
		{"no time", head + strings.Replace(a("0", "0"), `[1]`, `[1,0]`, 1), "line 2: a sample of 0 ms"},
		{"twice", head + a("0", "0") + a("0", "0"), "line 3: arm A of epoch 0, round 0 stands twice"},
		{"one arm", head + a("0", "0") + b("0", "0") + b("0", "1"), "the last round has arm B alone"},
		{"one arm inside", head + a("0", "0") + a("0", "1"), "line 3: epoch 0, round 1 begins"},
		{"a gap", head + a("0", "0") + b("0", "0") + a("0", "2"), "line 4: epoch 0, round 2 is not the next"},
		{"starts late", head + a("1", "0"), "line 2: epoch 1, round 0 is not the next"},
		{"back", head + a("0", "0") + b("0", "0") + a("1", "0") + b("1", "0") + a("0", "1"), "line 6: epoch 0, round 1 is not the next"},
	} {
		_, _, err := Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, run, err := Read(strings.NewReader(head + b("0", "0") + a("0", "0"))); err != nil || len(run) != 1 {
		t.Errorf("B before A: %v", err)
	}
}
