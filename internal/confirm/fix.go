package confirm

import (
	"github.com/planvet/planvet/internal/plan"
)

// apply runs a fix in the open transaction and returns the indexes that it made,
// those on partitions included. Where an index has expressions the tables are
// analyzed, because only then has the planner statistics for it.
func (a *asker) apply(ddl []string) ([]Index, string) {
	known, err := a.indexOIDs()
	if err != nil {
		return nil, "reading the catalog: " + message(err)
	}
	for _, sql := range ddl {
		if err := a.o.Server.Exec(a.ctx, plan.InPlace(sql)); err != nil {
			return nil, "applying the fix: " + message(err)
		}
	}
	rows, err := a.o.Server.Query(a.ctx, `select x.indexrelid::text, i.relname::text, x.indrelid::regclass::text, (x.indexprs is not null)::text
		from pg_index x join pg_class i on i.oid = x.indexrelid order by x.indexrelid`)
	if err != nil {
		return nil, "reading the catalog: " + message(err)
	}
	var made []Index
	for _, r := range rows {
		if known[*r[0]] {
			continue
		}
		made = append(made, Index{OID: *r[0], Name: *r[1]})
		if *r[3] == "true" {
			if err := a.o.Server.Exec(a.ctx, "analyze "+*r[2]); err != nil {
				return nil, "analyzing " + *r[2] + ": " + message(err)
			}
		}
	}
	return made, ""
}

func (a *asker) indexOIDs() (map[string]bool, error) {
	rows, err := a.o.Server.Query(a.ctx, "select indexrelid::text from pg_index")
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, r := range rows {
		out[*r[0]] = true
	}
	return out, nil
}

// show lets the planner see indexes, or hides them.
func (a *asker) show(all []Index, on bool) error {
	oids := make([]string, len(all))
	for i, x := range all {
		oids[i] = x.OID
	}
	return a.o.Server.Exec(a.ctx, plan.ValidSQL(oids, on))
}
