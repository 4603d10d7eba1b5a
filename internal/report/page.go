package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
)

// Page is one self-contained HTML document: it loads nothing, and a policy in its
// head keeps it so. Styles and scripts are allowed by their hashes only, hence no
// style and no handler stands in an attribute: geometry is SVG's, colours are
// classes.
type Page struct {
	Title string
	Body  template.HTML
	// Style follows the skeleton's own CSS, Script runs when the body is there. They
	// are the program's, never data.
	Style, Script string
}

//go:embed page.css
var pageCSS string

var pageHTML = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="planvet">
<title>{{.Title}}</title>
{{.Style}}
</head>
<body>
{{.Body}}
{{.Script}}
</body>
</html>
`))

// WritePage writes the document.
func WritePage(w io.Writer, p *Page) error {
	css := "\n" + pageCSS + p.Style
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + sourceHash(css)
	script := template.HTML("")
	if p.Script != "" {
		js := "\n" + p.Script
		policy += "; script-src " + sourceHash(js)
		script = template.HTML("<script>" + js + "</script>")
	}
	return pageHTML.Execute(w, map[string]any{
		"Title": Printable(p.Title), "Body": p.Body, "Policy": policy,
		"Style": template.HTML("<style>" + css + "</style>"), "Script": script,
	})
}

// sourceHash names a text in a Content-Security-Policy.
func sourceHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
