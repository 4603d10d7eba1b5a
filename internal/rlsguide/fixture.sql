-- What the pairs run on: an application with users, teams and roles. The guide reads
-- 100,000 rows; here they are fewer, because the slowest form takes some milliseconds
-- for each. No column but the keys has an index.
create schema auth;
create function auth.uid() returns uuid language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid
$$;
create function person(n bigint) returns uuid language sql immutable as $$
  select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;

create table records (user_id uuid not null, team_id bigint not null, access text not null, id bigint primary key);
insert into records select person(i / 20), i % 50, 'level ' || i % 20, i from generate_series(1, $rows) i;

create table admins (user_id uuid not null, role text not null);
insert into admins select person(1000 + i), 'admin' from generate_series(1, 40) i;

create table levels (id bigint primary key, access text not null);
insert into levels select i, 'level ' || i from generate_series(0, 19) i;
create table grants (user_id uuid not null, level_id bigint not null);
insert into grants select person(i), i % 20 from generate_series(1, 600) i;

create table team_user (user_id uuid not null, team_id bigint not null);
insert into team_user select person(i), i % 50 from generate_series(1, 600) i;

create function is_admin() returns boolean language plpgsql security definer as $$ begin
  return exists (select 1 from admins where auth.uid() = user_id and role = 'admin');
end $$;
create function has_role() returns text language plpgsql security definer as $$ begin
  return (select l.access from grants g join levels l on l.id = g.level_id where auth.uid() = g.user_id);
end $$;
create function user_teams() returns bigint[] language plpgsql security definer as $$ begin
  return array(select team_id from team_user where auth.uid() = user_id);
end $$;

grant usage on schema auth to authenticated, anon;
grant select on records, team_user to authenticated, anon;
alter table records enable row level security;
