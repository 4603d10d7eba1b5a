package pgast

import "testing"

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"select * from t where a = 'x''y' and b in (1, 2.5) -- hunter2": "select * from t where a = ? and b in (?, ?)",
		"select $$a ' b$$, $1, E'q\\'s', /* s3cret */ \"a'b\"":          "select ?, $1, ?,   \"a'b\"",
		"create index i1 on t (a) where state = 'open'":                 "create index i1 on t (a) where state = ?",
		"select 'never closed":                                          "select ?",
		"":                                                              "",
	} {
		if got := Masked(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}
