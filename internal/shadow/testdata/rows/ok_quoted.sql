create type "Status Kind" as enum ('It''s open', 'B');
create table "Parent Table" ("Id" uuid primary key);
create table t ("Id" bigint primary key, "Parent Id" uuid not null references "Parent Table", "select" text not null, "Status" "Status Kind" not null);
