package live

import (
	"context"
	"errors"

	"github.com/planvet/planvet/internal/plan"
)

// Hypothetical lets f plan with indexes that exist for this session alone, by HypoPG,
// and hands it the names that plans have for them. Nothing of them is left afterwards.
// The error is plan.ErrNoHypoPG where the extension is missing, and HypoPG's own where
// it does not know an index, as GIN; f's is handed on.
func (s *Session) Hypothetical(ctx context.Context, ddl []string, f func(names []string) error) (err error) {
	where, err := s.Query(ctx, `select n.nspname::text from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
		where e.extname = 'hypopg'`)
	if err != nil {
		return err
	}
	if len(where) == 0 {
		return plan.ErrNoHypoPG
	}
	schema := quote(*where[0][0])
	// They outlive a rollback.
	defer func() {
		_, e := s.Query(ctx, "select "+schema+".hypopg_reset()")
		err = errors.Join(err, e)
	}()
	var names []string
	for _, sql := range ddl {
		sql = plan.InPlace(sql)
		made, err := s.Query(ctx, "select indexname::text from "+schema+".hypopg_create_index($1)", &sql)
		if err != nil {
			return err
		}
		for _, m := range made {
			names = append(names, *m[0])
		}
	}
	return f(names)
}
