package migrationscan

import (
	_ "embed"
	"regexp"

	"github.com/planvet/planvet/internal/pgast"
)

//go:embed supabase/supabase.sql
var supabaseSQL string

// SupabaseSQL makes the objects that a Supabase project finds in its database:
// roles, schemas, auth.users and auth.uid() and their like, storage, realtime,
// vault and extensions. It is valid on a fresh PostgreSQL with or without contrib.
// It sets the database's search_path, so a session must be opened after it.
func SupabaseSQL() string { return supabaseSQL }

var (
	platformUse  = regexp.MustCompile(`(?i)\bauth\s*\.\s*(?:uid|jwt|role|email)\s*\(|\bauth\.users\b|\bto\s+"?authenticated\b|\bstorage\.(?:objects|buckets)\b|\brealtime\.messages\b|\bsupabase_realtime\b`)
	platformMade = regexp.MustCompile(`(?i)\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?auth\s*\.\s*users\b|\bcreate\s+(?:or\s+replace\s+)?function\s+auth\s*\.\s*uid\b`)
)

// NeedsSupabase reports whether a set is a Supabase project's, or refers to its
// platform (auth.uid(), the role authenticated) without making it.
func NeedsSupabase(set Set) bool {
	if set.Format == "supabase" {
		return true
	}
	uses := false
	for _, s := range set.Scripts {
		if platformMade.MatchString(s.Text) {
			return false
		}
		uses = uses || platformUse.MatchString(s.Text)
	}
	return uses
}

// supabasePath is the search path of a Supabase database, and the statement that
// sets it.
var supabasePath = []string{"public", "extensions"}

const setSupabasePath = `SET search_path TO "$user", public, extensions`

// loadPlatform replays the platform's objects, flagged as such.
func (r *replayer) loadPlatform() {
	r.res.Supabase, r.platform = true, true
	start := r.start
	r.start = supabasePath
	r.run(&Script{Path: "supabase platform", Text: supabaseSQL})
	r.platform = false
	r.res.Statements = 0
	if start[0] != "public" || len(start) > 1 {
		r.start = start
		return
	}
	r.begin, r.reset = setSupabasePath, setSupabasePath
}

// extensionObjects are the types and functions of common extensions, so that
// their names resolve to the schema that the extension was put in.
var extensionObjects = map[string]struct{ types, functions map[string]string }{
	"citext":    {types: kindOf("base", "citext")},
	"hstore":    {types: kindOf("base", "hstore"), functions: kindOf("hstore", "hstore")},
	"ltree":     {types: kindOf("base", "ltree lquery ltxtquery")},
	"cube":      {types: kindOf("base", "cube")},
	"vector":    {types: kindOf("base", "vector halfvec sparsevec"), functions: kindOf("double precision", "cosine_distance l2_distance inner_product")},
	"postgis":   {types: kindOf("base", "geometry geography box2d box3d"), functions: kindOf("geometry", "st_makepoint st_setsrid st_point st_geomfromtext")},
	"uuid-ossp": {functions: kindOf("uuid", "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil")},
	"pgcrypto": {functions: union(kindOf("bytea", "digest hmac gen_random_bytes pgp_sym_encrypt pgp_sym_encrypt_bytea decrypt encrypt dearmor"),
		kindOf("text", "crypt gen_salt armor pgp_sym_decrypt"))},
	"pg_trgm": {functions: union(kindOf("real", "similarity word_similarity strict_word_similarity show_limit set_limit"),
		kindOf("text[]", "show_trgm"))},
	"unaccent":      {functions: kindOf("text", "unaccent")},
	"fuzzystrmatch": {functions: union(kindOf("integer", "levenshtein levenshtein_less_equal difference"), kindOf("text", "soundex metaphone dmetaphone dmetaphone_alt"))},
	"earthdistance": {types: kindOf("domain", "earth"), functions: kindOf("earth", "ll_to_earth")},
	"intarray":      {types: kindOf("base", "query_int"), functions: kindOf("integer[]", "uniq sort sort_asc sort_desc")},
	"pgjwt":         {functions: kindOf("text", "sign url_encode")},
	"moddatetime":   {functions: kindOf("trigger", "moddatetime")},
	"btree_gist":    {},
}

// extensionSchema is the schema that an extension's control file names.
var extensionSchema = map[string]string{
	"plpgsql": "pg_catalog", "pg_cron": "pg_catalog", "adminpack": "pg_catalog", "citus": "pg_catalog", "pg_tle": "pgtle",
	"pgmq": "pgmq", "pgsodium": "pgsodium", "pg_graphql": "graphql", "supabase_vault": "vault", "postgis_topology": "topology",
	"postgis_tiger_geocoder": "tiger",
}

func kindOf(value, names string) map[string]string {
	m := map[string]string{}
	for w := range words(names) {
		m[w] = value
	}
	return m
}

func union(a, b map[string]string) map[string]string {
	for k, v := range b {
		a[k] = v
	}
	return a
}

func (r *replayer) createExtension(s *pgast.CreateExtension) error {
	if _, ok := r.cat.Extensions[s.Name]; ok {
		if s.IfNotExists {
			return nil
		}
		return fail("extension %s already exists", s.Name)
	}
	r.cat.Extensions[s.Name] = r.place(int(s.At))
	if own := extensionSchema[s.Name]; own != "" && s.Schema == "" {
		// The extension makes its schema.
		r.schemas[own] = true
		r.cat.AddSchema(own)
		r.addExtensionObjects(own, s.Name)
		return nil
	}
	name, err := r.creation(pgast.Name{Schema: s.Schema, Name: s.Name})
	if err != nil {
		return err
	}
	r.addExtensionObjects(name.Schema, s.Name)
	return nil
}
