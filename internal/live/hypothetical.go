package live

import (
	"context"
	"errors"
	"regexp"
)

// ErrNoHypoPG says that a server cannot plan with indexes that it does not have.
var ErrNoHypoPG = errors.New("HypoPG is not on this server")

var concurrently = regexp.MustCompile(`(?i)^(\s*create\s+(?:unique\s+)?index\s+)concurrently\b`)

// Hypothetical lets f plan with indexes that exist for this session alone, by HypoPG:
// show makes them seen, or unseen, and names are what plans call them; they are known
// once they were shown. Nothing of them is left afterwards. The error is ErrNoHypoPG
// where the extension is missing, and HypoPG's own where it does not know an index, as
// GIN.
func (s *Session) Hypothetical(ctx context.Context, ddl []string, f func(show func(on bool) error, names []string) error) (err error) {
	rows, err := s.Query(ctx, "select 1 from pg_catalog.pg_extension where extname = 'hypopg'")
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return ErrNoHypoPG
	}
	// They outlive a rollback.
	reset := func() error {
		_, err := s.Query(ctx, "select hypopg_reset()")
		return err
	}
	make := func() (names []string, err error) {
		for _, sql := range ddl {
			sql = concurrently.ReplaceAllString(sql, "$1")
			made, err := s.Query(ctx, "select indexname::text from hypopg_create_index($1)", &sql)
			if err != nil {
				return nil, err
			}
			for _, m := range made {
				names = append(names, *m[0])
			}
		}
		return names, nil
	}
	defer func() { err = errors.Join(err, reset()) }()
	names, err := make()
	if err != nil {
		return err
	}
	return f(func(on bool) error {
		if !on {
			return reset()
		}
		if err := reset(); err != nil {
			return err
		}
		again, err := make()
		copy(names, again) // HypoPG numbers them anew
		return err
	}, names)
}
