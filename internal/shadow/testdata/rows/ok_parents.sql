create table tenants (id uuid primary key default gen_random_uuid(), slug text not null unique);
create table users (id bigserial primary key, tenant_id uuid not null references tenants, email varchar(80) not null, unique (tenant_id, email));
create table profiles (user_id bigint primary key references users, bio text);
create table t (
  id uuid primary key, tenant_id uuid not null references tenants, user_id bigint references users on delete set null,
  profile bigint not null unique references profiles, parent_id uuid references t
);
