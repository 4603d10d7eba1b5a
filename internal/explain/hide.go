package explain

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

// hidden stands for a value that came from the server's statistics.
const hidden = "…"

// hider takes values that were drawn from statistics out of plans. They are data, and
// a custom plan writes them into its conditions, in forms that an immutable function
// may have changed. So it goes the other way: a literal stays only where the statement,
// the plan for every value, or a value that was given has it too.
type hider struct{ known map[string]bool }

var (
	planLiteral = regexp.MustCompile(`'(?:[^']|'')*'|\$\d+|[\pL_][\pL\pN_$]*|"(?:[^"]|"")*"|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?`)
	subplanName = regexp.MustCompile(`(?:SubPlan|InitPlan|CTE) \d+`)
)

func newHider(texts ...string) *hider {
	h := &hider{known: map[string]bool{}}
	for _, t := range texts {
		h.know(t)
	}
	return h
}

// know lets the literals of a text stay.
func (h *hider) know(text string) {
	for _, l := range planLiteral.FindAllString(text, -1) {
		h.known[l] = true
	}
}

// value lets a value that was given stay.
func (h *hider) value(v *string) {
	if v != nil {
		h.known[*v] = true
		h.known[literal(*v)] = true
	}
}

// text is a text of a plan without unknown literals.
func (h *hider) text(s string) string {
	for _, n := range subplanName.FindAllString(s, -1) {
		h.know(n)
	}
	return planLiteral.ReplaceAllStringFunc(s, func(l string) string {
		switch {
		case h.known[l]:
			return l
		case l[0] == '\'':
			return "'" + hidden + "'"
		case l[0] >= '0' && l[0] <= '9':
			return hidden
		}
		return l
	})
}

// nameFields are the texts of a node that are names and hold no value.
var nameFields = []string{
	"Type", "Relationship", "SubplanName", "Strategy", "JoinType", "Operation", "Command", "Schema", "Relation", "Alias",
	"Function", "CTE", "Index", "Direction",
}

// eachText calls f for every text of a plan that may hold a value, and sets it to
// what f returns. Fields that nodes get later are among them.
func eachText(p *plan.Plan, f func(string) string) {
	p.Walk(func(n *plan.Node) { texts(reflect.ValueOf(n).Elem(), f) })
}

func texts(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(f(v.String()))
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if t := v.Type().Field(i); t.IsExported() && !slices.Contains(nameFields, t.Name) {
				texts(v.Field(i), f)
			}
		}
	}
}

// hide takes the unknown literals out of a plan.
func (h *hider) hide(p *plan.Plan) { eachText(p, h.text) }

// textsOf are the texts of a plan on end.
func textsOf(p *plan.Plan) string {
	var b strings.Builder
	eachText(p, func(s string) string {
		b.WriteString(s + "\n")
		return s
	})
	return b.String()
}
