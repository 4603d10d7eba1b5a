package nplusone_test

import (
	"testing"

	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

// TestComplete: the arrays get the types of their columns, without lengths.
func TestComplete(t *testing.T) {
	c := catalog.New()
	columns := []*catalog.Column{
		{Name: "id", Type: "bigint"},
		{Name: "code", Type: "character varying(20)"},
		{Name: "flag", Type: "character(1)"},
		{Name: "at", Type: "timestamp(3) with time zone"},
		{Name: "kind", Type: "kind", TypeName: catalog.Name{Schema: "public", Name: "kind"}},
		{Name: "spot", Type: "spot", TypeName: catalog.Name{Schema: "public", Name: "spot"}},
		{Name: "tags", Type: "text[]"},
		{Name: "item_code", Type: "text"},
	}
	c.AddRelation(&catalog.Relation{Name: catalog.Name{Schema: "public", Name: "parts"}, Kind: catalog.Table, Columns: columns, Indexes: []*catalog.Index{
		{Name: "parts_pkey", Unique: true, Keys: []catalog.IndexKey{{Column: "id"}}},
	}})
	c.AddType(&catalog.Type{Name: catalog.Name{Schema: "public", Name: "kind"}, Kind: "enum"})
	c.AddType(&catalog.Type{Name: catalog.Name{Schema: "public", Name: "spot"}, Kind: "composite"})
	for _, x := range []struct {
		sql       string
		columns   []string
		want, fix string
	}{
		{"INSERT INTO parts (id, flag) SELECT u.id, u.flag FROM unnest($1, $2) AS u(id, flag) RETURNING at", []string{"id", "flag"},
			"INSERT INTO parts (id, flag) SELECT u.id, u.flag FROM unnest($1::bigint[], $2::bpchar[]) AS u(id, flag) RETURNING at",
			"INSERT INTO parts (id, flag) SELECT u.id, u.flag FROM unnest($1::bigint[], $2::bpchar[]) AS u(id, flag) RETURNING id, at"},
		{"SELECT id FROM parts WHERE ROW(at, kind) IN (SELECT * FROM unnest($1, $2))", []string{"at", "kind"},
			"SELECT id FROM parts WHERE ROW(at, kind) IN (SELECT * FROM unnest($1::timestamp with time zone[], $2::kind[]))",
			"SELECT at, kind, id FROM parts WHERE ROW(at, kind) IN (SELECT * FROM unnest($1::timestamp with time zone[], $2::kind[]))"},
		{"DELETE FROM parts WHERE ROW(id, at) IN (SELECT * FROM unnest($1, $2::date[]))", []string{"id", "at"},
			"DELETE FROM parts WHERE ROW(id, at) IN (SELECT * FROM unnest($1::bigint[], $2::date[]))",
			"DELETE FROM parts WHERE ROW(id, at) IN (SELECT * FROM unnest($1::bigint[], $2::date[]))"},
		{"INSERT INTO parts (id, tags) SELECT u.id, u.tags FROM unnest($1, $2) AS u(id, tags)", []string{"id", "tags"}, "", ""},
		{"INSERT INTO parts (id, spot) SELECT u.id, u.spot FROM unnest($1, $2) AS u(id, spot)", []string{"id", "spot"}, "", ""},
		{"INSERT INTO parts (id, lost) SELECT u.id, u.lost FROM unnest($1, $2) AS u(id, lost)", []string{"id", "lost"}, "", ""},
		{"UPDATE parts SET code = u.item_code FROM unnest($1, $2) AS u(item_id, item_code) WHERE id = u.item_id", []string{"id", "code"}, "", ""},
	} {
		f := rules.Finding{Fix: &rules.Fix{Note: "n"}, Probe: &rules.Probe{Schema: "public", Table: "parts", SetSQL: x.sql, ItemParams: []int{1, 2}, ItemColumns: x.columns}}
		nplusone.Complete(&f, c)
		fix := ""
		if len(f.Fix.SQL) == 1 {
			fix = f.Fix.SQL[0]
		}
		if f.Probe.SetSQL != x.want || fix != x.fix {
			t.Errorf("%s\n gives %s\n  want %s\n fix %s\nwant %s", x.sql, f.Probe.SetSQL, x.want, fix, x.fix)
		}
	}
}
