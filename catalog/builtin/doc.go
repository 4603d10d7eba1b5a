// Package builtin says what PostgreSQL's own operators, functions, operator
// classes and casts are: leakproof or not, strict, volatile, member of which
// operator family. The tables are generated from pg_operator, pg_proc, pg_amop,
// pg_opclass, pg_opfamily and pg_cast of PostgreSQL 13 to 18 by the program in
// gen; the oldest version is held whole and each later one as its difference.
//
// Types are named as format_type prints them: bigint, character varying,
// timestamp with time zone, text[]. A modifier, as in character varying(20), is
// for the caller to cut off.
package builtin
