package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) createType(s *pgast.CreateType) error {
	name, err := r.creation(s.Name)
	if err != nil {
		return err
	}
	old := r.cat.Type(name.Schema, name.Name)
	if old != nil && old.Kind != "shell" || s.Kind == "composite" && r.nameTaken(name.Schema, name.Name) {
		return fail("type %s already exists", name)
	}
	t := &catalog.Type{Name: name, Kind: s.Kind, Labels: slices.Clone(s.Labels), Location: r.place(int(s.At)), Platform: r.platform}
	for i := range s.Columns {
		d := &s.Columns[i]
		p := r.printType(d.Type, true)
		t.Columns = append(t.Columns, &catalog.Column{Name: truncated(d.Name), Type: p.text, TypeName: p.name, Location: r.place(int(d.At))})
	}
	r.cat.AddType(t)
	return nil
}

func (r *replayer) createDomain(s *pgast.CreateDomain) error {
	name, err := r.creation(s.Name)
	if err != nil {
		return err
	}
	if r.cat.Type(name.Schema, name.Name) != nil {
		return fail("type %s already exists", name)
	}
	r.cat.AddType(&catalog.Type{
		Name: name, Kind: "domain", Base: r.printType(s.Type, true).text, Location: r.place(int(s.At)), Platform: r.platform,
	})
	return nil
}

func (r *replayer) findType(n pgast.Name) *catalog.Type {
	return r.cat.ResolveType(n.Schema, truncated(n.Name), r.lookupPath())
}

func (r *replayer) alterEnum(s *pgast.AlterEnum) error {
	t := r.findType(s.Name)
	if t == nil {
		return fail("type %s does not exist", s.Name.Name)
	}
	if slices.Contains(t.Labels, s.Value) {
		if s.IfNotExists {
			return nil
		}
		return fail("label %s of %s already exists", s.Value, t.Name)
	}
	at := len(t.Labels)
	if s.Neighbour != "" {
		i := slices.Index(t.Labels, s.Neighbour)
		if i < 0 {
			return fail("label %s of %s does not exist", s.Neighbour, t.Name)
		}
		at = i
		if s.After {
			at++
		}
	}
	t.Labels = slices.Insert(t.Labels, at, s.Value)
	return nil
}

// alterComposite is ALTER TYPE … ADD ATTRIBUTE and the like.
func (r *replayer) alterComposite(s *pgast.AlterTable) error {
	t := r.findType(s.Table)
	if t == nil {
		return fail("type %s does not exist", s.Table.Name)
	}
	for _, c := range s.Cmds {
		i := slices.IndexFunc(t.Columns, func(k *catalog.Column) bool { return k.Name == c.Name })
		switch {
		case c.Action == pgast.AlterAddColumn && c.Column != nil && i < 0:
			p := r.printType(c.Column.Type, true)
			t.Columns = append(t.Columns, &catalog.Column{Name: c.Column.Name, Type: p.text, TypeName: p.name})
		case c.Action == pgast.AlterDropColumn && i >= 0:
			t.Columns = slices.Delete(t.Columns, i, i+1)
		case c.Action == pgast.AlterColumnType && i >= 0:
			p := r.printType(*c.Type, true)
			t.Columns[i].Type, t.Columns[i].TypeName = p.text, p.name
		}
	}
	return nil
}

// dropType drops a type; columns of it go with CASCADE, and hold it without.
func (r *replayer) dropType(s *pgast.Drop, n pgast.Name) error {
	t := r.findType(n)
	if t == nil {
		return gone(s, n.Name)
	}
	for _, rel := range r.cat.Relations() {
		for _, c := range slices.Clone(rel.Columns) {
			if c.TypeName != t.Name {
				continue
			}
			if !s.Cascade {
				return fail("type %s is needed by column %s of %s", t.Name, c.Name, rel.Name)
			}
			_ = r.dropColumn(rel, c.Name, true, true)
		}
	}
	r.removeType(t)
	return nil
}

func (r *replayer) removeType(t *catalog.Type) { r.cat.RemoveType(t.Name) }

func (r *replayer) renameType(s *pgast.Rename, to string) error {
	t := r.findType(s.Object)
	if t == nil {
		return r.noTarget(s)
	}
	r.moveType(t, catalog.Name{Schema: t.Schema, Name: to})
	return nil
}

// moveType gives a type another name or schema: in columns, arguments, casts.
func (r *replayer) moveType(t *catalog.Type, to catalog.Name) {
	from := t.Name
	touched := r.affected(func(u *uses) bool { return u.types[from] })
	var casts []*pgast.TypeName
	for _, a := range touched {
		r.edit(a, refs{typ: func(n *pgast.TypeName) {
			if r.printType(*n, true).name == from {
				casts = append(casts, n)
			}
		}})
	}
	r.cat.RemoveType(from)
	t.Name = to
	r.cat.AddType(t)
	r.retype(from, to)
	for _, n := range casts {
		n.Names = []string{to.Schema, to.Name}
	}
	for _, a := range touched {
		r.put(a)
	}
}

// retype rewrites the printed name of a type, or of a table's row type.
func (r *replayer) retype(from, to catalog.Name) {
	a, b := printName(from), printName(to)
	swap := func(s string) string {
		rest, ok := strings.CutPrefix(s, a)
		if !ok || rest != "" && rest != "[]" && rest[0] != '(' {
			return s
		}
		return b + rest
	}
	for _, rel := range r.cat.Relations() {
		for _, c := range rel.Columns {
			if c.TypeName == from {
				c.Type, c.TypeName = swap(c.Type), to
			}
		}
	}
	for _, f := range r.cat.AllFunctions() {
		for i := range f.Args {
			f.Args[i] = swap(f.Args[i])
		}
		f.Returns = swap(f.Returns)
	}
}

// renameInType renames an attribute or a label.
func (r *replayer) renameInType(s *pgast.Rename) error {
	t := r.findType(s.Object)
	if t == nil {
		return r.noTarget(s)
	}
	if i := slices.Index(t.Labels, s.From); s.Kind == pgast.ObjEnumValue && i >= 0 {
		t.Labels[i] = s.To
		return nil
	}
	for _, c := range t.Columns {
		if c.Name == s.From {
			c.Name = truncated(s.To)
			return nil
		}
	}
	return fail("%s %s of %s does not exist", s.Kind, s.From, t.Name)
}

func (r *replayer) createSchema(s *pgast.CreateSchema) error {
	if r.schemas[s.Name] && !s.IfNotExists {
		return fail("schema %s already exists", s.Name)
	}
	r.schemas[s.Name] = true
	r.cat.AddSchema(s.Name)
	path := r.path
	r.path = append([]string{s.Name}, path...)
	var first error
	for _, e := range s.Elements {
		if err := r.apply(e); err != nil && first == nil {
			first = err
		}
	}
	r.path = path
	return first
}

func (r *replayer) createSequence(s *pgast.CreateSequence) error {
	name, err := r.creation(s.Name)
	if err != nil {
		return err
	}
	if r.nameTaken(name.Schema, name.Name) {
		if s.IfNotExists {
			return nil
		}
		return fail("relation %s already exists", name)
	}
	r.cat.AddSchema(name.Schema)
	r.sequences[name] = sequence{}
	return nil
}
