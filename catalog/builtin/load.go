package builtin

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/*.txt
var data embed.FS

type (
	classKey  struct{ method, name string }
	memberKey struct{ method, family, op, left, right string }
	castKey   struct{ source, target string }
)

// Facts are those of one major version. They are read-only and safe for
// concurrent use.
type Facts struct {
	major     int
	operators map[string][]Op
	functions map[string][]Func
	classes   map[classKey][]OpClass
	byMethod  map[string][]OpClass
	members   map[memberKey]Member
	casts     map[castKey]Cast
	// extensionTypes are types of extensions, which may stand in any schema.
	extensionTypes map[string]bool
}

var loaders = func() map[int]func() *Facts {
	m := map[int]func() *Facts{}
	for v := Oldest; v <= Newest; v++ {
		m[v] = sync.OnceValue(func() *Facts { return load(v) })
	}
	return m
}()

// For returns the facts of a major version. 0 means the oldest; a version outside
// of those known gets the nearest.
func For(major int) *Facts {
	return loaders[min(max(major, Oldest), Newest)]()
}

// Major is the version that the facts are of.
func (f *Facts) Major() int { return f.major }

func load(major int) *Facts {
	f := &Facts{
		major: major, operators: map[string][]Op{}, functions: map[string][]Func{},
		classes: map[classKey][]OpClass{}, byMethod: map[string][]OpClass{}, members: map[memberKey]Member{},
		casts: map[castKey]Cast{}, extensionTypes: map[string]bool{},
	}
	for _, line := range lines(major) {
		f.add(strings.Split(line, "\t"))
	}
	return f
}

// lines applies the differences up to a version to the base.
func lines(major int) []string {
	rows := read("base")
	for v := Oldest + 1; v <= major; v++ {
		gone := map[string]bool{}
		var added []string
		for _, l := range read(strconv.Itoa(v)) {
			if l[0] == '-' {
				gone[l[1:]] = true
			} else {
				added = append(added, l[1:])
			}
		}
		kept := rows[:0]
		for _, l := range rows {
			if !gone[l] {
				kept = append(kept, l)
			}
		}
		rows = append(kept, added...)
	}
	return rows
}

func read(name string) []string {
	text, err := data.ReadFile("data/" + name + ".txt")
	if err != nil {
		panic(fmt.Sprintf("builtin: reading the embedded tables: %v", err))
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// add puts in one row; gen/queries.go has the fields.
func (f *Facts) add(r []string) {
	switch r[0] {
	case "o":
		f.operators[r[1]] = append(f.operators[r[1]], Op{
			Name: r[1], Left: r[2], Right: r[3], Result: r[4], Function: r[5],
			Leakproof: strings.Contains(r[6], "l"), Strict: strings.Contains(r[6][:len(r[6])-1], "s"), Volatility: volatility(r[6]),
			Commutator: r[7], Negator: r[8], Restrict: r[9],
			CanMerge: strings.Contains(r[10], "m"), CanHash: strings.Contains(r[10], "h"), Extension: r[11],
		})
	case "f":
		fn := Func{Name: r[1], Result: r[3], Kind: r[4][0], Extension: r[7]}
		if r[2] != "" {
			fn.Args = strings.Split(r[2], ",")
		}
		flags := r[5]
		fn.Variadic, flags = cutFlag(flags, "m")
		fn.ReturnsSet, flags = cutFlag(flags, "r")
		fn.Volatility = volatility(flags)
		fn.Leakproof, fn.Strict = strings.Contains(flags, "l"), strings.Contains(flags[:len(flags)-1], "s")
		fn.Defaults, _ = strconv.Atoi(r[6])
		f.functions[fn.Name] = append(f.functions[fn.Name], fn)
	case "c":
		c := OpClass{Method: r[1], Name: r[2], Family: r[3], Type: r[4], Default: r[5] == "d", Key: r[6], Extension: r[7]}
		f.classes[classKey{c.Method, c.Name}] = append(f.classes[classKey{c.Method, c.Name}], c)
		f.byMethod[c.Method] = append(f.byMethod[c.Method], c)
		if ext := c.Extension; ext == "citext" || ext == "hstore" || ext == "ltree" {
			f.extensionTypes[strings.TrimSuffix(c.Type, "[]")] = true
		}
	case "m":
		n, _ := strconv.Atoi(r[3])
		f.members[memberKey{r[1], r[2], r[5], r[6], r[7]}] = Member{Strategy: n, Order: r[4] == "o"}
	case "k":
		f.casts[castKey{r[1], r[2]}] = Cast{
			Source: r[1], Target: r[2], Implicit: r[3] == "i", Assignment: r[3] != "e", Binary: r[4] == "b",
		}
	}
}

// volatility is the last letter of an operator's or function's flags, which hold
// l for leakproof, s for strict, and then i, s or v.
func volatility(flags string) Volatility { return Volatility(flags[len(flags)-1]) }

func cutFlag(flags, f string) (bool, string) {
	rest, found := strings.CutSuffix(flags, f)
	return found, rest
}
