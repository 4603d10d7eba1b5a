package confirm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/rules"
)

// On a server that the user names nothing is confirmed without HypoPG, a path that
// is there refutes, and nothing is written.
func TestNamedServer(t *testing.T) {
	e := newEnv(t, schema)
	ctx := context.Background()
	s, err := live.Connect(ctx, e.url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	e.opts = confirm.Options{Server: s, Live: true, Settings: map[string]string{"app.tenant": "a"}}
	for _, c := range []struct {
		name   string
		probe  *rules.Probe
		want   rules.Status
		reason string
	}{
		{"statement without a path", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where customer_id = $1", Schema: "public", Table: "orders", Alias: "orders",
			Apply: []string{"create index on orders (customer_id)"},
		}, rules.Inconclusive, "needs HypoPG"},
		{"statement with a path", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where tenant_id = $1", Schema: "public", Table: "orders", Alias: "orders",
		}, rules.Refuted, "access path"},
		{"unknown role", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where tenant_id = $1", Role: "nobody_here", Schema: "public", Table: "orders", Alias: "orders",
		}, rules.Inconclusive, `role "nobody_here" does not exist`},
		{"foreign key", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders", Columns: []string{"tenant_id"}, RefSchema: "public", RefTable: "tenants", RefColumns: []string{"id"},
		}, rules.Refuted, "access path"},
		{"loop", &rules.Probe{Kind: rules.ProbePerItem, SQL: "select 1"}, rules.Inconclusive, "--confirm shadow"},
		{"fact", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "x", SQL: "select true"}}}, rules.Confirmed, ""},
		{"fact that writes", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "x", SQL: "create table made ()"}}}, rules.Inconclusive, "read-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ask(t, e, rules.Finding{Rule: "r", Probe: c.probe})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v, want %s because %q", v, c.want, c.reason)
			}
		})
	}
}
