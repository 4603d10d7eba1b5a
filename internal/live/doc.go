// Package live is a safe session on a PostgreSQL server: on a database that a
// user names everything runs in a READ ONLY transaction with timeouts that is
// always rolled back. It plans statements as a role with settings, and loads a
// catalog that equals the one that migrationscan replays from files.
package live
