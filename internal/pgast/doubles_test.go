package pgast

import (
	"reflect"
	"testing"
)

// A type of two words is a type wherever arguments are listed without names.
func TestDoublePrecisionArguments(t *testing.T) {
	for _, c := range [][2]string{
		{"drop function f(uuid, double  precision)", "drop function f(uuid, float)"},
		{"alter function f(double precision) stable", "alter function f(float) stable"},
		{"create function f(double precision, x DOUBLE PRECISION) returns double precision language sql as $$ select 1 $$",
			"create function f(float, x float) returns float language sql as $$ select 1 $$"},
	} {
		a, b := mustParse(t, c[0]), mustParse(t, c[1])
		if dump(reflect.ValueOf(a)) != dump(reflect.ValueOf(b)) {
			t.Errorf("%s\n%s\n%s", c[0], dump(reflect.ValueOf(a)), dump(reflect.ValueOf(b)))
		}
	}
	mustParse(t, "revoke execute on function p.f(\n  uuid, double precision\n) from public")
	if _, err := Parse("drop function f(double precision, precision)"); err == nil {
		t.Error("precision alone is no type")
	}
}
