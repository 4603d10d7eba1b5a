package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

func (c *conv) alterTable(v *pg.AlterTableStmt) Stmt {
	s := &AlterTable{At: c.top(), Kind: string(objectKinds(v.Objtype)), Table: rel(v.Relation), IfExists: v.MissingOk,
		Only: v.Relation != nil && !v.Relation.Inh}
	for _, n := range v.Cmds {
		if x := n.GetAlterTableCmd(); x != nil {
			s.Cmds = append(s.Cmds, c.alterCmd(x))
		}
	}
	return s
}

var alterActions = map[pg.AlterTableType]string{
	pg.AlterTableType_AT_AddColumn: AlterAddColumn, pg.AlterTableType_AT_DropColumn: AlterDropColumn,
	pg.AlterTableType_AT_AlterColumnType: AlterColumnType, pg.AlterTableType_AT_ColumnDefault: AlterSetDefault,
	pg.AlterTableType_AT_SetNotNull: AlterSetNotNull, pg.AlterTableType_AT_DropNotNull: AlterDropNotNull,
	pg.AlterTableType_AT_DropExpression: AlterDropExpression, pg.AlterTableType_AT_AddIdentity: AlterAddIdentity,
	pg.AlterTableType_AT_DropIdentity: AlterDropIdentity, pg.AlterTableType_AT_SetIdentity: AlterSetIdentity,
	pg.AlterTableType_AT_AddConstraint: AlterAddConstraint, pg.AlterTableType_AT_DropConstraint: AlterDropConstraint,
	pg.AlterTableType_AT_ValidateConstraint: AlterValidateConstraint, pg.AlterTableType_AT_EnableRowSecurity: AlterEnableRLS,
	pg.AlterTableType_AT_DisableRowSecurity: AlterDisableRLS, pg.AlterTableType_AT_ForceRowSecurity: AlterForceRLS,
	pg.AlterTableType_AT_NoForceRowSecurity: AlterNoForceRLS, pg.AlterTableType_AT_AttachPartition: AlterAttachPartition,
	pg.AlterTableType_AT_DetachPartition: AlterDetachPartition, pg.AlterTableType_AT_DetachPartitionFinalize: AlterDetachPartition,
	pg.AlterTableType_AT_AddInherit:  AlterInherit,
	pg.AlterTableType_AT_DropInherit: AlterNoInherit, pg.AlterTableType_AT_ChangeOwner: AlterOwner,
	pg.AlterTableType_AT_SetRelOptions: AlterSetOptions, pg.AlterTableType_AT_ResetRelOptions: AlterResetOptions,
}

func (c *conv) alterCmd(v *pg.AlterTableCmd) AlterCmd {
	x := AlterCmd{At: -1, Action: alterActions[v.Subtype], Name: v.Name, IfExists: v.MissingOk,
		Cascade: v.Behavior == pg.DropBehavior_DROP_CASCADE}
	if x.Action == "" {
		x.Action = strings.ToLower(strings.TrimPrefix(v.Subtype.String(), "AT_"))
	}
	switch x.Action {
	case AlterSetDefault:
		x.Expr = c.expr(v.Def)
		if v.Def == nil {
			x.Action = AlterDropDefault
		} else {
			x.At = At(x.Expr.Pos())
		}
		return x
	case AlterSetExpression:
		x.Expr = c.expr(v.Def)
		return x
	case AlterOwner:
		x.Name = role(v.Newowner)
		return x
	}
	if name, enforced, ok := pg.Enforcement(v.Def); ok {
		x.Action, x.Name = choose(enforced, AlterEnforce, AlterNotEnforce), name
		return x
	}
	c.alterDef(v.Def, &x)
	return x
}

// alterDef fills what the action's definition holds.
func (c *conv) alterDef(def *pg.Node, x *AlterCmd) {
	switch d := def.GetNode().(type) {
	case *pg.Node_ColumnDef:
		if x.Action == AlterColumnType {
			t := c.typeName(d.ColumnDef.TypeName)
			x.Type, x.Expr, x.At = &t, c.expr(d.ColumnDef.RawDefault), c.at(d.ColumnDef.Location)
			return
		}
		col := c.columnDef(d.ColumnDef)
		x.Column, x.Name, x.At = &col, col.Name, col.At
	case *pg.Node_Constraint:
		if x.Action == AlterAddIdentity {
			x.Identity = identity(d.Constraint.GeneratedWhen)
			return
		}
		if cons := c.constraints([]*pg.Node{def}, nil); len(cons) == 1 {
			x.Constraint, x.At = &cons[0], cons[0].At
			x.Name = cons[0].Name
		}
	case *pg.Node_PartitionCmd:
		x.Partition, x.Bound = rel(d.PartitionCmd.Name), c.boundText(d.PartitionCmd.Bound)
		x.At = c.at(d.PartitionCmd.Name.GetLocation())
	case *pg.Node_RangeVar:
		x.Partition = rel(d.RangeVar)
	case *pg.Node_List:
		x.Options = map[string]string{}
		for _, n := range d.List.Items {
			e := n.GetDefElem()
			value := optionText(e.GetArg())
			if e.GetArg() == nil {
				value = "true"
			}
			if e.GetDefname() == "generated" && x.Action == AlterSetIdentity {
				x.Identity = "always"
				if e.GetArg().GetInteger().GetIval() == 'd' {
					x.Identity = "by-default"
				}
			}
			x.Options[e.GetDefname()] = value
		}
	}
}

