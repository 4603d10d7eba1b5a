package suite

import (
	"strings"
	"testing"
	"time"
)

const flowsFile = `version: 1
suites:
  e2e:
    base_url: http://${FLOW_HOST}
    database_url: ${FLOW_DB}
    flows:
      - name: slip lifecycle
        service: RatingSlip
        data: [{guest: "${FLOW_GUEST}"}]
        steps:
          - {name: open, operation: Open, state: open, method: POST, path: /slips, body: '{"guest": "{{guest}}", "n": {{run}}}', capture: {slip: "$.slips[0].id", etag: header ETag}}
          - {name: look, think: 250ms, sql: select 1 as n where 1 = $1, params: ["{{slip}}"], capture: {n: n}}
          - parallel: [{name: a, path: "/a/{{n}}"}, {name: b, path: /b, headers: {if-match: "{{etag}}"}}]
`

func TestFlows(t *testing.T) {
	f, err := Parse("s.yaml", []byte(flowsFile))
	if err != nil {
		t.Fatal(err)
	}
	if l := f.E2E.Flows[0].Load; l.Rate != e2eRate || l.Workers != e2eWorkers || l.Warmup != e2eWarmup || l.Timeout != 10*time.Second {
		t.Errorf("got %+v", l)
	}
	if _, err := f.Expand(nil, "e2e"); err == nil || err.Error() != "suite e2e: the environment has no FLOW_DB, FLOW_GUEST, FLOW_HOST" {
		t.Errorf("got %v", err)
	}
	x, err := f.Expand(map[string]string{"FLOW_DB": "d", "FLOW_HOST": "h", "FLOW_GUEST": "7"}, "e2e")
	if err != nil || x.E2E.BaseURL != "http://h" || x.E2E.DatabaseURL != "d" || x.E2E.Flows[0].Data[0]["guest"] != "7" {
		t.Errorf("got %+v, %v", x.E2E, err)
	}
	flat := x.E2E.Flows[0].Flat()
	if len(flat) != 4 || flat[0].Request.Method != "POST" || flat[1].Statement == nil || flat[1].Think != 250*time.Millisecond || flat[3].Name != "b" || f.E2E.BaseURL != "http://${FLOW_HOST}" {
		t.Errorf("got %+v", flat)
	}
}

// What a file of flows gets wrong has its line, and the nearest name.
func TestFlowMistakes(t *testing.T) {
	for _, c := range [][3]string{
		{"capture:", "captures:", `s.yaml:11:130: unknown key "suites.e2e.flows[0].steps[0].captures"; did you mean "capture"?`},
		{"{{guest}}", "{{gest}}", `uses {{gest}}, which no step before it captures; did you mean "guest"?`},
		{"{{n}}", "{{later}}", "step a uses {{later}}, which no step before it captures"},
		{"$.slips[0].id", "slips.id", `write $.id of a JSON body, or header NAME`},
		{"$.slips[0].id", "$.slips[*].id", `"[*].id" is neither .key nor [0]`},
		{"capture: {n: n}", "capture: {n: $.n}", "captured by the name of a column"},
		{"sql: select 1 as n where 1 = $1", "sql: select 1, path: /x", "needs path, or sql, and not both"},
		{"name: look, ", "", "steps[1] has no name"},
		{"name: look", "name: open", `two steps are named "open"`},
		{"parallel: [", "name: both\n            parallel: [", "a group has think and parallel alone"},
		{"    database_url: ${FLOW_DB}\n", "", "has no database_url, and flow slip lifecycle has SQL"},
		{"    base_url: http://${FLOW_HOST}\n", "", "has no base_url, and step open"},
		{"think: 250ms", "think: soon", `"soon" is no duration`},
		{"service: RatingSlip", "servce: RatingSlip", `did you mean "service"?`},
	} {
		if !strings.Contains(flowsFile, c[0]) {
			t.Fatalf("%s is not in the file", c[0])
		}
		if _, err := Parse("s.yaml", []byte(strings.Replace(flowsFile, c[0], c[1], 1))); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: got %v, want %s", c[1], err, c[2])
		}
	}
}

func TestPath(t *testing.T) {
	body := []byte(`{"id": "x y", "n": 12.50, "none": null, "list": [{"a b": true}, 2]}`)
	for path, want := range map[string]string{"$.id": "x y", "$.n": "12.50", "$.list[0]['a b']": "true", "$.list[1]": "2", "$['list'][0]": `{"a b": true}`, "$.none": "-", "$.list[7]": "-", "$.id.x": "-", "$.other": "-"} {
		p, err := ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.In(body)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	for _, bad := range []string{"", "id", "$id", "$..id", "$.a[", "$.a[x]"} {
		if _, err := ParsePath(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}
