// Package memory keeps what was tried and what it gave: a task, its outcome, the
// figures before and after, what was learned. Entries are added by hand or taken from
// what check, gate and bench wrote, found again by words, tags, category, rule and
// fingerprint, and recalled where the same shape is found later.
//
// A store is an SQLite file or a schema of a PostgreSQL; both keep the same entries and
// answer the same queries. Secrets, and the constants of the statement, are masked
// before an entry is stored; other constants of SQL when it is exported.
package memory
