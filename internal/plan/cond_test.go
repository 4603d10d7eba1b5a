package plan

import (
	"slices"
	"testing"
)

func TestConditionKeys(t *testing.T) {
	for _, c := range []struct {
		name, cond, alias string
		keys              []string
		want              []int
		unexplained       bool
	}{
		{"ok_single", "(o.tenant_id = $1)", "o", []string{"tenant_id"}, []int{0}, false},
		{"ok_two", "((o.tenant_id = $1) AND (o.created_at > now()))", "o", []string{"tenant_id", "created_at"}, []int{0, 1}, false},
		{"ok_later_only", "(o.created_at > now())", "o", []string{"tenant_id", "created_at"}, []int{1}, false},
		{"ok_cast", "((o.name)::text = 'a AND (b'::text)", "o", []string{"name"}, []int{0}, false},
		{"ok_expression", "(lower((o.name)::text) = 'x'::text)", "o", []string{"lower((name)::text)"}, []int{0}, false},
		{"ok_operator_expression", "((o.a || o.b) = 'x'::text)", "o", []string{"((a || b))"}, []int{0}, false},
		{"ok_row", "(ROW(o.created_at, o.id) < ROW($1, $2))", "o", []string{"created_at", "id"}, []int{0}, false},
		{"ok_any", "(o.id = ANY ('{1,2}'::bigint[]))", "o", []string{"id"}, []int{0}, false},
		{"ok_param", "(orders.customer_id = c.id)", "orders", []string{"customer_id"}, []int{0}, false},
		{"ok_quoted", `("Orders"."Tenant" = 5)`, "Orders", []string{`"Tenant"`}, []int{0}, false},
		{"ok_json", "((o.data ->> 'k'::text) = 'v'::text)", "o", []string{"((data ->> 'k'::text))"}, []int{0}, false},
		{"ok_timestamp_cast", "((o.at)::timestamp without time zone > now())", "o", []string{"at"}, []int{0}, false},
		{"ok_not_null_selects_nothing", "(o.deleted_at IS NOT NULL)", "o", []string{"deleted_at"}, nil, false},
		{"ok_null", "(o.deleted_at IS NULL)", "o", []string{"deleted_at"}, []int{0}, false},
		{"ok_alias_in_literal", "(o.name = 'o.name'::text)", "o", []string{"name"}, []int{0}, false},
		{"err_other_column", "(o.x = 1)", "o", []string{"tenant_id"}, nil, true},
		{"ok_none", "", "o", []string{"tenant_id"}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, unexplained := conditionKeys(c.cond, c.alias, c.keys)
			if !slices.Equal(got, c.want) || unexplained != c.unexplained {
				t.Errorf("got %v, %v; want %v, %v", got, unexplained, c.want, c.unexplained)
			}
		})
	}
}

func FuzzConditionKeys(f *testing.F) {
	f.Add("((a.b = $1) AND (c = 'x'))", "a", "b")
	f.Add("'(", `"`, ")::x")
	f.Fuzz(func(t *testing.T, cond, alias, key string) {
		conditionKeys(cond, alias, []string{key}) // must end, and not panic
	})
}
