package params_test

import (
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
)

func orders() *catalog.Catalog {
	c := catalog.New()
	for name, cols := range map[string][]string{"orders": {"id", "customer_id", "state", "note"}, "customers": {"id", "email"}} {
		r := &catalog.Relation{Name: catalog.Name{Schema: "public", Name: name}, Kind: catalog.Table}
		for _, col := range cols {
			r.Columns = append(r.Columns, &catalog.Column{Name: col, Type: "text"})
		}
		c.AddRelation(r)
	}
	return c
}

// What each parameter is compared with, and the value that a column's becomes.
func TestComparisons(t *testing.T) {
	for _, c := range []struct {
		sql                        string
		alias, column, op, of, got string
	}{
		{"select * from orders where state = $1", "orders", "state", "=", "open", "open"},
		{"select * from orders o where $1 < o.id", "o", "id", ">", "7", "7"},
		{"select * from orders o join customers c on c.id = o.customer_id where c.email like $1", "c", "email", "like", "somebody@x", "%mebody%"},
		{"select * from customers where email like '%' || $1 || '%'", "customers", "email", "like", "somebody@x", "mebody"},
		{"select * from customers where email like $1 || '%'", "customers", "email", "like", "somebody@x", "somebo"},
		{"select * from customers where email ilike concat($1::text, '%')", "customers", "email", "like", "so_%y", "soy"},
		{"select * from customers where email like concat('%', $1::text, '%')", "customers", "email", "like", "somebody@x", "mebody"},
		{"select * from orders where state = any ($1)", "orders", "state", "any", `a"b`, `{"a\"b"}`},
		{"select * from orders where state in ($1, 'x')", "orders", "state", "=", "open", "open"},
		{"update orders set note = $1", "orders", "note", "set", "n", "n"},
		{"select * from orders limit $1", "", "", "limit", "", ""},
		{"select * from orders offset $1", "", "", "offset", "", ""},
		{"select $1", "", "", "", "", ""},
	} {
		stmt, err := pgast.Parse(c.sql)
		if err != nil {
			t.Fatal(err)
		}
		got := params.Comparisons(stmt, params.NewScope(orders(), stmt, params.Focus{}))[1]
		column := ""
		if len(got.Columns) == 1 {
			column = got.Columns[0]
		}
		if got.Alias != c.alias || column != c.column || got.Op != c.op {
			t.Errorf("%s: %+v", c.sql, got)
		}
		if c.column != "" {
			if v := got.Shape(c.of, "text"); v != c.got {
				t.Errorf("%s: %s becomes %s, want %s", c.sql, c.of, v, c.got)
			}
		}
	}
}
