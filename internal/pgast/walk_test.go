package pgast

import (
	"reflect"
	"testing"
)

// Walk reaches every node that a field of any node type holds: each field that can
// hold nodes is filled with a marker, which must be visited once.
func TestWalkIsComplete(t *testing.T) {
	roots := []Node{&Op{}, &Bool{}, &NullTest{}, &BoolTest{}, &SubLink{}, &FuncCall{}, &Case{}, &Coalesce{}, &MinMax{}, &Cast{},
		&Array{}, &Row{}, &List{}, &Subscript{}, &Collate{}, &Other{}, &Subquery{}, &FuncTable{}, &Join{}, &Select{}, &Insert{},
		&Update{}, &Delete{}, &Merge{}, &Explain{}, &Prepare{}, &DeclareCursor{}, &Copy{}, &Call{}, &CreateTable{}, &CreateTableAs{},
		&CreateView{}, &AlterTable{}, &CreateIndex{}, &CreatePolicy{}, &AlterPolicy{}, &CreateFunction{}, &CreateType{},
		&CreateDomain{}, &CreateSchema{}, &CTE{},
		// These hold no nodes; a field that would is found here too.
		&ColumnRef{}, &Const{}, &Param{}, &ValueFunc{}, &Default{}, &Table{}, &Set{}, &Transaction{}, &Listen{}, &OtherStmt{}, &Drop{}, &Rename{},
		&SetSchema{}, &AlterFunction{}, &Do{}, &CreateTrigger{}, &AlterEnum{}, &CreateExtension{}, &CreateSequence{}, &CreateRole{}}
	for _, root := range roots {
		want := map[Node]string{}
		fill(reflect.ValueOf(root).Elem(), want, reflect.TypeOf(root).Elem().Name(), 0)
		seen := map[Node]int{}
		Walk(root, func(n Node) bool { seen[n]++; return true })
		for n, path := range want {
			if seen[n] != 1 {
				t.Errorf("%s was visited %d times", path, seen[n])
			}
		}
	}
}

// fill puts a fresh node in each place below v that can hold one.
func fill(v reflect.Value, want map[Node]string, path string, depth int) {
	put := func(n Node) { v.Set(reflect.ValueOf(n)); want[n] = path }
	if depth > 6 {
		return
	}
	switch v.Interface().(type) {
	case *Select: // a query would fill itself without end
		put(&Select{})
		return
	case *Table:
		put(&Table{})
		return
	case *FuncCall:
		put(&FuncCall{})
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		switch v.Type() {
		case reflect.TypeFor[Expr]():
			put(&ColumnRef{Names: []string{path}})
		case reflect.TypeFor[Stmt]():
			put(&OtherStmt{Kind: path})
		case reflect.TypeFor[FromItem]():
			put(&Table{Name: path})
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), want, path, depth+1)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 1, 1)
		v.Set(s)
		fill(v.Index(0), want, path+"[]", depth+1)
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), want, path+"."+f.Name, depth+1)
			}
		}
	}
}

func TestWalkPrunes(t *testing.T) {
	n := 0
	Walk(mustParse(t, "select a from (select b) x where exists (select c)"), func(x Node) bool {
		if _, ok := x.(*ColumnRef); ok {
			n++
		}
		_, sub := x.(*SubLink)
		return !sub
	})
	if n != 2 {
		t.Errorf("%d columns, want 2: a and b", n)
	}
	Walk(nil, func(Node) bool { t.Error("visited nil"); return true })
	Walk((*Select)(nil), func(Node) bool { t.Error("visited nil"); return true })
}
