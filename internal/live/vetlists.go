package live

import "strings"

// harmless are volatile functions that do nothing but return a value. All others
// that are built in and volatile are refused: they end sessions, lock, wait, read
// and write files, advance sequences, reload the configuration, send messages.
var harmless = []string{
	"random", "random_normal", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7",
	"uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "gen_random_bytes", "gen_salt",
	"pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_total_relation_size", "pg_database_size",
	"bernoulli", "system", "system_rows", "system_time", // TABLESAMPLE
	"pg_is_in_recovery", "pg_current_wal_lsn", "currval", "lastval",
}

// ownOnly are refused on a server that the user names and do no harm on one of
// planvet's own.
var ownOnly = []string{"setval", "set_config", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_try_advisory_xact_lock", "pg_notify"}

// runsText tells the built-in functions that are not volatile and yet run a query
// that is not in the statement.
func runsText(name string) bool {
	return strings.HasSuffix(name, "_to_xml") || strings.HasSuffix(name, "_to_xmlschema") || strings.HasSuffix(name, "_to_xml_and_xmlschema")
}

// harmlessExtensions are those whose functions compute, and neither run SQL texts nor
// reach files or other servers.
var harmlessExtensions = []string{
	"btree_gin", "btree_gist", "citext", "cube", "dict_int", "earthdistance", "fuzzystrmatch", "h3", "hll", "hstore",
	"intarray", "ip4r", "isn", "ltree", "pg_trgm", "pg_uuidv7", "pgcrypto", "postgis", "prefix", "rum", "seg", "semver",
	"smlar", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "vector",
}

// dangerous are names in a body that a planner should not run: what they do outlives
// the transaction, or another session feels it.
const dangerous = `\y(pg_terminate_backend|pg_cancel_backend|pg_(try_)?advisory_\w+|pg_sleep\w*|pg_read_\w+|pg_write_\w+|pg_ls_\w+|lo_(import|export|unlink|create|put|from_bytea)|` +
	`dblink\w*|pg_reload_conf|pg_switch_wal|pg_rotate_logfile|pg_create_\w+|pg_drop_\w+|pg_logical_\w+|pg_promote|pg_file_\w+|http_(get|post|put|patch|delete))\y`
