package pgast

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Fingerprint is a hash of a statement's shape, 16 hex digits. Equal are statements
// that differ in literals and parameters, in white space, in names of aliases and
// output columns, in the lengths of lists of literals (IN, ARRAY, VALUES). Operator
// kinds (=, IN, = ANY), relations and columns are kept apart. It is the same on
// every parser backend.
func Fingerprint(s Stmt) string {
	h := sha256.New()
	fingerprint(h, reflect.ValueOf(s))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// fingerprint writes queries and expressions as anonymous SQL, other statements
// field by field.
func fingerprint(w io.Writer, v reflect.Value) {
	if !v.IsValid() {
		return
	}
	if v.CanInterface() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		switch n := v.Interface().(type) {
		case Expr, *Select, *Insert, *Update, *Delete, *Merge:
			f := &formatter{anon: &anonymous{}}
			f.node(n.(Node))
			_, _ = io.WriteString(w, f.b.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fingerprint(w, v.Elem())
		}
	case reflect.Struct:
		fmt.Fprintf(w, "%s{", v.Type().Name())
		for i := 0; i < v.NumField(); i++ {
			if v.Type().Field(i).Type == reflect.TypeFor[At]() || v.Type().Field(i).Name == "BodyPos" {
				continue
			}
			// What came with a later grammar must not change the hash of older texts.
			if v.Type().Field(i).Tag.Get("fingerprint") == "omitzero" && v.Field(i).IsZero() {
				continue
			}
			fingerprint(w, v.Field(i))
			_, _ = io.WriteString(w, ";")
		}
		_, _ = io.WriteString(w, "}")
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			fingerprint(w, v.Index(i))
			_, _ = io.WriteString(w, ",")
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			fmt.Fprintf(w, "%s=%s,", k, v.MapIndex(k))
		}
	case reflect.String:
		_, _ = io.WriteString(w, strconv.Quote(v.String()))
	case reflect.Bool:
		_, _ = io.WriteString(w, strconv.FormatBool(v.Bool()))
	case reflect.Int:
		_, _ = io.WriteString(w, strconv.FormatInt(v.Int(), 10))
	}
}

// anonymous is the state of a formatter that writes a fingerprint's text: the
// relations in scope, innermost level last.
type anonymous struct{ levels []map[string]string }

// enter opens a level for the FROM items of a statement.
func (a *anonymous) enter(items []FromItem) {
	level := map[string]string{}
	count := map[string]int{}
	var add func(FromItem)
	name := func(alias, rel string) {
		count[rel]++
		if alias == "" {
			alias = rel
		}
		level[alias] = rel + "#" + strconv.Itoa(count[rel])
	}
	add = func(f FromItem) {
		switch v := f.(type) {
		case *Table:
			if v != nil {
				name(v.Alias, v.Name)
			}
		case *Subquery:
			name(v.Alias, "(subquery)")
		case *FuncTable:
			name(v.Alias, "(function)")
		case *Join:
			add(v.Left)
			add(v.Right)
			if v.Alias != "" {
				name(v.Alias, "(join)")
			}
		}
	}
	for _, f := range items {
		add(f)
	}
	a.levels = append(a.levels, level)
}

func (a *anonymous) leave() { a.levels = a.levels[:len(a.levels)-1] }

// relation is what a qualifier stands for.
func (a *anonymous) relation(q string) string {
	for i := len(a.levels) - 1; i >= 0; i-- {
		if r, ok := a.levels[i][q]; ok {
			return r
		}
	}
	return q
}

// column writes a reference with its relation in the place of its alias.
func (a *anonymous) column(v *ColumnRef) string {
	parts := make([]string, len(v.Names))
	copy(parts, v.Names)
	if q := len(parts) - 1; q > 0 || v.Star && len(parts) > 0 {
		if v.Star {
			q = len(parts)
		}
		parts = append([]string{a.relation(parts[q-1])}, parts[q:]...)
	}
	if v.Star {
		parts = append(parts, "*")
	}
	return strings.Join(parts, ".")
}

// anonList writes the different items of a list once each.
func (f *formatter) anonList(es []Expr) {
	seen := map[string]bool{}
	for _, e := range es {
		g := &formatter{anon: f.anon}
		g.expr(e)
		if s := g.b.String(); !seen[s] {
			f.w(choose(len(seen) > 0, ", ", ""), s)
			seen[s] = true
		}
	}
}

// anonRows writes the different rows of VALUES once each.
func (f *formatter) anonRows(rows [][]Expr) {
	seen := map[string]bool{}
	for _, r := range rows {
		g := &formatter{anon: f.anon}
		g.list(r)
		if s := g.b.String(); !seen[s] {
			f.w(choose(len(seen) > 0, ", ", ""), "(", s, ")")
			seen[s] = true
		}
	}
}
