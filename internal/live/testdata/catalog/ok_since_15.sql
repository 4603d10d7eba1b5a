create table t (a integer, b integer, unique nulls not distinct (a, b));
create view v with (security_invoker = true) as select a from t;
