package suite

import (
	"os"
	"strings"
	"testing"
	"time"
)

const good = `version: 1
suites:
  api:
    base_url: ${SUITE_TEST_URL}
    headers: {authorization: "Bearer ${SUITE_TEST_TOKEN}"}
    rate: 20
    cases:
      - path: /slips
        service: RatingSlip
        expect: {status: 200, contains: '"id"'}
      - name: close
        method: POST
        path: /slips/1/close
        body: '{"by": 7}'
        rate: 2.5
        duration: 3s
  db:
    cases:
      - name: by guest
        sql: select * from visits where guest = $1 and note is not distinct from $2
        params: [7, null]
        role: authenticated
        claims: {sub: u1, roles: [host]}
        iterations: 500
`

func TestParse(t *testing.T) {
	f, err := Parse("suites.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	slips, closing, guest := f.API.Cases[0], f.API.Cases[1], f.DB.Cases[0]
	if slips.Name != "GET /slips" || slips.Operation != "GET /slips" || slips.Load.Rate != 20 || slips.Expect.Status != 200 || slips.Load.Timeout != defaultTimeout {
		t.Errorf("got %+v", slips)
	}
	if closing.Load.Rate != 2.5 || closing.Load.Duration != 3*time.Second || closing.Load.Workers != defaultWorkers || closing.Operation != "close" {
		t.Errorf("got %+v", closing)
	}
	if *guest.Params[0] != "7" || guest.Params[1] != nil || guest.Claims["sub"] != "u1" || guest.Protocol != "prepared" || guest.Load.Iterations != 500 || guest.Load.Warmup != 6 || guest.Load.Rate != 0 || f.DB.URL != "${DATABASE_URL}" {
		t.Errorf("got %+v", guest)
	}
}

// What is wrong is named with its line and, of a key, the nearest one.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"base_url:", "base_ur:", `s.yaml:4:5: unknown key "suites.api.base_ur"; did you mean "base_url"?`},
		{"contains:", "contain:", `s.yaml:10:31: unknown key "suites.api.cases[0].expect.contain"; did you mean "contains"?`},
		{"    rate: 20", "    ratee: 20", `s.yaml:6:5: unknown key "suites.api.ratee"; did you mean "rate"?`},
		{"rate: 2.5", "rate: fast", "s.yaml:15:15: suites.api.cases[1].rate must be arrivals per second"},
		{"rate: 2.5", "rate: 0", "must be arrivals per second"},
		{"duration: 3s", "duration: 3", `s.yaml:16:19: suites.api.cases[1].duration: "3" is no duration`},
		{"iterations: 500", "iterations: 0", "is not 1 or more"},
		{"iterations: 500", "protocol: extended", "is not one of prepared, simple"},
		{"iterations: 500", "warmup: 2", "under the 6 runs"},
		{"name: close", "name: GET /slips", `two cases are named "GET /slips"`},
		{"path: /slips\n", "method: GET\n", "suites.api.cases[0] has no path"},
		{"  db:", "  bd:", `unknown key "suites.bd": the keys here are api, db`},
		{"version: 1", "version: 2", "version 2 is not one that this planvet reads"},
		{good, "version: 1\n", "no suites"},
		{good, "version: 1\nsuites: {api: {base_url: x}}\n", "suites.api has no cases"},
		{good, "", "no suites"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%q is not in the file", c.old)
		}
		if _, err := Parse("s.yaml", []byte(strings.Replace(good, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.new, err, c.want)
		}
	}
}

// What comes from the environment is put in, and what is not there is named.
func TestExpand(t *testing.T) {
	f, err := Parse("s.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUITE_TEST_URL", "http://127.0.0.1:1")
	if _, err := f.API.Expand(); err == nil || !strings.Contains(err.Error(), "the environment has no SUITE_TEST_TOKEN") {
		t.Errorf("got %v", err)
	}
	t.Setenv("SUITE_TEST_TOKEN", "secret")
	a, err := f.API.Expand()
	if err != nil || a.BaseURL != "http://127.0.0.1:1" || a.Headers["authorization"] != "Bearer secret" {
		t.Errorf("got %+v, %v", a, err)
	}
	if f.API.Headers["authorization"] == "Bearer secret" {
		t.Error("the file that was read has the secret")
	}
}

// The example of the documentation is a file that is read.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/bench.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	f, err := Parse("docs/bench.md", []byte(text))
	if err != nil || len(f.API.Cases) != 2 || len(f.DB.Cases) != 2 || f.DB.Cases[0].Role != "authenticated" {
		t.Errorf("got %+v, %v", f, err)
	}
}
