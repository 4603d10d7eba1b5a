package memory

import (
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/report"
)

// They are compiled when an entry is masked: planvet starts once a package under go vet.
var (
	// What is a secret by its look: a JWT, keys of clouds and forges, a header.
	tokens = lazily(`\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bsb_secret_\w+|\bsk[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
	bearer = lazily(`(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}`)
	// create role app password 'x'
	sqlPassword = lazily(`(?i)\b(password\s+)'(?:[^']|'')*'`)

	// Constants of SQL that stands within prose: after an operator, in a list.
	quotedConstant = lazily(`(?i)((?:[=<>,(]|\blike|\bilike|\bvalues|::\w+)\s*)(?:E|U&)?'(?:[^']|'')*'`)
	numberConstant = lazily(`(?i)([=<>]\s*|\bin\s*\(\s*|\bbetween\s+)-?\d[\d.]*\b`)
	looksLikeSQL   = lazily(`(?i)\b(?:select|insert|update|delete|where|having)\b`)
	mail           = lazily(`[\w.+-]+@[\w-]+\.[\w.-]*\w`)
)

func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// secrets masks what must not even be stored.
func secrets(s string) string {
	s = report.Redact(s)
	s = tokens().ReplaceAllString(s, "***")
	s = bearer().ReplaceAllString(s, "$1***")
	return sqlPassword().ReplaceAllString(s, "$1***")
}

// prose masks the constants of SQL in a text that may be SQL, or hold some, and
// addresses of people.
func prose(s string) string {
	if _, err := pgast.Parse(s); err == nil {
		return pgast.Masked(s)
	}
	s = mail().ReplaceAllString(s, "***")
	s = quotedConstant().ReplaceAllString(s, "$1?")
	if looksLikeSQL().MatchString(s) {
		s = numberConstant().ReplaceAllString(s, "$1?")
	}
	return s
}

// portable is a copy for others: without secrets and without constants.
func (e *Entry) portable() Entry {
	c := *e
	c.mapTexts(func(s string) string { return secrets(prose(s)) })
	c.Query = e.Query // masked already
	c.Fix = slices.Clone(e.Fix)
	for i := range c.Fix {
		c.Fix[i] = pgast.Masked(secrets(c.Fix[i]))
	}
	return c
}

// mapTexts replaces each text that a person or a tool wrote, on copies of lists.
func (e *Entry) mapTexts(f func(string) string) {
	for _, s := range []*string{&e.Skill, &e.Task, &e.Pattern, &e.Category, &e.Rule, &e.Object, &e.Query} {
		*s = f(*s)
	}
	for _, list := range []*[]string{&e.Files, &e.Lessons, &e.Tags, &e.Fix} {
		*list = slices.Clone(*list)
		for i, s := range *list {
			(*list)[i] = f(s)
		}
	}
	if e.Validation != nil && len(e.Validation.Results) > 0 {
		v := *e.Validation
		v.Results = maps.Clone(v.Results)
		for k, s := range v.Results {
			// The name may say that the value is a secret: password=x.
			v.Results[k] = f(s)
			if r := report.Redact(k + "=" + s); r != k+"="+s {
				v.Results[k] = "***"
			}
		}
		e.Validation = &v
	}
}
