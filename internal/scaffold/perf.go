package scaffold

import (
	"bytes"

	"github.com/planvet/planvet/internal/bench/baseline"

	_ "embed"
)

//go:embed text/slos-template.json
var slosTemplate string

// noSLOs promises nothing: what is promised is a team's to say, and a figure that
// nobody measured would fail for the wrong reason. planvet slo init fills it.
const noSLOs = "{\n  \"slos\": []\n}\n"

func perfFiles() ([]File, error) {
	var b bytes.Buffer
	if err := (&baseline.File{}).Write(&b); err != nil {
		return nil, err
	}
	return []File{
		{Path: ".perf/slos-template.json", Text: slosTemplate, What: "objectives of every kind, to copy from"},
		{Path: ".perf/slos.json", Text: noSLOs, What: "what is promised: nothing yet"},
		{Path: ".perf/baseline.json", Text: b.String(), What: "stored runs for planvet gate: none yet"},
	}, nil
}
