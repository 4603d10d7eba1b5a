package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (r *replayer) createFunction(s *pgast.CreateFunction) error {
	name, err := r.creation(s.Name)
	if err != nil {
		return err
	}
	f := &catalog.Function{
		Name: name, Kind: "function", Language: s.Language, Volatility: s.Volatility, Strict: s.Strict,
		SecurityDefiner: s.SecurityDefiner, Leakproof: s.Leakproof, SearchPath: s.SearchPath, HasSearchPath: s.HasSearchPath,
		Body: s.Body, Location: r.place(int(s.At)), Platform: r.platform, Args: []string{},
	}
	if s.Procedure {
		f.Kind = "procedure"
	}
	if s.BodyPos >= 0 {
		f.BodyLocation = r.place(s.BodyPos)
	}
	f.Definition = r.current
	r.signature(f, s)
	for _, old := range r.cat.Functions(name.Schema, name.Name) {
		if slices.Equal(old.Args, f.Args) {
			if !s.Replace {
				return fail("function %s(%s) already exists", name, strings.Join(f.Args, ", "))
			}
			f.Platform = f.Platform && old.Platform
		}
	}
	r.cat.AddFunction(f)
	return nil
}

// signature fills arguments and result.
func (r *replayer) signature(f *catalog.Function, s *pgast.CreateFunction) {
	for _, a := range s.Args {
		p := r.printType(a.Type, false)
		switch a.Mode {
		case "out", "table":
			f.OutNames, f.OutTypes = append(f.OutNames, a.Name), append(f.OutTypes, p.text)
			f.ReturnsSet = f.ReturnsSet || a.Mode == "table"
		default:
			f.Args, f.ArgNames = append(f.Args, p.text), append(f.ArgNames, a.Name)
			if a.Mode == "inout" {
				f.OutNames, f.OutTypes = append(f.OutNames, a.Name), append(f.OutTypes, p.text)
			}
		}
	}
	switch {
	case s.Returns != nil:
		f.Returns, f.ReturnsSet = r.printType(*s.Returns, false).text, s.Returns.SetOf
	case len(f.OutTypes) == 1:
		f.Returns = f.OutTypes[0]
	case len(f.OutTypes) > 1:
		f.Returns = "record"
	case s.Procedure:
		f.Returns = "-"
	}
}

func (r *replayer) alterFunction(s *pgast.AlterFunction) error {
	fs := r.overloads(s.Name, s.Args, s.HasArgs)
	if len(fs) == 0 {
		return fail("function %s does not exist", s.Name.Name)
	}
	for _, f := range fs {
		if s.Volatility != "" {
			f.Volatility = s.Volatility
		}
		if s.SecurityDefiner != nil {
			f.SecurityDefiner = *s.SecurityDefiner
		}
		if s.Leakproof != nil {
			f.Leakproof = *s.Leakproof
		}
		if s.SearchPath != nil {
			f.SearchPath, f.HasSearchPath = *s.SearchPath, true
		}
		if s.ResetSearchPath {
			f.SearchPath, f.HasSearchPath = "", false
		}
	}
	return nil
}

// dropFunction drops an overload; policies, triggers, defaults and views that
// call it go with CASCADE, and hold it without.
func (r *replayer) dropFunction(s *pgast.Drop, o pgast.DropObject) error {
	fs := r.overloads(o.Name, o.Args, o.HasArgs)
	switch {
	case len(fs) == 0:
		return gone(s, o.Name.Name)
	case len(fs) > 1:
		return fail("function %s is not unique", o.Name.Name)
	}
	f := fs[0]
	if len(r.cat.Functions(f.Schema, f.Name.Name)) == 1 {
		others := r.holders(func(u *uses) bool { return u.functions[f.Name] })
		triggers := r.triggersOf(f.Name)
		if !s.Cascade {
			if len(others) > 0 {
				return fail("function %s is needed by %s", f.Name, others[0].what)
			}
			if len(triggers) > 0 {
				return fail("function %s is needed by trigger %s of %s", f.Name, triggers[0].name, triggers[0].table)
			}
		}
		for _, d := range others {
			d.remove()
		}
		for _, t := range triggers {
			if rel := r.cat.Relation(t.table.Schema, t.table.Name); rel != nil {
				r.removeTrigger(rel, t.name)
			}
		}
	}
	r.removeFunction(f)
	return nil
}

func (r *replayer) removeFunction(f *catalog.Function) { r.cat.RemoveFunction(f.Name, f.Args) }

// triggersOf are the triggers that call a function, sorted.
func (r *replayer) triggersOf(f catalog.Name) []trigger {
	var out []trigger
	for t, g := range r.triggers {
		if g == f {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b trigger) int {
		return strings.Compare(a.table.String()+" "+a.name, b.table.String()+" "+b.name)
	})
	return out
}

func (r *replayer) renameFunction(s *pgast.Rename, to string) error {
	fs := r.overloads(s.Object, nil, false)
	if len(fs) == 0 {
		return r.noTarget(s)
	}
	for _, f := range fs {
		r.moveFunction(f, catalog.Name{Schema: f.Schema, Name: to})
	}
	return nil
}

// moveFunction gives a function another name or schema, in expressions too.
func (r *replayer) moveFunction(f *catalog.Function, to catalog.Name) {
	from := f.Name
	touched := r.affected(func(u *uses) bool { return u.functions[from] })
	var calls []*pgast.FuncCall
	for _, a := range touched {
		r.edit(a, refs{function: func(c *pgast.FuncCall, n catalog.Name) {
			if n == from {
				calls = append(calls, c)
			}
		}})
	}
	r.cat.RemoveFunction(from, f.Args)
	f.Name = to
	r.cat.AddFunction(f)
	for _, c := range calls {
		c.Name = []string{to.Schema, to.Name}
	}
	for _, a := range touched {
		r.put(a)
	}
	for _, t := range r.triggersOf(from) {
		r.triggers[t] = to
	}
}
