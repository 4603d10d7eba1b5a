package rlscheck_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkCheck judges the policies of tenants' tables, which share a helper function
// and look into the same table.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{20, 400} {
		var ddl, sql strings.Builder
		ddl.WriteString("create table members (id uuid primary key, tenant uuid not null);\n" +
			"create function tenants() returns setof uuid language sql stable security definer as 'select tenant from members';\n")
		for i := range n {
			fmt.Fprintf(&ddl, `create table t%[1]d (id bigint primary key, tenant uuid not null, parent bigint, note text);
alter table t%[1]d enable row level security;
create policy by_tenant on t%[1]d using (tenant in (select tenants()));
create policy by_member on t%[1]d for select using (exists (select 1 from members m where m.tenant = t%[1]d.tenant and m.id = current_setting('app.user')::uuid));
`, i)
			fmt.Fprintf(&sql, "-- role: app\nselect note from t%d where lower(note) = $1;\n", i)
		}
		cat := schema(b, ddl.String())
		b.Run(fmt.Sprintf("tables=%d", n), func(b *testing.B) {
			for range b.N {
				check(cat, sql.String())
			}
		})
	}
}