var kinds = map[pg.ObjectType]ObjectKind{
	pg.ObjectType_OBJECT_TABLE: ObjTable, pg.ObjectType_OBJECT_VIEW: ObjView, pg.ObjectType_OBJECT_MATVIEW: ObjMatView,
	pg.ObjectType_OBJECT_FOREIGN_TABLE: ObjForeign, pg.ObjectType_OBJECT_INDEX: ObjIndex, pg.ObjectType_OBJECT_SEQUENCE: ObjSequence,
	pg.ObjectType_OBJECT_COLUMN: ObjColumn, pg.ObjectType_OBJECT_TABCONSTRAINT: ObjConstraint,
	pg.ObjectType_OBJECT_DOMCONSTRAINT: ObjConstraint, pg.ObjectType_OBJECT_POLICY: ObjPolicy, pg.ObjectType_OBJECT_TRIGGER: ObjTrigger,
	pg.ObjectType_OBJECT_RULE: ObjRule, pg.ObjectType_OBJECT_FUNCTION: ObjFunction, pg.ObjectType_OBJECT_PROCEDURE: ObjFunction,
	pg.ObjectType_OBJECT_ROUTINE: ObjFunction, pg.ObjectType_OBJECT_AGGREGATE: ObjFunction, pg.ObjectType_OBJECT_TYPE: ObjType,
	pg.ObjectType_OBJECT_DOMAIN: ObjDomain, pg.ObjectType_OBJECT_SCHEMA: ObjSchema, pg.ObjectType_OBJECT_EXTENSION: ObjExtension,
	pg.ObjectType_OBJECT_ATTRIBUTE: ObjAttribute, pg.ObjectType_OBJECT_ROLE: ObjRole,
}

func objectKinds(t pg.ObjectType) ObjectKind {
	if k, ok := kinds[t]; ok {
		return k
	}
	return ObjOther
}

func (c *conv) drop(v *pg.DropStmt) Stmt {
	d := &Drop{At: c.top(), Kind: objectKinds(v.RemoveType), IfExists: v.MissingOk, Cascade: v.Behavior == pg.DropBehavior_DROP_CASCADE}
	for _, n := range v.Objects {
		o := c.object(nil, n)
		if d.Kind == ObjPolicy || d.Kind == ObjTrigger || d.Kind == ObjRule {
			if list := names(n.GetList().GetItems()); len(list) > 1 {
				o = DropObject{Name: Name{Name: list[len(list)-1]}, On: qualified(list[:len(list)-1])}
			}
		}
		d.Objects = append(d.Objects, o)
	}
	return d
}

// object reads the many shapes in which the grammar names an object.
func (c *conv) object(relation *pg.RangeVar, n *pg.Node) DropObject {
	if relation != nil {
		return DropObject{Name: rel(relation)}
	}
	switch v := n.GetNode().(type) {
	case *pg.Node_List:
		return DropObject{Name: qualified(names(v.List.Items))}
	case *pg.Node_String_:
		return DropObject{Name: Name{Name: v.String_.Sval}}
	case *pg.Node_TypeName:
		return DropObject{Name: qualified(names(v.TypeName.Names))}
	case *pg.Node_ObjectWithArgs:
		o := DropObject{Name: qualified(names(v.ObjectWithArgs.Objname)), HasArgs: !v.ObjectWithArgs.ArgsUnspecified}
		o.Args = c.typeNames(v.ObjectWithArgs.Objargs)
		return o
	}
	return DropObject{}
}

func (c *conv) typeNames(ns []*pg.Node) []TypeName {
	var out []TypeName
	for _, n := range ns {
		if t := n.GetTypeName(); t != nil {
			out = append(out, c.typeName(t))
		}
	}
	return out
}

func (c *conv) rename(v *pg.RenameStmt) Stmt {
	r := &Rename{At: c.top(), Kind: objectKinds(v.RenameType), Object: c.object(v.Relation, v.Object).Name, To: v.Newname, IfExists: v.MissingOk}
	switch r.Kind {
	case ObjColumn, ObjConstraint, ObjPolicy, ObjTrigger, ObjRule, ObjAttribute:
		r.From, r.OnKind = v.Subname, objectKinds(v.RelationType)
		if r.OnKind == ObjOther || v.RelationType == pg.ObjectType_OBJECT_ACCESS_METHOD {
			r.OnKind = ObjTable
		}
		if v.RenameType == pg.ObjectType_OBJECT_DOMCONSTRAINT {
			r.OnKind = ObjDomain
		}
	case ObjSchema, ObjRole, ObjExtension:
		if r.Object.Name == "" {
			r.Object = Name{Name: v.Subname}
		}
	}
	return r
}
