package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

// ddl converts a statement that defines something; what has no node of its own
// becomes OtherStmt.
func (c *conv) ddl(n *pg.Node) Stmt {
	switch v := n.Node.(type) {
	case *pg.Node_CreateStmt:
		return c.createTable(v.CreateStmt)
	case *pg.Node_CreateForeignTableStmt:
		t := c.createTable(v.CreateForeignTableStmt.BaseStmt)
		t.Foreign = true
		return t
	case *pg.Node_CreateTableAsStmt:
		return c.createTableAs(v.CreateTableAsStmt)
	case *pg.Node_ViewStmt:
		return c.view(v.ViewStmt)
	case *pg.Node_AlterTableStmt:
		return c.alterTable(v.AlterTableStmt)
	case *pg.Node_IndexStmt:
		return c.index(v.IndexStmt)
	case *pg.Node_DropStmt:
		return c.drop(v.DropStmt)
	case *pg.Node_DropRoleStmt:
		d := &Drop{At: c.top(), Kind: ObjRole, IfExists: v.DropRoleStmt.MissingOk}
		for _, r := range v.DropRoleStmt.Roles {
			d.Objects = append(d.Objects, DropObject{Name: Name{Name: role(r.GetRoleSpec())}})
		}
		return d
	case *pg.Node_RenameStmt:
		return c.rename(v.RenameStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		s := v.AlterObjectSchemaStmt
		o := c.object(s.Relation, s.Object)
		return &SetSchema{At: c.top(), Kind: objectKinds(s.ObjectType), Object: o.Name, Args: o.Args, To: s.Newschema, IfExists: s.MissingOk}
	case *pg.Node_CreatePolicyStmt:
		p := v.CreatePolicyStmt
		return &CreatePolicy{At: c.top(), Name: p.PolicyName, Table: rel(p.Table), Command: strings.ToLower(p.CmdName),
			Permissive: p.Permissive, Roles: roles(p.Roles), Using: c.expr(p.Qual), Check: c.expr(p.WithCheck)}
	case *pg.Node_AlterPolicyStmt:
		p := v.AlterPolicyStmt
		return &AlterPolicy{At: c.top(), Name: p.PolicyName, Table: rel(p.Table), Roles: roles(p.Roles),
			Using: c.expr(p.Qual), Check: c.expr(p.WithCheck)}
	case *pg.Node_CreateFunctionStmt:
		return c.createFunction(v.CreateFunctionStmt)
	case *pg.Node_AlterFunctionStmt:
		return c.alterFunction(v.AlterFunctionStmt)
	case *pg.Node_CreateTrigStmt:
		t := v.CreateTrigStmt
		return &CreateTrigger{At: c.top(), Name: t.Trigname, Table: rel(t.Relation), Replace: t.Replace, Func: qualified(names(t.Funcname))}
	case *pg.Node_CreateDomainStmt:
		return c.domain(v.CreateDomainStmt)
	case *pg.Node_CreateSchemaStmt:
		return c.createSchema(v.CreateSchemaStmt)
	case *pg.Node_CreateExtensionStmt:
		e := v.CreateExtensionStmt
		return &CreateExtension{At: c.top(), Name: e.Extname, IfNotExists: e.IfNotExists, Schema: defString(e.Options, "schema")}
	case *pg.Node_CreateSeqStmt:
		return &CreateSequence{At: c.top(), Name: rel(v.CreateSeqStmt.Sequence), IfNotExists: v.CreateSeqStmt.IfNotExists}
	case *pg.Node_CreateRoleStmt:
		return &CreateRole{At: c.top(), Name: v.CreateRoleStmt.Role,
			BypassRLS: defBool(v.CreateRoleStmt.Options, "bypassrls"), Superuser: defBool(v.CreateRoleStmt.Options, "superuser")}
	}
	return c.types(n)
}

// types converts the statements about types.
func (c *conv) types(n *pg.Node) Stmt {
	switch v := n.Node.(type) {
	case *pg.Node_CompositeTypeStmt:
		t := &CreateType{At: c.top(), Name: rel(v.CompositeTypeStmt.Typevar), Kind: "composite"}
		for _, d := range v.CompositeTypeStmt.Coldeflist {
			if d := d.GetColumnDef(); d != nil {
				t.Columns = append(t.Columns, c.columnDef(d))
			}
		}
		return t
	case *pg.Node_CreateEnumStmt:
		return &CreateType{At: c.top(), Name: qualified(names(v.CreateEnumStmt.TypeName)), Kind: "enum", Labels: names(v.CreateEnumStmt.Vals)}
	case *pg.Node_CreateRangeStmt:
		return &CreateType{At: c.top(), Name: qualified(names(v.CreateRangeStmt.TypeName)), Kind: "range"}
	case *pg.Node_DefineStmt:
		if v.DefineStmt.Kind == pg.ObjectType_OBJECT_TYPE {
			t := &CreateType{At: c.top(), Name: qualified(names(v.DefineStmt.Defnames)), Kind: "base"}
			if len(v.DefineStmt.Definition) == 0 {
				t.Kind = "shell"
			}
			return t
		}
	case *pg.Node_AlterEnumStmt:
		e := v.AlterEnumStmt
		if e.OldVal != "" {
			return &Rename{At: c.top(), Kind: ObjEnumValue, Object: qualified(names(e.TypeName)), From: e.OldVal, To: e.NewVal, OnKind: ObjType}
		}
		return &AlterEnum{At: c.top(), Name: qualified(names(e.TypeName)), Value: e.NewVal, Neighbour: e.NewValNeighbor,
			After: e.NewValIsAfter, IfNotExists: e.SkipIfNewValExists}
	}
	m := n.ProtoReflect()
	kind := ""
	if f := m.WhichOneof(m.Descriptor().Oneofs().ByName("node")); f != nil {
		kind = string(f.Message().Name())
	}
	return &OtherStmt{At: c.top(), Kind: kind}
}

func rel(v *pg.RangeVar) Name { return Name{Schema: v.GetSchemaname(), Name: v.GetRelname()} }

// qualified splits a list of names, outermost first; a database's name is dropped.
func qualified(ns []string) Name {
	switch len(ns) {
	case 0:
		return Name{}
	case 1:
		return Name{Name: ns[0]}
	}
	return Name{Schema: ns[len(ns)-2], Name: ns[len(ns)-1]}
}

func role(r *pg.RoleSpec) string {
	switch r.GetRoletype() {
	case pg.RoleSpecType_ROLESPEC_PUBLIC:
		return "public"
	case pg.RoleSpecType_ROLESPEC_CURRENT_ROLE:
		return "current_role"
	case pg.RoleSpecType_ROLESPEC_CURRENT_USER:
		return "current_user"
	case pg.RoleSpecType_ROLESPEC_SESSION_USER:
		return "session_user"
	}
	return r.GetRolename()
}

func roles(ns []*pg.Node) []string {
	var out []string
	for _, n := range ns {
		out = append(out, role(n.GetRoleSpec()))
	}
	return out
}

func def(options []*pg.Node, name string) *pg.DefElem {
	for _, n := range options {
		if d := n.GetDefElem(); d.GetDefname() == name {
			return d
		}
	}
	return nil
}

func defString(options []*pg.Node, name string) string {
	return def(options, name).GetArg().GetString_().GetSval()
}

// defBool is a boolean option as PostgreSQL reads it: alone it means true.
func defBool(options []*pg.Node, name string) bool {
	d := def(options, name)
	if d == nil {
		return false
	}
	return d.Arg == nil || optionText(d.Arg) == "true" || optionText(d.Arg) == "on" || optionText(d.Arg) == "1"
}

// optionText is an option's value as text.
func optionText(n *pg.Node) string {
	switch v := n.GetNode().(type) {
	case *pg.Node_String_:
		return v.String_.Sval
	case *pg.Node_Integer:
		return itoa(v.Integer.Ival)
	case *pg.Node_Float:
		return v.Float.Fval
	case *pg.Node_Boolean:
		if v.Boolean.Boolval {
			return "true"
		}
		return "false"
	case *pg.Node_TypeName:
		return strings.Join(names(v.TypeName.Names), ".")
	}
	return ""
}

func (c *conv) createTableAs(v *pg.CreateTableAsStmt) Stmt {
	return &CreateTableAs{At: c.top(), Table: rel(v.Into.GetRel()), Columns: names(v.Into.GetColNames()), Query: c.stmt(v.Query),
		Materialized: v.Objtype == pg.ObjectType_OBJECT_MATVIEW, IfNotExists: v.IfNotExists,
		Temp: v.Into.GetRel().GetRelpersistence() == "t", OnCommitDrop: v.Into.GetOnCommit() == pg.OnCommitAction_ONCOMMIT_DROP}
}

func (c *conv) view(v *pg.ViewStmt) Stmt {
	return &CreateView{At: c.top(), View: rel(v.View), Columns: names(v.Aliases), Query: c.stmt(v.Query), Replace: v.Replace,
		Temp: v.View.GetRelpersistence() == "t", SecurityInvoker: defBool(v.Options, "security_invoker")}
}

func (c *conv) domain(v *pg.CreateDomainStmt) Stmt {
	d := &CreateDomain{At: c.top(), Name: qualified(names(v.Domainname)), Type: c.typeName(v.TypeName)}
	d.Constraints = c.constraints(v.Constraints, nil)
	return d
}

func (c *conv) createSchema(v *pg.CreateSchemaStmt) Stmt {
	s := &CreateSchema{At: c.top(), Name: v.Schemaname, IfNotExists: v.IfNotExists}
	if s.Name == "" {
		s.Name = role(v.Authrole)
	}
	for _, n := range v.SchemaElts {
		s.Elements = append(s.Elements, c.stmt(n))
	}
	return s
}
