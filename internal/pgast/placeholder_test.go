package pgast

import (
	"strings"
	"testing"
)

func TestPlaceholders(t *testing.T) {
	for _, c := range []struct {
		style    PlaceholderStyle
		src, out string
	}{
		{Dollar, "select $1, '?', ? @x", "select $1, '?', ? @x"},
		{Question, "select * from t where a=? and b in (?,?) and c = '?' -- ?\nlimit ?", "select * from t where a=$1 and b in ($2,$3) and c = '?' -- ?\nlimit $4"},
		{Question, "a ?? 'x' and b = ?::int and c->>? = d", "a ? 'x' and b = $1::int and c->>$2 = d"},
		{Question, "limit?offset ?", "limit $1 offset $2"},
		{Question, "a = $2 and b = ?", "a = $2 and b = $3"},
		{Colon, "a = :a and b = :b::int and c = :a and d = 'x:y' and e::text = :u.name", "a = $1 and b = $2::int and c = $1 and d = 'x:y' and e::text = $3"},
		{Colon, "x[1:2], x[1:n], x[f(1):m], array[:a, :b], x := :a", "x[1:2], x[1:n], x[f(1):m], array[$1, $2], x := $1"},
		{AtSign, "a = @a and b @> @b and c=@a and d @@ q and @ e > 1 and f <@x", "a = $1 and b @> $2 and c=$1 and d @@ q and @ e > 1 and f <@x"},
		{Sqlc, "select sqlc.embed(t) from t where a = sqlc.arg(x) and b = sqlc.narg('y')::text and c in (sqlc.slice(ids)) and d = @x and sqlc.other(1)", "select t.* from t where a = $1 and b = $2::text and c in ($3) and d = $1 and sqlc.other(1)"},
		{Colon | Question, "a = :a and b = ?", "a = $1 and b = $2"},
		{Question, "$$ ? $$ ? \"?\" e'\\'?'", "$$ ? $$ $1 \"?\" e'\\'?'"},
		{Sqlc, "sqlc.arg(", "sqlc.arg("},
	} {
		out, m := Placeholders(c.src, c.style)
		if out != c.out {
			t.Errorf("%s\ngot  %s\nwant %s", c.src, out, c.out)
		}
		// Each copied word is found again at its place.
		for _, w := range []string{"and", "limit", "from"} {
			if i := strings.LastIndex(out, w); i >= 0 && m.Src(i) != strings.LastIndex(c.src, w) {
				t.Errorf("%s: %q at %d maps to %d", c.src, w, i, m.Src(i))
			}
		}
		if i := strings.LastIndex(out, "$"); c.style == Question && i >= 0 && !strings.HasPrefix(c.src[m.Src(i):], "?") && !strings.Contains(c.src, "$") {
			t.Errorf("%s: the last placeholder maps to %q", c.src, c.src[m.Src(i):])
		}
	}
}
