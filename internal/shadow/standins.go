package shadow

import "strings"

// textLike makes a type that stores text and takes a modifier as vector(1536) has
// it: a base type over the server's own functions. modifier is the function that
// reads it; varchartypmodin keeps a number, array_ndims takes any list and
// forgets it.
func textLike(name, modifier, modifierOut string) string {
	out := ""
	if modifierOut != "" {
		out = ", typmod_out = varchartypmodout"
	}
	return strings.NewReplacer("NAME", name, "MODIFIER", modifier, "OUT", out).Replace(`
		create type NAME;
		create function NAME_in(cstring) returns NAME language internal immutable strict as 'textin';
		create function NAME_out(NAME) returns cstring language internal immutable strict as 'textout';
		create function NAME_modifier(cstring[]) returns integer language internal immutable strict as 'MODIFIER';
		create type NAME (input = NAME_in, output = NAME_out, typmod_in = NAME_modifierOUT, like = text);
		create cast (NAME as text) without function; create cast (text as NAME) without function as assignment`)
}

// standIns are by extension; they are made in the extension's schema, except
// where the extension has one of its own.
var standIns = map[string]string{
	"vector": textLike("vector", "varchartypmodin", "number") + ";" +
		textLike("halfvec", "varchartypmodin", "number") + ";" + textLike("sparsevec", "varchartypmodin", "number"),
	"postgis": textLike("geometry", "array_ndims", "") + ";" + textLike("geography", "array_ndims", ""),
	"uuid-ossp": `
		create function uuid_generate_v4() returns uuid language sql volatile as 'select gen_random_uuid()';
		create function uuid_generate_v1() returns uuid language sql volatile as 'select gen_random_uuid()'`,
	"pg_cron": `
		create schema if not exists cron;
		create table cron.job (jobid bigint primary key, schedule text, command text, jobname text, active boolean);
		create function cron.schedule(text, text) returns bigint language sql as 'select 1::bigint';
		create function cron.schedule(text, text, text) returns bigint language sql as 'select 1::bigint';
		create function cron.unschedule(text) returns boolean language sql as 'select true';
		create function cron.unschedule(bigint) returns boolean language sql as 'select true'`,
	"pg_net": `
		create schema if not exists net;
		create function net.http_get(url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 1000)
			returns bigint language sql as 'select 1::bigint';
		create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 1000)
			returns bigint language sql as 'select 1::bigint'`,
}
