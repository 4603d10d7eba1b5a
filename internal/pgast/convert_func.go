package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

func (c *conv) createFunction(v *pg.CreateFunctionStmt) Stmt {
	f := &CreateFunction{At: c.top(), Name: qualified(names(v.Funcname)), Replace: v.Replace, Procedure: v.IsProcedure,
		Language: "sql", Volatility: "volatile", BodyPos: -1}
	table := false
	for _, n := range v.Parameters {
		p := n.GetFunctionParameter()
		if p == nil {
			continue
		}
		a := FuncArg{Mode: argMode(p.Mode), Name: p.Name, Type: c.typeName(p.ArgType), HasDefault: p.Defexpr != nil}
		table = table || a.Mode == "table"
		f.Args = append(f.Args, a)
	}
	if v.ReturnType != nil && !table {
		t := c.typeName(v.ReturnType)
		f.Returns = &t
	}
	for _, n := range v.Options {
		if d := n.GetDefElem(); d != nil {
			c.functionOption(f, d)
		}
	}
	f.Stmts = c.sqlBody(v.SqlBody)
	return f
}

func argMode(m pg.FunctionParameterMode) string {
	switch m {
	case pg.FunctionParameterMode_FUNC_PARAM_OUT:
		return "out"
	case pg.FunctionParameterMode_FUNC_PARAM_INOUT:
		return "inout"
	case pg.FunctionParameterMode_FUNC_PARAM_VARIADIC:
		return "variadic"
	case pg.FunctionParameterMode_FUNC_PARAM_TABLE:
		return "table"
	}
	return "in"
}

func (c *conv) functionOption(f *CreateFunction, d *pg.DefElem) {
	switch d.Defname {
	case "as":
		if items := d.Arg.GetList().GetItems(); len(items) > 0 {
			f.Body = items[0].GetString_().GetSval()
			f.BodyPos = c.bodyPos(d.Location, f.Body)
		}
	case "language":
		f.Language = strings.ToLower(optionText(d.Arg))
	case "volatility":
		f.Volatility = optionText(d.Arg)
	case "strict":
		f.Strict = d.Arg.GetBoolean().GetBoolval()
	case "security":
		f.SecurityDefiner = d.Arg.GetBoolean().GetBoolval()
	case "leakproof":
		f.Leakproof = d.Arg.GetBoolean().GetBoolval()
	case "set":
		if s, ok := c.set(d.Arg.GetVariableSetStmt()).(*Set); ok && s.Name == "search_path" {
			f.SearchPath, f.HasSearchPath = strings.Join(s.Values, ", "), true
		}
	}
}

// sqlBody reads BEGIN ATOMIC … END, a list of a list, and RETURN expr.
func (c *conv) sqlBody(n *pg.Node) []Stmt {
	switch v := n.GetNode().(type) {
	case nil:
		return nil
	case *pg.Node_List:
		var out []Stmt
		for _, x := range v.List.Items {
			out = append(out, c.sqlBody(x)...)
		}
		return out
	}
	if s := c.stmt(n); s != nil {
		return []Stmt{s}
	}
	return nil
}

func (c *conv) alterFunction(v *pg.AlterFunctionStmt) Stmt {
	o := c.object(nil, &pg.Node{Node: &pg.Node_ObjectWithArgs{ObjectWithArgs: v.Func}})
	f := &AlterFunction{At: c.top(), Name: o.Name, Args: o.Args, HasArgs: o.HasArgs}
	for _, n := range v.Actions {
		d := n.GetDefElem()
		switch d.GetDefname() {
		case "volatility":
			f.Volatility = optionText(d.Arg)
		case "security":
			b := d.Arg.GetBoolean().GetBoolval()
			f.SecurityDefiner = &b
		case "leakproof":
			b := d.Arg.GetBoolean().GetBoolval()
			f.Leakproof = &b
		case "set":
			s, ok := c.set(d.Arg.GetVariableSetStmt()).(*Set)
			switch {
			case !ok || s.Name != "search_path" && s.Name != "all":
			case s.Reset:
				f.ResetSearchPath = true
			default:
				p := strings.Join(s.Values, ", ")
				f.SearchPath = &p
			}
		}
	}
	return f
}
