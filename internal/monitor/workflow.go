package monitor

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"text/template"
	"time"
)

//go:embed top-queries.github.yml
var githubWorkflow string

// Workflow is how a document of statements is kept by a CI: Document is its path, Top and
// Sort as in Options, MaxAge how old it may be, of which whole hours count.
type Workflow struct {
	Document string
	Top      int
	Sort     string
	MaxAge   time.Duration
}

// GitHub writes a workflow of GitHub Actions that writes the document anew each week,
// proposes it, and fails pull requests while it is too old.
func (w Workflow) GitHub(out io.Writer) error {
	// A JSON string is a YAML string, and no shell reads it.
	document, err := json.Marshal(w.Document)
	if err != nil {
		return err
	}
	t, err := template.New("workflow").Parse(githubWorkflow)
	if err != nil {
		return err
	}
	hours := max(int(w.MaxAge.Hours()), 1)
	return t.Execute(out, map[string]any{"Document": string(document), "Top": w.Top, "Sort": w.Sort, "Hours": hours, "Days": fmt.Sprintf("%.3g", float64(hours)/24)})
}
