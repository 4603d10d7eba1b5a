package live

import "slices"

// relations looks at what reading, or writing, relations calls beside what is in the
// tree: generated columns, and for writes defaults, checks and triggers.
func (v *vetter) relations(ids []uint32, writes bool) error {
	var fresh []uint32
	for _, id := range ids {
		if id >= firstUser && !v.rels[id] {
			v.rels[id] = true
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	all, err := v.below(fresh, writes)
	if err != nil {
		return err
	}
	foreign, err := v.s.Query(v.ctx, `select n.nspname || '.' || c.relname from pg_catalog.pg_class c
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = any ($1::oid[]) and c.relkind = 'f' order by 1 limit 1`, oidList(all))
	if err != nil {
		return err
	}
	if len(foreign) > 0 && !v.o.Foreign {
		return &Refusal{Reason: "the statement reads the foreign table " + *foreign[0][0] + ": another server or a program does the work", Flag: "--allow-remote-analyze"}
	}
	if err := v.trees("select adbin::text from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where d.adrelid = any ($1::oid[]) and a.attgenerated <> ''", all); err != nil || !writes {
		return err
	}
	if err := v.trees("select conbin::text from pg_catalog.pg_constraint where contype = 'c' and conrelid = any ($1::oid[])", all); err != nil {
		return err
	}
	if err := v.trees("select unnest(array[indexprs::text, indpred::text]) from pg_catalog.pg_index where indrelid = any ($1::oid[])", all); err != nil {
		return err
	}
	if err := v.trees("select tgqual::text from pg_catalog.pg_trigger where tgrelid = any ($1::oid[])", all); err != nil {
		return err
	}
	return v.triggers(all)
}

// below are relations with their partitions and, for writes, with the tables whose
// foreign keys refer to them: they may be written too.
func (v *vetter) below(ids []uint32, writes bool) ([]uint32, error) {
	sql := `with recursive r(id) as (select unnest($1::oid[]) union select i.inhrelid from r join pg_catalog.pg_inherits i on i.inhparent = r.id) select id::text from r`
	if writes {
		sql = `with recursive l(p, c) as (select inhparent, inhrelid from pg_catalog.pg_inherits
				union all select confrelid, conrelid from pg_catalog.pg_constraint where contype = 'f'),
			r(id) as (select unnest($1::oid[]) union select l.c from r join l on l.p = r.id) select id::text from r`
	}
	rows, err := v.s.Query(v.ctx, sql, oidList(ids))
	return firstOIDs(rows), err
}

func (v *vetter) triggers(ids []uint32) error {
	rows, err := v.s.Query(v.ctx, `select t.tgfoid::text, t.tgname::text, n.nspname || '.' || c.relname from pg_catalog.pg_trigger t
		join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where t.tgrelid = any ($1::oid[]) and not t.tgisinternal and t.tgenabled <> 'D' order by 3, 2`, oidList(ids))
	if err != nil {
		return err
	}
	for _, r := range rows {
		v.warn("trigger " + *r[1] + " of " + *r[2] + " runs; what it does outside of the transaction stays after the rollback")
	}
	return v.functions(firstOIDs(rows))
}

// stored looks at relations that a body names: the trees of views and of policies are
// not in a tree then.
func (v *vetter) stored(ids []uint32) error {
	if len(ids) == 0 || !slices.ContainsFunc(ids, func(id uint32) bool { return !v.rels[id] }) {
		return nil
	}
	if err := v.relations(ids, false); err != nil {
		return err
	}
	rows, err := v.s.Query(v.ctx, `select ev_action::text from pg_catalog.pg_rewrite where ev_class = any ($1::oid[])
		union all select polqual::text from pg_catalog.pg_policy where polrelid = any ($1::oid[]) and polqual is not null`, oidList(ids))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := v.tree(*r[0]); err != nil {
			return err
		}
		if err := v.stored(oids(treeRelations, *r[0])); err != nil {
			return err
		}
	}
	return nil
}

// domains looks at the checks of all domains: a cast may be anywhere.
func (v *vetter) domains() error {
	return v.trees("select conbin::text from pg_catalog.pg_constraint where contype = 'c' and contypid <> 0 and conbin is not null and $1::oid[] is not null", nil)
}

// support looks at the functions of operator classes of the types in a tree: sorting,
// hashing and indexes call them.
func (v *vetter) support(types []uint32) error {
	return v.calls(`select p.amproc::oid::text from pg_catalog.pg_amproc p
		where p.amproclefttype = any ($1::oid[]) and p.amproc::oid >= 16384`, types)
}
